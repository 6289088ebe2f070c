/**
 * A daemon that is killed after a factory job handed its order on and before that job ended: the next daemon ends it, and
 * there is one decision and one run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LedgerEvent } from '../../lib/model/event.js';
import { DaemonFolder } from '../support/daemon.js';
import { GitRepository } from '../support/git-repository.js';

interface Room {
  folder: DaemonFolder;
  git: GitRepository;
}
const test = suite<Room>('factory, with the daemon killed');
const TRIES = 10;
const DEADLINE_MS = 20_000;
const CONFIGURATION = `
executors: { rpi.run: off }
allow_payload_commands: true
queue: { lease_seconds: 2, heartbeat_seconds: 1, max_attempts: 5 }
`;

test.before.each(async (room) => {
  room.folder = await DaemonFolder.make(CONFIGURATION);
  room.git = GitRepository.init(room.folder.root);
  room.git.run('commit', '-q', '--allow-empty', '-m', 'first');
});
test.after.each(({ folder }) => folder.close());

const order = { goal: 'it works', allow_dirty: true, paths: ['src'] };

/** The ledger as it stands in the files: what is not whole yet is left out. */
function eventsIn(folder: DaemonFolder): LedgerEvent[] {
  const ledger = folder.path('.agents/daemon/ledger');
  const lines = readdirSync(ledger).flatMap((name) =>
    readFileSync(`${ledger}/${name}`, 'utf8').split('\n').slice(0, -1),
  );
  return lines.map((line) => JSON.parse(line) as LedgerEvent).filter(({ event_id }) => event_id !== undefined);
}

async function untilSeen(folder: DaemonFolder, seen: (events: LedgerEvent[]) => boolean): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!seen(eventsIn(folder))) {
    if (performance.now() > end) throw new Error('not seen in the ledger in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const isChild = ({ event_type, payload }: LedgerEvent): boolean =>
  event_type === 'job.accepted' && payload?.['job_type'] === 'rpi.run';

test('between the hand-off and the end of the job', async ({ folder }) => {
  for (let tried = 0; tried < TRIES; tried++) {
    const daemon = await folder.startProcess();
    const paths = [`src/${tried}`];
    const parent = await folder.submit('factory.admission', { work_order: { ...order, paths }, handoff: true });
    await untilSeen(folder, (events) => events.filter(isChild).length > tried);
    daemon.process.kill('SIGKILL');
    await daemon.exited;
    const cutShort = !eventsIn(folder).some(
      ({ event_type, job_id }) => event_type === 'job.completed' && job_id === parent,
    );
    const next = await folder.startProcess();
    const ended = await folder.untilStatus(parent, 'completed', DEADLINE_MS);
    const events = await folder.events();
    assert.is(events.filter(isChild).length, tried + 1);
    const decided = events.filter(({ event_type }) => event_type === 'factory.admission_decided');
    assert.is(decided.length, tried + 1);
    assert.is(ended.attempt, cutShort ? 2 : 1);
    const admission = JSON.parse(await folder.read(ended.artifacts?.['admission.json'] ?? '')) as {
      allowed: boolean;
      handoff: { job_id: string };
    };
    assert.is(admission.allowed, true);
    assert.is(admission.handoff.job_id, events.filter(isChild).at(-1)?.job_id);
    next.process.kill('SIGKILL');
    await next.exited;
    if (cutShort) return;
  }
  throw new Error(`in ${TRIES} tries the job always ended before the kill`);
});

test('in the midst of a pilot: its worktree is gone after the next attempt', async ({ folder, git }) => {
  const daemon = await folder.startProcess();
  const once = folder.path('../once');
  const commands = [`mkdir -p src; echo x > src/new.txt; test -e ${once} && exit 0; touch ${once}; sleep 300`];
  const job = await folder.submit('factory.local-pilot', { work_order: { ...order, commands } });
  // Git can't list what another git is just making: first its command runs, then the worktree is there.
  await folder.until(
    async () => readdirSync(folder.path('..')),
    (names) => names.includes('once'),
    'its command runs',
  );
  daemon.process.kill('SIGKILL');
  await daemon.exited;
  assert.is(git.worktrees().length, 2);
  await folder.startProcess();
  const ended = await folder.untilStatus(job, 'completed', DEADLINE_MS);
  assert.is(ended.attempt, 2);
  assert.match(await folder.read(ended.artifacts?.['diff.patch'] ?? ''), '+x');
  assert.equal(git.worktrees(), [folder.root]);
});

test('two orders that touch the same, handed in together: one goes ahead', async ({ folder }) => {
  await folder.startHere({ workers: 2 });
  const jobs = await Promise.all(
    ['one', 'other'].map((id) => folder.submit('factory.admission', { work_order: { ...order, id }, handoff: true })),
  );
  for (const job of jobs) await folder.untilStatus(job, 'completed');
  const events = await folder.events();
  assert.is(events.filter(isChild).length, 1);
  const decided = events.filter(({ event_type }) => event_type === 'factory.admission_decided');
  assert.equal(decided.map(({ payload }) => payload?.['allowed']).sort(), [false, true]);
});

test.run();
