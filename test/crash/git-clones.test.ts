/** Ledgers that travel: a clone does not run what its origin accepted, and what a pull brings is told, not mixed in. */
import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GitRoom, hasGit } from '../support/crash-git.js';
import { type CrashDaemon, readyWords } from '../support/crash-room.js';
import { skip } from '../support/skip.js';

const test = suite('clones');
const WORKING = { words: ['--workers', '1'] };

const rooms: GitRoom[] = [];
test.after.each(async () => {
  for (const git of rooms.splice(0)) await git.close();
});

async function origin(): Promise<GitRoom> {
  const git = await GitRoom.open();
  rooms.push(git);
  return git;
}

async function cloneOf(git: GitRoom): Promise<GitRoom> {
  const clone = await GitRoom.clone(git);
  rooms.push(clone);
  return clone;
}

async function submit(daemon: CrashDaemon, jobId: string): Promise<void> {
  const { status, body } = await daemon.submit({
    job_type: 'openclaw.snapshot',
    job_id: jobId,
    idempotency_key: jobId,
  });
  assert.is(status, 202, JSON.stringify(body));
}

async function untilCompleted(daemon: CrashDaemon, jobId: string): Promise<void> {
  await daemon.until(
    `${jobId} is completed`,
    () => jobsOf(daemon),
    (jobs) => jobs[jobId] === 'completed',
  );
}

async function jobsOf(daemon: CrashDaemon): Promise<Record<string, string>> {
  const { queue } = await daemon.tellsStatus();
  return Object.fromEntries(queue.jobs.map((job) => [job.job_id, job.status]));
}

test('a clone runs none of the jobs that came with it, while its origin goes on', async () => {
  if (!hasGit) return skip('no git');
  const here = await origin();
  const daemon = await here.room.start({ words: ['--workers', '0'] });
  for (const jobId of ['first', 'second']) await submit(daemon, jobId);
  here.commit();
  const there = await cloneOf(here);
  const cloned = await there.room.start(WORKING);
  await submit(cloned, 'own');
  await untilCompleted(cloned, 'own');
  assert.equal(await jobsOf(cloned), { first: 'queued', second: 'queued', own: 'completed' });
  const { queue } = await cloned.tellsStatus();
  const kinds = queue.jobs.map((job) => (job.attention ?? []).map((each) => each.kind).join());
  assert.equal(kinds, ['foreign', 'foreign', '']);
  assert.is((await cloned.tellsReady()).ready, true, 'jobs of others are no fault');
  await cloned.end('SIGKILL');
  assert.equal(await jobsOf(await there.room.start(WORKING)), { first: 'queued', second: 'queued', own: 'completed' });

  assert.is((await daemon.tellsReady()).ready, true);
  await daemon.end();
  const again = await here.room.start(WORKING);
  for (const jobId of ['first', 'second']) await untilCompleted(again, jobId);
});

test('a clone of running work leaves it alone', async () => {
  if (!hasGit) return skip('no git');
  const here = await origin();
  await here.room.cli.run(['init']);
  writeFileSync(
    here.room.path('.agents/config.yaml'),
    `executors: { eval.suite: { command: [${process.execPath}, -e, 'setTimeout(() => {}, 60000)'] } }\n`,
  );
  const daemon = await here.room.start({ words: ['--workers', '1', '--trust'] });
  await daemon.submit({ job_type: 'eval.suite', job_id: 'long' });
  await daemon.until(
    'it runs',
    () => jobsOf(daemon),
    (jobs) => jobs['long'] === 'running',
  );
  here.commit();
  const there = await cloneOf(here);
  const cloned = await there.room.start(WORKING);
  const before = (await cloned.tellsEvents()).events.length;
  await submit(cloned, 'own');
  await untilCompleted(cloned, 'own');
  const ofLong = (await cloned.tellsEvents()).events.slice(before).filter((event) => event.job_id === 'long');
  assert.equal(ofLong, [], 'neither claimed nor expired here');
  assert.is((await jobsOf(daemon))['long'], 'running');
  assert.is((await daemon.ask('POST', '/v1/jobs/long/cancel')).status, 202);
  // Not by SIGKILL, as the room does it: what the job runs is ended by a daemon that ends.
  await daemon.end();
});

test('a pull of another clone’s segments under a running daemon: it goes on; the next start tells two heads', async () => {
  if (!hasGit) return skip('no git');
  const here = await origin();
  const daemon = await here.room.start(WORKING);
  await submit(daemon, 'common');
  await untilCompleted(daemon, 'common');
  here.commit();
  const there = await cloneOf(here);
  const cloned = await there.room.start(WORKING);
  await submit(cloned, 'theirs');
  await untilCompleted(cloned, 'theirs');
  there.commit('theirs');
  await submit(daemon, 'ours');
  await untilCompleted(daemon, 'ours');
  here.commit('ours');
  here.run('pull', '-q', '--no-rebase', '--no-edit', there.room.root, 'main');

  await submit(daemon, 'after the pull');
  await untilCompleted(daemon, 'after the pull');
  assert.is((await daemon.tellsReady()).ready, true);
  await daemon.end('SIGKILL');

  const next = await here.room.start(WORKING);
  const ready = await next.tellsReady();
  assert.is(ready.ready, false);
  assert.is(ready.projection_status, 'degraded');
  assert.match(readyWords(ready), 'two heads');
  assert.equal(await jobsOf(next), { common: 'completed', ours: 'completed', 'after the pull': 'completed' });
  await submit(next, 'with two heads');
  const verified = await here.room.cli.run(['verify']);
  assert.is(verified.status, 1);
  assert.match(verified.stdout, 'two heads');
});

test('a pull that only goes on from ours is the ledger: what was done there is seen, and not ours', async () => {
  if (!hasGit) return skip('no git');
  const here = await origin();
  const daemon = await here.room.start(WORKING);
  await submit(daemon, 'common');
  await untilCompleted(daemon, 'common');
  await daemon.end();
  here.commit();
  const there = await cloneOf(here);
  const cloned = await there.room.start({ words: ['--workers', '0'] });
  await submit(cloned, 'theirs');
  there.commit('theirs');
  here.run('pull', '-q', there.room.root, 'main');
  const next = await here.room.start(WORKING);
  const ready = await next.tellsReady();
  assert.is(ready.ready, true, JSON.stringify(ready));
  await submit(next, 'ours');
  await untilCompleted(next, 'ours');
  assert.equal(await jobsOf(next), { common: 'completed', theirs: 'queued', ours: 'completed' });
});

test.run();
