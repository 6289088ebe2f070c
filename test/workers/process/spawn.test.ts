import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../../lib/base/limits.js';
import { sweep } from '../../../lib/engine/processes.js';
import type { SpawnOptions, SpawnResult } from '../../../workers/context.js';
import { type OpenedAttempt, openTestAttempt } from '../../support/attempt.js';
import { isAlive, startOf, until } from '../../support/nasty-children.js';

const test = suite('spawn');
let root = '';
let attempt: OpenedAttempt;
test.before.each(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  attempt = openTestAttempt(root);
});
test.after.each(async () => {
  attempt.close();
  await sweep({ marker: attempt.task.claim.marker, recorded: [], startedAfter: undefined });
  rmSync(root, { recursive: true, force: true });
});

const shell = (script: string, options: SpawnOptions = {}): Promise<SpawnResult> =>
  attempt.context.spawn('sh', ['-c', script], options);
const output = (): string => readFileSync(join(attempt.task.runDir, 'output.log'), 'utf8');
const ended = (exitCode: number | undefined, signal?: string, stopped?: SpawnResult['stopped']): SpawnResult => ({
  exitCode,
  signal,
  stopped,
});
const told = async (work: Promise<unknown>): Promise<{ code?: string; message?: string }> => {
  try {
    await work;
  } catch (error) {
    return (error as { failure?: { code: string; message: string } }).failure ?? { message: String(error) };
  }
  throw new Error('nothing was thrown');
};

test('exit codes and signals are told as they are', async () => {
  assert.equal(await shell('exit 0'), ended(0));
  assert.equal(await shell('exit 255'), ended(255));
  assert.equal(await shell('kill -9 $$'), ended(undefined, 'SIGKILL'));
});

test('both streams go to the output as they come; standard output can be kept out of it', async () => {
  await shell('echo out; echo err >&2');
  assert.equal(output().split('\n').sort(), ['', 'err', 'out']);
  await shell('echo hidden; echo shown >&2', { log: false });
  assert.not.match(output(), /hidden/);
  assert.match(output(), /shown/);
});

test('a line that has no end is visible while it runs', async () => {
  const running = shell('printf begun; sleep 1000 & wait');
  await until(() => output() === 'begun', 'the output is visible');
  attempt.stop();
  assert.is((await running).stopped, 'aborted');
});

test('each line calls back whole, in order, whatever the pieces were', async () => {
  const lines: string[] = [];
  await shell(`printf 'a\\nb'; sleep 0.1; printf 'c\\r\\n\\nlast'`, { onLine: (line) => lines.push(line) });
  assert.equal(lines, ['a', 'bc', '', 'last']);
});

test('what a line callback throws ends the process and comes back', async () => {
  const begunMs = performance.now();
  const onLine = () => {
    throw new Error('seen enough');
  };
  assert.match((await told(shell('echo $$; exec sleep 1000', { onLine }))).message ?? '', /seen enough/);
  assert.ok(performance.now() - begunMs < 5000);
});

test('input is written, then the end of file; one that reads nothing harms nobody', async () => {
  const lines: string[] = [];
  await shell('cat', { input: 'a\nb\n', onLine: (line) => lines.push(line) });
  assert.equal(lines, ['a', 'b']);
  assert.equal(await shell('exit 3', { input: 'x'.repeat(5_000_000) }), ended(3));
  assert.equal(await shell('exec 0<&-; sleep 0.2; exit 4', { input: 'x'.repeat(5_000_000) }), ended(4));
  assert.equal(await shell('read line || exit 7'), ended(7));
});

