import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentopsdError } from '../../lib/base/errors.js';
import { limits } from '../../lib/base/limits.js';
import { createNodeLock } from '../../lib/storage/node-lock.js';
import { createProcessFacts } from '../../lib/storage/process-facts.js';
import { type LedgerPlace, makeLedgerPlace, until } from '../support/ledger-place.js';

const takeovers = suite('takeover by real processes');
const program = fileURLToPath(new URL('../support/ledger-process.js', import.meta.url));

interface Line {
  ready?: boolean;
  replayed?: number;
  status?: string;
  damage?: number;
  acknowledged?: number;
  refusedOnce?: boolean;
  stopped?: string;
  progress?: string;
  refused?: { code: string; message: string; details?: { pid: number } };
}
interface Running {
  child: ChildProcess;
  lines: Line[];
  ended: Promise<number | null>;
}

let place: LedgerPlace;
let running: Running[] = [];
takeovers.before.each(async () => {
  place = await makeLedgerPlace();
});
takeovers.after.each(async () => {
  for (const one of running) one.child.kill('SIGKILL');
  await Promise.all(running.map((one) => one.ended));
  running = [];
  await place.remove();
});

function start(...more: string[]): Running {
  return follow(
    spawn(process.execPath, [program, place.root, place.state, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}

function follow(child: ChildProcessByStdio<null, Readable, null>): Running {
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  const one = { child, lines, ended: new Promise<number | null>((resolve) => child.once('close', resolve)) };
  running.push(one);
  return one;
}
const isReady = (one: Running): boolean => one.lines.some((line) => line.ready);
const real = { lock: createNodeLock(), facts: createProcessFacts() };

takeovers('a living owner turns a second daemon away at once, naming its pid', async () => {
  const first = start('hold');
  await until('the first is ready', () => isReady(first));
  const second = start();
  assert.is(await second.ended, 6);
  const { refused } = second.lines[0] ?? {};
  assert.is(refused?.code, 'daemon_running');
  assert.match(refused?.message ?? '', String(first.child.pid));
  assert.is(refused?.details?.pid, first.child.pid);
  fs.rmdirSync(place.layout.lock);
  const third = start();
  assert.is(await third.ended, 6, 'a removed lock changes nothing');
});

takeovers('kill -9 under load, again and again: nothing acknowledged is lost, ready within a second', async () => {
  let acknowledged = 0;
  for (let round = 1; round <= 4; round++) {
    const before = acknowledged;
    const one = start();
    await until('it is ready', () => isReady(one));
    await until('it acknowledges', () => one.lines.filter((line) => line.acknowledged).length >= 100);
    one.child.kill('SIGKILL');
    await one.ended;
    acknowledged = Math.max(...one.lines.map((line) => line.acknowledged ?? 0));
    assert.ok(acknowledged > before);
    const began = performance.now();
    const opened = await place.open(real);
    assert.ok(performance.now() - began < 1_000, `${performance.now() - began} ms`);
    assert.is(opened.plan.status, 'complete');
    assert.equal(
      opened.replayed.map((event) => event.seq),
      opened.replayed.map((_, at) => at + 1),
    );
    assert.ok(opened.replayed.length >= acknowledged, `${opened.replayed.length} of ${acknowledged}`);
    acknowledged = opened.replayed.length;
    await opened.ledger.close();
  }
});

takeovers('one that was killed while it had the lock but no term yet is taken over at once', async () => {
  const first = start('hold');
  await until('the first is ready', () => isReady(first));
  first.child.kill('SIGKILL');
  await first.ended;
  assert.ok(fs.existsSync(place.layout.lock));
  fs.rmSync(place.layout.terms, { recursive: true });
  const began = performance.now();
  await (await place.open(real)).ledger.close();
  assert.ok(performance.now() - began < 1_000);
});

takeovers('a clean stop leaves no lock, and the process may open again', async () => {
  const first = start('hold');
  await until('the first is ready', () => isReady(first));
  first.child.kill('SIGTERM');
  assert.is(await first.ended, 0);
  assert.not(fs.existsSync(place.layout.lock));
  for (let round = 0; round < 2; round++) await (await place.open(real)).ledger.close();
  const opened = await place.open(real);
  try {
    await place.open(real);
    assert.unreachable();
  } catch (error) {
    assert.is((error as AgentopsdError).code, 'daemon_running');
    assert.match((error as Error).message, `pid ${process.pid}`);
  }
  assert.is(opened.stopped.length, 0);
});

takeovers('many at once: one becomes the writer', async () => {
  const all = Array.from({ length: 4 }, () => start('hold'));
  await until(
    'all are decided',
    () => all.every((one) => isReady(one) || one.lines.some((line) => line.refused)),
    10_000,
  );
  await until(
    'one is left',
    () => all.filter((one) => one.child.exitCode === null && !one.lines.some((line) => line.stopped)).length === 1,
    10_000,
  );
});

takeovers('an owner that may run elsewhere is waited for, and that is said', async () => {
  const first = start('hold');
  await until('the first is ready', () => isReady(first));
  first.child.kill('SIGKILL');
  await first.ended;
  const term = join(place.layout.terms, '1');
  for (const path of [term, join(place.layout.run, 'holder.json')]) {
    fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace(/"pid_ns":"[^"]*"/, '"pid_ns":"pid:[1]"'));
  }
  // Nearly as long without a sign of life as counts as left behind: two seconds less.
  const renewed = (Date.now() - limits.lockStaleMs + 2_000) / 1_000;
  fs.utimesSync(place.layout.lock, renewed, renewed);
  const said: string[] = [];
  const opened = await place.open({ ...real, progress: (text) => said.push(text) });
  assert.match(said.join(), 'may run elsewhere');
  assert.is(said.filter((text) => text.includes('elsewhere')).length, 1);
  await opened.ledger.close();
});

takeovers('a stopped writer that wakes up acknowledges nothing and leaves its successor’s lock alone', async () => {
  const first = start();
  await until('it acknowledges', () => first.lines.some((line) => line.acknowledged));
  first.child.kill('SIGSTOP');
  // Its pid lives, so nobody would take over from it: another namespace may.
  const facts = { self: () => ({ ...real.facts.self(), pidNamespace: 'pid:[1]' }), lookUp: () => undefined };
  await new Promise((resume) => setTimeout(resume, 5));
  const long = (Date.now() - 120_000) / 1_000;
  fs.utimesSync(place.layout.lock, long, long);
  const opened = await place.open({ ...real, facts });
  const seen = opened.replayed.length;
  first.lines.length = 0;
  first.child.kill('SIGCONT');
  await until('it stops', () => first.lines.some((line) => line.stopped));
  first.child.kill('SIGTERM');
  await first.ended;
  assert.ok(fs.existsSync(place.layout.lock), 'the lock of the successor stands');
  const late = first.lines.map((line) => line.acknowledged ?? 0).filter((seq) => seq > seen);
  assert.equal(late, [], 'nothing was acknowledged behind the seal');
});

takeovers(
  'a limit on the size of files: refused honestly, then on in the next segment, nothing acknowledged lost',
  async () => {
    const command = 'ulimit -f 96 && exec "$0" "$@"';
    const one = follow(
      spawn('sh', ['-c', command, process.execPath, program, place.root, place.state, 'patient'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    await until('it went on twice', () => one.lines.filter((line) => line.refusedOnce).length >= 3, 15_000);
    one.child.kill('SIGKILL');
    await one.ended;
    assert.equal(
      one.lines.filter((line) => line.stopped),
      [],
    );
    const acknowledged = one.lines.flatMap((line) => line.acknowledged ?? []);
    const opened = await place.open(real);
    assert.is(opened.plan.status, 'complete');
    assert.equal(opened.replayed.map((event) => event.seq).slice(0, acknowledged.length), acknowledged);
    assert.ok(fs.readdirSync(place.layout.ledger).length >= 3);
  },
);

takeovers.run();
