import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../../lib/base/limits.js';
import { sweep } from '../../../lib/engine/processes.js';
import { runCommand } from '../../../workers/thread/command.js';
import { type OpenedAttempt, openTestAttempt } from '../../support/attempt.js';
import { until } from '../../support/nasty-children.js';

const test = suite('command');
let root = '';
let attempt: OpenedAttempt;
test.before.each(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  attempt = openTestAttempt(root, { payload: { goal: 'é "quoted"', n: [1] } });
});
test.after.each(async () => {
  attempt.close();
  await sweep({ marker: attempt.task.claim.marker, recorded: [], startedAfter: undefined });
  rmSync(root, { recursive: true, force: true });
});

const output = (): string => readFileSync(join(attempt.task.runDir, 'output.log'), 'utf8');
const runProgram = (
  command: string[],
  more: { timeoutMs?: number; idleMs?: number; env?: string[] } = {},
): Promise<void> =>
  runCommand(attempt.task.job, attempt.context, {
    kind: 'command',
    command,
    env: more.env ?? [],
    timeoutMs: more.timeoutMs ?? 10_000,
    idleMs: more.idleMs ?? 10_000,
  });
const run = (script: string, more: { timeoutMs?: number; idleMs?: number } = {}): Promise<void> =>
  runProgram(['sh', '-c', script], more);
const failureOf = async (work: Promise<void>): Promise<{ code: string; message: string }> => {
  try {
    await work;
  } catch (error) {
    return (error as { failure: { code: string; message: string } }).failure;
  }
  throw new Error('it did not fail');
};

test('it gets its payload on standard input, its variables, and the root as its folder', async () => {
  await run(
    'cat; echo; pwd; echo "$AGENTOPS_JOB_ID $AGENTOPS_JOB_TYPE $AGENTOPS_ATTEMPT $AGENTOPS_LEASE_EPOCH $AGENTOPS_CLAIM"; echo "$AGENTOPS_RUN_DIR"',
  );
  const [payload = '', ...rest] = output().split('\n');
  assert.equal(JSON.parse(payload), { goal: 'é "quoted"', n: [1] });
  assert.equal(rest, [root, 'job_1 rpi.run 1 7 claim_1', attempt.task.runDir, '']);
});

test('exit 0 completes; every other end fails with a message that names it', async () => {
  await run('exit 0');
  const ends: [string, RegExp][] = [
    ['exit 3', /^sh ended with exit code 3$/],
    ['kill -TERM $$', /^sh was ended by the signal SIGTERM$/],
    ['kill -SEGV $$', /signal SIGSEGV/],
  ];
  for (const [script, message] of ends) {
    const failure = await failureOf(run(script));
    assert.is(failure.code, 'request_rejected');
    assert.match(failure.message, message);
  }
  assert.match(
    (await failureOf(run('exec sleep 1000', { timeoutMs: 150 }))).message,
    /timeout_seconds and was ended after 0\.15 s/,
  );
  assert.match(
    (await failureOf(run('exec sleep 1000', { idleMs: 150 }))).message,
    /idle_seconds and was ended after 0\.15 s of silence/,
  );
  assert.match(
    (await failureOf(run(`trap 'exit 0' INT; sleep 1000 & wait`, { timeoutMs: 300 }))).message,
    /timeout_seconds/,
  );
});

test('one that can not start fails with provider_unreachable', async () => {
  for (const command of [['no-such-program-anywhere'], ['./missing'], ['/']]) {
    assert.is((await failureOf(runProgram(command))).code, 'provider_unreachable', command.join(' '));
  }
});

test('regular files below artifacts/ become artifacts, with their hashes; links and others do not', async () => {
  writeFileSync(join(root, 'outside.txt'), 'not an artifact');
  mkdirSync(join(root, 'folder'));
  writeFileSync(join(root, 'folder', 'inside.txt'), 'not one either');
  await run(
    `cd "$AGENTOPS_RUN_DIR/artifacts"; mkdir -p sub/deep; printf one > b.txt; printf two > sub/deep/a.txt; printf mine > output;
     ln -s ${root}/outside.txt link.txt; ln -s ${root}/folder linked; mkfifo pipe`,
  );
  const { artifacts, artifactRefs } = attempt.artifacts;
  assert.equal(Object.keys(artifacts).sort(), ['artifacts/output', 'b.txt', 'output', 'sub/deep/a.txt']);
  assert.is(artifacts['output'], '.agents/runs/job_1/attempt-1/output.log');
  assert.is(artifactRefs['b.txt']?.path, '.agents/runs/job_1/attempt-1/artifacts/b.txt');
  assert.is(artifactRefs['b.txt']?.sha256, createHash('sha256').update('one').digest('hex'));
  assert.is(artifactRefs['b.txt']?.size, 3);
  for (const name of ['link.txt', 'linked', 'pipe']) assert.match(output(), new RegExp(`"${name}" is left out`));
});

test('an artifacts folder that became a link is not followed', async () => {
  mkdirSync(join(root, 'folder'));
  writeFileSync(join(root, 'folder', 'x'), 'x');
  await run(`rm -rf "$AGENTOPS_RUN_DIR/artifacts"; ln -s ${root}/folder "$AGENTOPS_RUN_DIR/artifacts"`);
  assert.equal(Object.keys(attempt.artifacts.artifacts), ['output']);
});

test('a failed run keeps its artifacts, and its own reason', async () => {
  const failure = await failureOf(run('echo why > "$AGENTOPS_RUN_DIR/artifacts/why.txt"; exit 5'));
  assert.match(failure.message, /exit code 5/);
  assert.ok(attempt.artifacts.artifacts['why.txt']);
});

test('too many bytes of artifacts fail the job', async () => {
  const failure = await failureOf(run('head -c 2000000 /dev/zero > "$AGENTOPS_RUN_DIR/artifacts/big"'));
  assert.match(failure.message, /artifact_bytes/);
  assert.match((await failureOf(run('exit 6'))).message, /exit code 6/);
});

test('a stop fails it, whatever its exit code says', async () => {
  const running = failureOf(run(`trap 'exit 0' INT; echo ready; sleep 1000 & wait`));
  await until(() => output() === 'ready\n', 'it runs');
  attempt.stop();
  assert.match((await running).message, /was stopped with its job/);
});

test('limits.artifactFolderDepth: deeper files are left out, and that is told', async () => {
  const { artifactFolderDepth } = limits;
  const deepest = 'd/'.repeat(artifactFolderDepth - 1);
  await run(`cd "$AGENTOPS_RUN_DIR/artifacts"; mkdir -p ${deepest}d; touch ${deepest}a ${deepest}d/b`);
  assert.equal(Object.keys(attempt.artifacts.artifactRefs), [`${deepest}a`]);
  assert.match(output(), `[agentopsd: ${deepest}d/ is left out: no folder, or nested too deep]`);
});

test.run();
