/** A repository whose committed ledger holds queued and running jobs, cloned: nothing of it runs before it is taken over. */
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';

const clone = suite('clone');
const execute = promisify(execFile);
const folders: DaemonFolder[] = [];

clone.after.each(async () => {
  for (const folder of folders.splice(0)) await folder.close();
});

const executors = `queue: { lease_seconds: 1, heartbeat_seconds: 0.25, cancel_grace_seconds: 0.5 }
executors:
  eval.suite: { command: [sh, -c, 'echo "$AGENTOPS_JOB_ID" >> "$RUNS"; [ "$AGENTOPS_JOB_ID" != long ] || [ "$AGENTOPS_ATTEMPT" != 1 ] || sleep 300'], env: [RUNS] }
`;

async function git(cwd: string, ...words: string[]): Promise<void> {
  const identity = ['-c', 'user.name=n', '-c', 'user.email=n@example.org', '-c', 'commit.gpgsign=false'];
  await execute('git', [...identity, ...words], { cwd });
}

/** Its ledger: `long` runs, `waits` is queued, `ended` has ended; the daemon was killed. Then a clone of it. */
async function cloned(): Promise<DaemonFolder> {
  const origin = await DaemonFolder.make(executors);
  folders.push(origin);
  origin.environment['RUNS'] = path.join(path.dirname(origin.root), 'runs');
  const running = await origin.startProcess({ workers: 1 });
  await origin.submit('eval.suite', {}, { job_id: 'ended' });
  await origin.untilStatus('ended', 'completed');
  await origin.submit('eval.suite', {}, { job_id: 'long' });
  await origin.untilStatus('long', 'running');
  await origin.submit('eval.suite', {}, { job_id: 'waits', idempotency_key: 'key-of-theirs' });
  running.process.kill('SIGKILL');
  await running.exited;
  await git(origin.root, 'init', '-q');
  await git(origin.root, 'add', '-f', '.agents/config.yaml', '.agents/daemon/ledger');
  await git(origin.root, 'commit', '-q', '-m', 'what was done');
  const target = await DaemonFolder.make('');
  folders.push(target);
  await fs.rm(target.root, { recursive: true });
  await git(origin.root, 'clone', '-q', origin.root, target.root);
  target.environment['RUNS'] = path.join(path.dirname(target.root), 'runs');
  // The first one ends its own leftovers.
  await (await origin.startHere({ workers: 0 })).stop();
  return target;
}
const runsOf = async (target: DaemonFolder): Promise<string[]> =>
  (await fs.readFile(target.environment['RUNS'] ?? '', 'utf8').catch(() => '')).split('\n').filter(Boolean);

clone('runs nothing that was accepted elsewhere and expires no lease of it, until each is adopted', async () => {
  const target = await cloned();
  await target.startHere({ workers: 2 });
  const own = await target.submit('eval.suite');
  await target.untilStatus(own, 'completed');
  // Longer than the lease that came with the clone, and several looks of whoever expires leases.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(await runsOf(target), [own]);
  for (const id of ['long', 'waits']) {
    const job = await target.job(id);
    assert.is(job.attention?.[0]?.kind, 'foreign', JSON.stringify(job));
    assert.not((await target.events(id)).some((event) => event.event_type === 'job.lease_expired'));
  }
  assert.is((await target.job('waits')).status, 'queued');
  assert.ok((await target.ready()).warnings?.some((warning) => /2 jobs were accepted elsewhere.*adopt/.test(warning)));

  const same = await target.post('/v1/jobs', { job_type: 'eval.suite', idempotency_key: 'key-of-theirs' });
  assert.not.equal(same.body['job_id'], 'waits', 'a key of somebody else never matches');
  await target.untilStatus(same.body['job_id'] as string, 'completed');

  const adopted = await target.post('/v1/adopt', { job_ids: ['waits', 'long'] });
  assert.is(adopted.status, 202, JSON.stringify(adopted.body));
  await target.untilStatus('waits', 'completed');
  const long = await target.untilStatus('long', 'completed');
  assert.is(long.attempt, 2);
  assert.is(long.lease_epoch, 2);
  const counted = (await runsOf(target)).filter((id) => id === 'waits' || id === 'long').sort();
  assert.equal(counted, ['long', 'waits'], 'each once');
});

clone('its commands run only after they were trusted, and that is asked once', async () => {
  const target = await cloned();
  const untrusted = await target.startHere({ workers: 1, trust: false });
  const own = await target.submit('eval.suite');
  const waiting = await target.job(own);
  assert.is(waiting.status, 'queued');
  assert.match(waiting.attention?.[0]?.message ?? '', /not trusted.*agentopsd trust/);
  const builtin = await target.untilStatus(await target.submit('openclaw.snapshot'), 'completed');
  assert.is(builtin.attempt, 1, 'built-in workers run all the same');
  await untrusted.stop();
  await (await target.startHere({ workers: 0, trust: true })).stop();
  await target.startHere({ workers: 1, trust: false });
  await target.untilStatus(own, 'completed');
  assert.equal(await runsOf(target), [own]);
});

clone.run();
