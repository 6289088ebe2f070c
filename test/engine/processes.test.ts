import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseProcessStat } from '../../lib/base/process-stat.js';
import { ProcTable } from '../../lib/engine/process-table.js';
import { endProcesses, processMoment, sweep } from '../../lib/engine/processes.js';
import { MARKER_VARIABLE } from '../../lib/model/worker-protocol.js';
import { isAlive, Nursery, startOf, until } from '../support/nasty-children.js';

const test = suite('processes');
const onLinux = existsSync('/proc/self/stat');
let nursery = new Nursery();
test.before.each(() => {
  nursery = new Nursery();
});
test.after.each(() => nursery.end());

const newMarker = (): string => randomBytes(16).toString('hex');
/** Runs a script of real processes through the whole ladder and shows that each of them is gone. */
async function ends(script: string, count: number, graceMs = 300): Promise<number> {
  const marker = newMarker();
  const startedAfter = processMoment();
  const child = await nursery.start(script, marker, count);
  const begunMs = performance.now();
  const { remaining } = await endProcesses({
    marker,
    recorded: [{ pid: child.pid, started: child.started }],
    startedAfter,
    graceMs,
  });
  const tookMs = performance.now() - begunMs;
  assert.equal(remaining, []);
  assert.equal(child.pids.filter(isAlive), [], script);
  return tookMs;
}

if (onLinux) {
  test('a polite one ends at SIGINT, long before the grace is over', async () => {
    assert.ok((await ends('echo $$; exec sleep 1000', 1, 20_000)) < 5000);
  });

  test('one that ignores SIGINT and SIGTERM, with a child that does too', async () => {
    const deaf = `trap '' INT TERM HUP; echo $$; sh -c "trap '' INT TERM HUP; echo \\$\\$; while :; do sleep 1; done" & while :; do sleep 1; done`;
    const tookMs = await ends(deaf, 2);
    assert.ok(tookMs >= 500 && tookMs < 6000, `${tookMs} ms`);
  });

  test('one in a session of its own, twice forked, its parent gone', async () => {
    await ends(`(setsid sh -c 'echo $$; exec sleep 1000' &) ; echo $$; exec sleep 1000`, 2);
  });

  test('one that cleared its environment and left the session is found through its parent', async () => {
    await ends(`env -i setsid -f sh -c 'true'; env -i /usr/bin/setsid sh -c 'echo $$; sleep 1000' & echo $$; wait`, 2);
  });

  test('one that cleared its environment and lost its parent is found through its group', async () => {
    await ends(`sh -c 'env -i sh -c "echo \\$\\$; exec sleep 1000" & exit 0'; echo $$; exec sleep 1000`, 2);
  });

  test('a stopped one', async () => {
    await ends(`sh -c 'echo $$; kill -STOP $$; sleep 1000' & echo $$; trap '' INT; sleep 1000 & wait; wait`, 2);
  });

  test('what is left after a clean exit is swept, in its own session or not', async () => {
    const marker = newMarker();
    const startedAfter = processMoment();
    const child = await nursery.start(
      `setsid sh -c 'echo $$; trap "" TERM; sleep 1000; sleep 1000' & sleep 1000 & echo $!; echo $$; exit 0`,
      marker,
      3,
    );
    await until(() => !isAlive(child.pid), 'the child has ended');
    assert.is(child.pids.filter(isAlive).length, 2);
    const { ended, remaining } = await sweep({
      marker,
      recorded: [{ pid: child.pid, started: child.started }],
      startedAfter,
    });
    assert.ok(ended.length >= 2);
    assert.equal(remaining, []);
    assert.equal(child.pids.filter(isAlive), []);
  });

  test('another marker, a longer one, or none is left alone', async () => {
    const marker = newMarker();
    const other = await nursery.start('echo $$; exec sleep 1000', `${marker}0`, 1);
    const before = await nursery.start('echo $$; exec sleep 1000', newMarker(), 1);
    const { ended } = await sweep({
      marker,
      recorded: [{ pid: before.pid, started: '1' }],
      startedAfter: processMoment(),
    });
    assert.equal(ended, []);
    assert.ok(isAlive(other.pid) && isAlive(before.pid));
  });

  test('what began before the claim is not the job of it, and after a restart of the machine nothing is', async () => {
    const marker = newMarker();
    const child = await nursery.start('echo $$; exec sleep 1000', marker, 1);
    const later = `${processMoment()?.split(':')[0]}:${Number(child.started) + 1000}`;
    const otherBoot = `00000000-0000-0000-0000-000000000000:0`;
    for (const startedAfter of [later, otherBoot]) {
      assert.equal(
        (await sweep({ marker, recorded: [{ pid: child.pid, started: child.started }], startedAfter })).ended,
        [],
      );
    }
    assert.ok(isAlive(child.pid));
    assert.equal((await sweep({ marker, recorded: [], startedAfter: undefined })).remaining, []);
    assert.not(isAlive(child.pid));
  });

  test('ourselves and our ancestors are spared, even with the marker of the lease', async () => {
    const marker = newMarker();
    const code = `import('${new URL('../../lib/engine/processes.js', import.meta.url).href}').then(async (m) => {
      await m.sweep({ marker: '${marker}', recorded: [{ pid: process.ppid, started: undefined }], startedAfter: undefined });
      process.stdout.write('alive');
    })`;
    const child = spawn(process.execPath, ['-e', code], {
      env: { ...process.env, [MARKER_VARIABLE]: marker },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
    });
    await new Promise((resolve) => child.once('close', resolve));
    assert.is(text, 'alive');
  });

  test('the table of this machine knows us', async () => {
    const table = new ProcTable();
    const self = table.find(process.pid);
    assert.is(self?.parent, process.ppid);
    assert.is(self?.started, startOf(process.pid));
    assert.ok(table.isOwn(process.pid));
    const ageMs = table.ageMs(self as NonNullable<typeof self>) ?? Number.NaN;
    assert.ok(Math.abs(ageMs - process.uptime() * 1000) < 2_000, `${ageMs} ms, ${process.uptime()} s`);
    assert.ok((await table.list()).some((one) => one.pid === process.pid));
    assert.is(table.find(2 ** 22 + 1), undefined);
  });
}

test('a stat line is read from behind the name of the program, whatever that holds', () => {
  const rest = Array.from({ length: 20 }, (_, at) => String(at + 5)).join(' ');
  const stat = parseProcessStat(`42 (a) S 1 (x) S 7 ${rest}`);
  assert.is(stat?.pid, 42);
  assert.is(stat?.state, 'S');
  assert.is(stat?.parent, 7);
  assert.is(parseProcessStat('nonsense'), undefined);
  assert.is(parseProcessStat(''), undefined);
});

test.run();
