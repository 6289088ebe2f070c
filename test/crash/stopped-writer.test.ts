/**
 * A writer that sleeps past every time-out while another one starts. Stopped is alive: it is not taken over. Where it is
 * taken over all the same, because nothing about it can be proven, it acknowledges nothing once it wakes up.
 */
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { auditLedger } from '../support/crash-audit.js';
import { Chance, rounds } from '../support/crash-chance.js';
import { assertHonest, CrashLoad } from '../support/crash-load.js';
import { type CrashDaemon, CrashRoom, processState, readyWords } from '../support/crash-room.js';
import { skip } from '../support/skip.js';

const test = suite('a writer that sleeps');
const NO_WORKERS = { words: ['--workers', '0'] };
const DAEMON_RUNNING = 6;
const LEDGER_UNSAFE = 8;

let room: CrashRoom;
test.before.each(async () => {
  room = await CrashRoom.open();
});
test.after.each(() => room.close());

test('stopped is alive: a second one is refused with its pid; killed, it is taken over at once', async () => {
  if (process.platform !== 'linux') return skip('where a process stands is read from /proc');
  const first = await room.start(NO_WORKERS);
  const load = new CrashLoad(new Chance());
  const lanes = load.begin(first);
  await until(() => load.promised >= 100, 'jobs are taken');
  await stop(first);
  ageLock();
  const second = room.launch(NO_WORKERS);
  assert.is(await second.exited, DAEMON_RUNNING);
  assert.match(second.stdout() + second.stderr(), `pid ${first.pid}`);
  await wake(first);
  const before = load.promised;
  await until(() => load.promised > before + 50, 'the first one goes on as if nothing had been');
  await stop(first);
  ageLock();
  await first.end('SIGKILL');
  await lanes.ended;
  const began = performance.now();
  const third = await room.start(NO_WORKERS);
  console.log(`taken over ${Math.round(performance.now() - began)} ms after the kill`);
  assert.ok(performance.now() - began < 10_000, 'no time-out was waited for');
  await load.check(third, room.ledger);
  assert.equal(load.refusals, []);
});

test('taken over while it slept: nothing is acknowledged any more, and nothing is lost', async () => {
  if (process.platform !== 'linux') return skip('where a process stands is read from /proc');
  const chance = new Chance();
  const load = new CrashLoad(chance);
  for (let round = 1; round <= rounds(3); round++) {
    const what = `round ${round}, seed ${chance.seed}`;
    const first = await room.start(NO_WORKERS);
    const lanes = load.begin(first);
    const before = load.promised;
    await until(() => load.promised >= before + 20 + chance.below(200), 'jobs are taken');
    await stop(first);
    moveToAnotherNamespace();
    ageLock();
    const second = await room.start(NO_WORKERS);
    const taken = auditLedger(room.ledger).length;
    const others = load.begin(second, 8);
    const between = load.promised;
    await until(() => load.promised >= between + 20, 'the second one takes jobs');
    const refused = load.refusals.length;
    await wake(first);
    await until(() => load.refusals.length >= refused + 8, 'the first one refuses');
    const ready = await first.until(
      what,
      () => first.tellsReady(),
      (told) => !told.ready,
    );
    assert.match(readyWords(ready), 'took over');
    await lanes.stop();
    await others.stop();
    assertHonest(load.refusals);
    assert.is(await first.end(), LEDGER_UNSAFE);
    assert.ok(taken > 0);
    assert.is((await second.tellsReady()).ready, true, what);
    await load.check(second, room.ledger);
    await load.askAgain(second, 32);
    await second.end('SIGKILL');
  }
  const last = await room.start(NO_WORKERS);
  await load.check(last, room.ledger);
  assert.is(await last.end(), 0);
  assert.is((await room.cli.run(['verify'])).status, 0);
});

async function stop(daemon: CrashDaemon): Promise<void> {
  daemon.process.kill('SIGSTOP');
  await until(() => processState(daemon.pid) === 'T', 'it is stopped');
}

async function wake(daemon: CrashDaemon): Promise<void> {
  daemon.process.kill('SIGCONT');
  await until(() => processState(daemon.pid) !== 'T', 'it goes on');
}

/** Nobody renewed the lock for an hour: longer than any time-out. */
function ageLock(): void {
  const long = Date.now() / 1000 - 3_600;
  utimesSync(room.path('.agents/daemon/run/lock'), long, long);
}

/** The records of the owner as another container, which shares the folder, would have written them. */
function moveToAnotherNamespace(): void {
  const run = room.path('.agents/daemon/run');
  const terms = join(run, 'terms');
  const highest = Math.max(...readdirSync(terms).map(Number));
  for (const path of [join(terms, String(highest)), join(run, 'holder.json')]) {
    const text = readFileSync(path, 'utf8');
    const moved = text.replace(/"pid_ns":"[^"]*"/, '"pid_ns":"pid:[1]"');
    assert.is.not(moved, text);
    writeFileSync(path, moved);
  }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test.run();
