/**
 * git under a running daemon. What it does to files that nobody writes changes nothing; where it replaces or removes the
 * ledger, nothing is acknowledged any more, all that was stays readable and is kept in the quarantine, and it is told.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { auditLedger } from '../support/crash-audit.js';
import { Chance } from '../support/crash-chance.js';
import { GitRoom, hasGit } from '../support/crash-git.js';
import { assertHonest, CrashLoad } from '../support/crash-load.js';
import { type CrashDaemon, readyWords, TOKEN } from '../support/crash-room.js';
import { skip } from '../support/skip.js';

const test = suite('git under a running daemon');
const NO_WORKERS = { words: ['--workers', '0'] };
const LANES = 4;
const LEDGER_UNSAFE = 8;
const SNAPSHOT = { job_type: 'openclaw.snapshot', job_id: 'snapshot' };

let git: GitRoom;
let load: CrashLoad;
test.before.each(async () => {
  git = await GitRoom.open();
  load = new CrashLoad(new Chance());
});
test.after.each(() => git.close());

test('add, commit, gc and another branch at the same place change nothing', async () => {
  if (!hasGit) return skip('no git');
  const daemon = await git.room.start({ words: ['--workers', '1'] });
  const lanes = load.begin(daemon, LANES);
  for (let time = 1; time <= 3; time++) {
    await more(30);
    git.commit(`commit ${time}`);
    git.run('checkout', '-q', '-b', `branch-${time}`);
    git.run('status');
    git.run('gc', '-q', '--prune=now');
  }
  await more(30);
  await lanes.stop();
  assert.equal(load.refusals, []);
  assert.is((await daemon.tellsReady()).ready, true);
  await daemon.end('SIGKILL');
  const next = await git.room.start(NO_WORKERS);
  assert.is((await next.tellsReady()).ready, true);
  await load.check(next, git.room.ledger);
  const committed = git.run('ls-files', '.agents').split('\n').slice(0, -1);
  const others = committed.filter((name) => !/^\.agents\/(daemon\/ledger\/[^/]+\.jsonl|[^/]+)$/.test(name));
  assert.equal(others, [], 'the ledger and the configuration alone are committed');
});

for (const [what, act] of [
  ['stash', () => git.run('stash')],
  ['checkout of a branch without a ledger', () => git.run('checkout', '-q', '-f', 'bare')],
] as const) {
  test(`${what}: nothing is acknowledged any more, all that was is kept, and it is told`, async () => {
    if (!hasGit) return skip('no git');
    const daemon = await git.room.start(NO_WORKERS);
    const lanes = load.begin(daemon, LANES);
    await more(30);
    git.commit();
    await more(30);
    act();
    await tellsStop(daemon);
    await lanes.stop();
    assertHonest(load.refusals);
    load.holds((await daemon.tellsEvents()).events as never);
    assert.is(await daemon.end(), LEDGER_UNSAFE);
    load.holds(git.kept());
  });
}

test('clean -fdx of a ledger that was never committed: kept, told, and lacked at the next start', async () => {
  if (!hasGit) return skip('no git');
  const daemon = await git.room.start(NO_WORKERS);
  const lanes = load.begin(daemon, LANES);
  await more(30);
  git.clean();
  await tellsStop(daemon);
  await lanes.stop();
  assertHonest(load.refusals);
  load.holds((await daemon.tellsEvents()).events as never);
  assert.is(await daemon.end(), LEDGER_UNSAFE);
  load.holds(git.kept());
  const next = await git.room.start(NO_WORKERS);
  assert.match(readyWords(await next.tellsReady()), 'which was acknowledged here, is missing');
});

test('clean -fdx of a committed ledger: the next start has everything', async () => {
  if (!hasGit) return skip('no git');
  const daemon = await git.room.start(NO_WORKERS);
  const lanes = load.begin(daemon, LANES);
  await more(30);
  git.commit();
  await more(30);
  git.clean();
  await tellsStop(daemon);
  await lanes.stop();
  assert.is(await daemon.end(), LEDGER_UNSAFE);
  await allThere();
});

for (const [what, away, back] of [
  ['stash and pop', ['stash'], ['stash', 'pop', '-q']],
  ['another branch and back', ['checkout', '-q', '-f', 'bare'], ['checkout', '-q', '-f', 'main']],
] as const) {
  test(`${what}, then a start: everything is there`, async () => {
    if (!hasGit) return skip('no git');
    const daemon = await git.room.start(NO_WORKERS);
    const lanes = load.begin(daemon, LANES);
    await more(30);
    git.commit();
    await more(30);
    await lanes.stop();
    if (away[0] === 'checkout') git.commit();
    git.run(...away);
    // Nobody asks for anything: it is found all the same.
    await tellsStop(daemon);
    git.run(...back);
    assert.is((await daemon.tellsReady()).ready, false, 'a writer that stopped stays so');
    assert.is(await daemon.end(), LEDGER_UNSAFE);
    await allThere();
  });
}

test('an older state of the ledger: told, nothing is claimed, until the loss is accepted', async () => {
  if (!hasGit) return skip('no git');
  const daemon = await git.room.start(NO_WORKERS);
  await daemon.submit(SNAPSHOT);
  git.commit();
  const lanes = load.begin(daemon, LANES);
  await more(30);
  await lanes.stop();
  git.run('checkout', '-q', '-f', 'main', '--', '.');
  await tellsStop(daemon);
  await daemon.end();
  load.holds(git.kept());

  const next = await git.room.start({ words: ['--workers', '1'] });
  const ready = await next.tellsReady();
  assert.is(ready.ready, false);
  assert.is(ready.ledger_replay_status, 'corrupt');
  assert.match(readyWords(ready), 'which was acknowledged here, is missing');
  assert.is((await next.tellsEvents()).corrupt?.length, 1);
  const verified = await git.room.cli.run(['verify']);
  assert.is(verified.status, 1);
  assert.match(verified.stdout, 'which was acknowledged here, is missing');
  assert.is((await next.submit({ job_type: 'openclaw.snapshot', job_id: 'later' })).status, 202);
  await untilStatus(next, 'later', 'completed');
  await untilStatus(next, 'snapshot', 'queued');
  await git.room.cli.json('adopted', ['adopt', '--damage'], { env: { AGENTOPSD_TOKEN: TOKEN } });
  assert.is((await next.tellsReady()).ready, true);
  await untilStatus(next, 'snapshot', 'completed');
  assert.is(await next.end(), 0);
  const last = await git.room.start(NO_WORKERS);
  assert.is((await last.tellsReady()).ready, true);
  assert.is((await git.room.cli.run(['verify'])).status, 0);
});

/** Not ready, with the reason, and what is asked for is refused. */
async function tellsStop(daemon: CrashDaemon): Promise<void> {
  const ready = await daemon.until(
    'it is told that the writer stopped',
    () => daemon.tellsReady(),
    (told) => !told.ready,
  );
  assert.match(readyWords(ready), /the ledger is not being written: .*(removed|replaced|gone|long)/);
  assertHonest([await daemon.submit({ job_type: 'eval.suite' })]);
}

async function allThere(): Promise<void> {
  const next = await git.room.start(NO_WORKERS);
  const ready = await next.tellsReady();
  assert.is(ready.ready, true, JSON.stringify(ready));
  await load.check(next, git.room.ledger);
  assert.is(await next.end(), 0);
  load.holds(auditLedger(git.room.ledger));
  assert.is((await git.room.cli.run(['verify'])).status, 0);
}

async function untilStatus(daemon: CrashDaemon, jobId: string, status: string): Promise<void> {
  await daemon.until(
    `${jobId} is ${status}`,
    async () => (await daemon.tellsStatus()).queue.jobs.find((job) => job.job_id === jobId)?.status,
    (found) => found === status,
  );
}

/** Waits until so many more jobs are acknowledged. */
async function more(jobs: number): Promise<void> {
  const wanted = load.promised + jobs;
  const end = performance.now() + 15_000;
  while (load.promised < wanted) {
    if (performance.now() > end) throw new Error('the load never got that far');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test.run();