test('the environment is the short list, what is named, and our own', async () => {
  process.env['AGENTOPSD_TOKEN'] = 'secret-token';
  process.env['SOME_SECRET'] = 'secret-value';
  process.env['LC_TEST'] = 'passes';
  process.env['PASSED_ON'] = 'yes';
  const lines: string[] = [];
  const env = { MINE: '1', AGENTOPS_LEASE_MARKER: 'forged', AGENTOPS_DAEMON_TOKEN: 'secret' };
  await attempt.context.spawn('env', [], {
    passEnv: ['PASSED_ON', 'AGENTOPSD_TOKEN'],
    env,
    onLine: (line) => lines.push(line),
  });
  const seen = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  assert.not.ok(
    lines.some((line) => line.includes('secret')),
    lines.join('\n'),
  );
  assert.is(seen.get('LC_TEST'), 'passes');
  assert.is(seen.get('PASSED_ON'), 'yes');
  assert.is(seen.get('MINE'), '1');
  assert.is(seen.get('PATH'), process.env['PATH']);
  assert.is(seen.get('AGENTOPS_LEASE_MARKER'), attempt.task.claim.marker);
  assert.is(seen.get('AGENTOPS_JOB_ID'), 'job_1');
  assert.is(seen.get('AGENTOPS_LEASE_EPOCH'), '7');
  const usual = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|TERM|AGENTOPS_.*|MINE|PASSED_ON)$/;
  assert.equal(
    [...seen.keys()].filter((name) => !usual.test(name)),
    [],
  );
  for (const name of ['AGENTOPSD_TOKEN', 'SOME_SECRET', 'LC_TEST', 'PASSED_ON']) delete process.env[name];
});

test('it starts in the root, in a group of its own, and is told with its start time at once', async () => {
  const lines: string[] = [];
  const running = shell('pwd; ps -o pgid= -p $$ | tr -d " "; echo $$; sleep 1000 & wait', {
    onLine: (line) => lines.push(line),
  });
  await until(
    () => lines.length === 3 && attempt.posted.some((message) => message.kind === 'child'),
    'three lines and the message',
  );
  assert.is(lines[0], root);
  assert.is(lines[1], lines[2]);
  const message = attempt.posted.find((one) => one.kind === 'child');
  assert.is(message?.kind === 'child' && message.pid, Number(lines[2]));
  if (process.platform === 'linux') assert.is(message?.kind === 'child' && message.started, startOf(Number(lines[2])));
  attempt.stop();
  await running;
});

test('a program is found on absolute entries of PATH alone, or by its path', async () => {
  writeFileSync(join(root, 'tool'), '#!/bin/sh\nexit 9\n', { mode: 0o755 });
  writeFileSync(join(root, 'text'), 'no program', { mode: 0o644 });
  assert.equal(await attempt.context.spawn('./tool'), ended(9));
  assert.equal(await attempt.context.spawn(join(root, 'tool')), ended(9));
  for (const PATH of ['.', '', `:${'/nowhere'}`]) {
    assert.is((await told(attempt.context.spawn('tool', [], { env: { PATH } }))).code, 'provider_unreachable', PATH);
  }
  for (const program of ['./text', './none', root, 'no-such-program-anywhere', '']) {
    assert.is((await told(attempt.context.spawn(program))).code, 'provider_unreachable', program);
  }
  assert.is((await told(attempt.context.spawn('sh', ['a\0b']))).code, 'provider_unreachable');
  assert.is((await told(attempt.context.spawn('sh', [], { cwd: 'no-such-folder' }))).code, 'provider_unreachable');
  assert.equal(attempt.posted.filter((message) => message.kind === 'child').length <= 2, true);
});

test('no shell reads the arguments', async () => {
  const lines: string[] = [];
  await attempt.context.spawn('printf', ['%s\n', '$HOME; rm -rf *'], { onLine: (line) => lines.push(line) });
  assert.equal(lines, ['$HOME; rm -rf *']);
});

test('the wall clock ends one that goes on, even one that is deaf', async () => {
  assert.equal(await shell('exec sleep 1000', { timeoutMs: 100 }), ended(undefined, 'SIGINT', 'timeout'));
  const begunMs = performance.now();
  const deaf = await shell(`trap '' INT TERM; while :; do sleep 0.05; echo alive; done`, { timeoutMs: 100 });
  assert.equal(deaf, ended(undefined, 'SIGKILL', 'timeout'));
  assert.ok(performance.now() - begunMs < 5000);
});

test('exit code 0 after a time-out is still a time-out', async () => {
  assert.equal(await shell(`trap 'exit 0' INT; sleep 1000 & wait`, { timeoutMs: 200 }), ended(0, undefined, 'timeout'));
});

