/** The eval workers in a daemon's threads: an agent CLI, a pattern without end, a cancellation, and what is not allowed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { QueueJob } from '../../lib/model/job-views.js';
import type { SuiteReport } from '../../workers/eval/report.js';
import { DaemonFolder } from '../support/daemon.js';
import { SUITE } from '../support/eval-bench.js';
import { fakeAgentCommand } from '../support/fake-agent-cli.js';

const test = suite<{ folder: DaemonFolder }>('eval workers in a daemon');

test.before.each(async (context) => {
  context.folder = await DaemonFolder.make();
});
test.after.each(({ folder }) => folder.close());

async function start(folder: DaemonFolder, configuration: object): Promise<void> {
  await folder.configure(JSON.stringify({ workers: 1, ...configuration }));
  await folder.startHere();
}

function putSuite(folder: DaemonFolder, cases: readonly object[]): void {
  mkdirSync(folder.path('evals'), { recursive: true });
  writeFileSync(folder.path(SUITE), JSON.stringify({ cases }));
}

async function ended(folder: DaemonFolder, jobId: string): Promise<QueueJob> {
  const states = ['completed', 'failed', 'cancelled'];
  return folder.until(
    () => folder.job(jobId),
    ({ status }) => states.includes(status),
    jobId,
    60_000,
  );
}

function reportOf(folder: DaemonFolder, job: QueueJob): SuiteReport {
  assert.is(job.status, 'completed', JSON.stringify(job.failure));
  return JSON.parse(readFileSync(folder.path(job.artifacts?.['run.json'] ?? ''), 'utf8')) as SuiteReport;
}

test('an agent CLI works in the copies, and leaves its transcript', async ({ folder }) => {
  const claude = { command: fakeAgentCommand('claude') };
  await start(folder, { executors: { 'eval.suite': { agent: 'claude' } }, agents: { claude } });
  const expect = { stdout: { contains: 'in the copy' }, files: { 'todo.md': { equals: 'todo\nedited\n' } } };
  writeFileSync(folder.path('todo.md'), 'todo\n');
  putSuite(folder, [
    { id: 'edits', files: ['todo.md'], prompt: '[[edit todo.md]] [[say in the copy]]', expect },
    { id: 'is refused', prompt: '[[denied rm -rf]]', expect: { exit_code: 0 } },
  ]);
  const job = await ended(folder, await folder.submit('eval.suite', { suite_path: SUITE }));
  const report = reportOf(folder, job);
  assert.equal(
    report.cases.map(({ id, verdict, agent }) => [id, verdict, agent?.cost_usd]),
    [
      ['edits', 'pass', 0.25],
      ['is refused', 'fail', 0.25],
    ],
  );
  assert.is(readFileSync(folder.path('todo.md'), 'utf8'), 'todo\n');
  const transcript = job.artifacts?.['case-1/try-1/transcript.jsonl'] ?? '';
  assert.match(readFileSync(folder.path(transcript), 'utf8'), 'in the copy');
});

test('a pattern without end costs its check, not the thread', async ({ folder }) => {
  await start(folder, { allow_payload_commands: true });
  const command = ['printf', `${'a'.repeat(40)}b`];
  putSuite(folder, [{ id: 'evil', command, expect: { stdout: { matches: '^(a+)+$' } } }]);
  const job = await ended(folder, await folder.submit('eval.suite', { suite_path: SUITE }));
  assert.match(reportOf(folder, job).cases[0]?.attempts[0]?.expectations[1]?.observed ?? '', 'not done after 500 ms');
  assert.is(job.attempt, 1);
});

test('a suite that is cancelled ends its case and leaves no copy', async ({ folder }) => {
  // After the grace a thread that is still busy is ended as it is, which a slow machine must not come to.
  await start(folder, { allow_payload_commands: true, queue: { cancel_grace_seconds: 50 } });
  const pidFile = folder.path('pid');
  // The shell becomes the program: one that begins it as a child loses an interrupt that comes in that very moment.
  const command = ['sh', '-c', `echo $$ > ${pidFile}; exec sleep 600`];
  putSuite(folder, [{ id: 'waits', command, expect: { exit_code: 0 } }]);
  const jobId = await folder.submit('eval.suite', { suite_path: SUITE });
  await folder.until(async () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', Boolean, 'the case runs');
  await folder.post(`/v1/jobs/${jobId}/cancel`, {});
  assert.is((await ended(folder, jobId)).status, 'cancelled');
  const runs = folder.path('.agents/runs', jobId, 'attempt-1');
  await folder.until(
    async () => existsSync(`${runs}/copies`),
    (left) => !left,
    'the copy is gone',
    60_000,
  );
  const pid = Number(readFileSync(pidFile, 'utf8'));
  await folder.until(
    async () => isThere(pid),
    (alive) => !alive,
    'the process is gone',
    60_000,
  );
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/^\d+ \(.*\) Z/s.test(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : '');
}

test('what the configuration does not allow fails, and nothing has run', async ({ folder }) => {
  await start(folder, {});
  putSuite(folder, [{ id: 'a', command: ['touch', folder.path('proof')], expect: { exit_code: 0 } }]);
  for (const [type, payload] of [
    ['eval.suite', { suite: SUITE }],
    ['eval.skill-delta', { suite: SUITE, skill: 'x' }],
  ] as const) {
    const job = await ended(folder, await folder.submit(type, payload));
    assert.equal([job.status, job.failure?.code], ['failed', 'request_rejected']);
    assert.match(
      job.failure?.message ?? '',
      'cases[0].command: commands of a suite run only with allow_payload_commands',
    );
  }
  assert.not.ok(existsSync(folder.path('proof')));
});

test.run();
