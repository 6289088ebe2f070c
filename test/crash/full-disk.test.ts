/**
 * A disk without room: 503 in words, never a 202 that does not hold, reads go on, and jobs are taken again by themselves
 * once there is room. Three ways to have no room: no file may grow at all, no file may grow beyond a size, and a small
 * file system that is full.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { auditLedger } from '../support/crash-audit.js';
import { Chance } from '../support/crash-chance.js';
import { assertHonest, CrashLoad } from '../support/crash-load.js';
import { type CrashDaemon, CrashRoom, readyWords } from '../support/crash-room.js';
import { skip } from '../support/skip.js';

const test = suite('a full disk');
const LANES = 8;
const JOB = { job_type: 'eval.suite', payload: {} };

let room: CrashRoom;
test.before.each(async () => {
  room = await CrashRoom.open();
});
test.after.each(() => room.close());

test('no file may grow: refused in words, read on, and taken again when it may', async () => {
  if (!runs('prlimit', '--version')) return skip('no prlimit: the size of files can not be limited under a daemon');
  const daemon = await room.start({ words: ['--workers', '1'] });
  const load = new CrashLoad(new Chance());
  const lanes = load.begin(daemon, LANES);
  for (let time = 1; time <= 2; time++) {
    const before = load.promised;
    await until(() => load.promised >= before + 100, 'jobs are taken');
    execFileSync('prlimit', ['--pid', String(daemon.pid), '--fsize=0:unlimited']);
    const refused = load.refusals.length;
    await until(() => load.refusals.length >= refused + 50, 'jobs are refused');
    await tellsNoRoom(daemon);
    execFileSync('prlimit', ['--pid', String(daemon.pid), '--fsize=unlimited:unlimited']);
  }
  const before = load.promised;
  await until(() => load.promised >= before + 100, 'jobs are taken again');
  await lanes.stop();
  assertHonest(load.refusals);
  assert.is((await daemon.tellsReady()).ready, true);
  await holdsAfterKill(daemon, load);
});

test('no file may grow beyond a size: on in the next segment', async () => {
  const limited = ['sh', '-c', 'ulimit -f 96 && exec "$0" "$@"'];
  const daemon = await room.start({ words: ['--workers', '0'], wrapper: limited });
  const load = new CrashLoad(new Chance());
  const lanes = load.begin(daemon, LANES);
  await until(() => segments() >= 3 && load.promised >= 100, 'three segments are full');
  await lanes.stop();
  assert.ok(load.refusals.length > 0, 'the limit was felt');
  assertHonest(load.refusals);
  await holdsAfterKill(daemon, load);
});

test('a file system without room: refused, read on, taken again once something is removed', async () => {
  const small = await smallFileSystem(room.root);
  if (typeof small === 'string') return skip(small);
  try {
    // The working folder would still be the one below the mount.
    const enter = ['nsenter', '-m', '-t', String(small.pid), 'sh', '-c', 'cd "$0" && exec "$@"', room.root];
    const daemon = await room.start({ words: ['--workers', '0'], wrapper: enter });
    const seen = (...parts: string[]): string => join(`/proc/${small.pid}/root`, room.root, ...parts);
    const load = new CrashLoad(new Chance());
    const lanes = load.begin(daemon, LANES);
    await until(() => load.promised >= 50, 'jobs are taken');
    fill(seen('filler'));
    await until(() => load.refusals.length >= 50, 'jobs are refused');
    await tellsNoRoom(daemon);
    rmSync(seen('filler'));
    const before = load.promised;
    await until(() => load.promised >= before + 50, 'jobs are taken again');
    await lanes.stop();
    assertHonest(load.refusals);
    await daemon.end('SIGKILL');
    const next = await room.start({ words: ['--workers', '0'], wrapper: enter });
    assert.is((await next.tellsReady()).ready, true);
    await load.check(next, seen('.agents/daemon/ledger'));
    await next.end();
  } finally {
    small.kill('SIGKILL');
    await once(small, 'close');
  }
});

function segments(): number {
  return existsSync(room.ledger) ? readdirSync(room.ledger).filter((name) => name.endsWith('.jsonl')).length : 0;
}

/** Not ready and the reason in words; reads go on; a submit is refused in words. */
async function tellsNoRoom(daemon: CrashDaemon): Promise<void> {
  const ready = await daemon.until(
    'it is told that nothing is written',
    () => daemon.tellsReady(),
    (told) => !told.ready,
  );
  assert.match(readyWords(ready), /not being written.*(EFBIG|ENOSPC)/);
  assert.ok((await daemon.tellsEvents()).events.length > 0);
  assertHonest([await daemon.submit(JOB)]);
}

async function holdsAfterKill(daemon: CrashDaemon, load: CrashLoad): Promise<void> {
  await daemon.end('SIGKILL');
  const next = await room.start({ words: ['--workers', '0'] });
  const ready = await next.tellsReady();
  assert.is(ready.ready, true, JSON.stringify(ready));
  await load.check(next, room.ledger);
  await load.askAgain(next, 32);
  await next.end();
  load.holds(auditLedger(room.ledger));
  assert.is((await room.cli.run(['verify'])).status, 0);
}

/** A process that holds a small file system at `path`, which nobody else sees and which ends with it; or why not. */
async function smallFileSystem(path: string): Promise<ChildProcess | string> {
  if (!runs('unshare', '-m', 'nsenter', '--version')) return 'no mounts of our own here: no small file system to fill';
  const mount = 'mount -t tmpfs -o size=3m none "$0" && echo mounted && exec sleep 600';
  const holder = spawn('unshare', ['-m', 'sh', '-c', mount, path], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [first] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'close').then(() => [''])]);
  return String(first).startsWith('mounted') ? holder : 'tmpfs can not be mounted here: no small file system to fill';
}

function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const bytes of [65_536, 4_096, 512, 1]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

function runs(program: string, ...words: string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
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