test('silence ends one that prints nothing; printing keeps it alive', async () => {
  assert.equal(await shell('echo once; exec sleep 1000', { idleMs: 150 }), ended(undefined, 'SIGINT', 'idle'));
  assert.equal(await shell('for i in 1 2 3 4 5 6; do echo $i >&2; sleep 0.1; done', { idleMs: 400 }), ended(0));
});

test('a stop reaches one that has just begun; after it nothing starts', async () => {
  const running = shell('exec sleep 1000');
  await until(() => attempt.posted.some((message) => message.kind === 'child'), 'the child is told');
  attempt.stop();
  assert.equal(await running, ended(undefined, 'SIGINT', 'aborted'));
  assert.match((await told(shell('exit 0'))).message ?? '', /AbortError/);
});

test('nothing starts once the attempt is over, not even what was asked for before', async () => {
  const late = told(shell('exit 0'));
  attempt.end();
  assert.match((await late).message ?? '', /the attempt is over/);
  assert.match((await told(shell('exit 0'))).message ?? '', /the attempt is over/);
  assert.is(attempt.posted.filter((message) => message.kind === 'child').length, 0);
});

test('silence while the whole daemon stood still does not count', async () => {
  const running = shell('for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.3; done', { idleMs: 800 });
  await until(() => output().includes('1'), 'it prints');
  // Nothing of this thread runs meanwhile, as when its process is stopped; the command goes on.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
  assert.equal(await running, ended(0));
});

test('one that leaves a child behind with its pipes open ends all the same', async () => {
  const lines: string[] = [];
  const begunMs = performance.now();
  assert.equal(await shell('setsid sleep 1000 & echo $!; exit 0', { onLine: (line) => lines.push(line) }), ended(0));
  assert.ok(performance.now() - begunMs < 3000);
  await sweep({ marker: attempt.task.claim.marker, recorded: [], startedAfter: undefined });
  assert.not(isAlive(Number(lines[0])));
});

test('a flood of output is bounded on the disk and does not stop the run', async () => {
  attempt.close();
  attempt = openTestAttempt(root, { limits: { outputBytes: 65_536 } });
  assert.equal(await shell('yes 0123456789 | head -c 20000000; echo the end'), ended(0));
  assert.ok(output().length <= 65_536);
  assert.match(output(), /bytes left out here/);
  assert.ok(output().endsWith('the end\n'));
});

test('a line without an end is refused when somebody reads lines', async () => {
  const failure = await told(shell('yes | tr -d "\\n"', { onLine: () => {}, log: false }));
  assert.is(failure.code, 'request_rejected');
  assert.match(failure.message ?? '', /line of its output is longer than 16777216 bytes/);
});

test('limits.outputLineBytes: a longer line ends the process, and says so', async () => {
  const { outputLineBytes } = limits;
  const lines: number[] = [];
  const print = (bytes: number) =>
    shell(`head -c ${bytes} /dev/zero | tr '\\0' x; echo; echo next`, {
      log: false,
      onLine: (line) => lines.push(line.length),
    });
  assert.equal(await print(outputLineBytes), ended(0));
  assert.equal(lines, [outputLineBytes, 4]);
  const { code, message } = await told(print(outputLineBytes + 1));
  assert.equal([code, message], ['request_rejected', `a line of its output is longer than ${outputLineBytes} bytes`]);
});

for (const [why, mostMs] of [
  ['timeout', limits.childTimeoutMs],
  ['idle', limits.childIdleMs],
] as const)
  test(`where nothing is said, a process is ended after limits.${why === 'idle' ? 'childIdleMs' : 'childTimeoutMs'}`, async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const running = shell('exec sleep 1000', why === 'timeout' ? { idleMs: 2 * mostMs } : {});
      await untilAsked(() => attempt.posted.some(({ kind }) => kind === 'child'));
      let isOver = false;
      const result = running.finally(() => {
        isOver = true;
      });
      mock.timers.tick(mostMs - 1);
      await new Promise(setImmediate);
      assert.is(isOver, false);
      mock.timers.tick(1);
      assert.is((await result).stopped, why);
    } finally {
      mock.timers.reset();
    }
  });

/** Without a timer: those stand still. */
async function untilAsked(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

test.run();
