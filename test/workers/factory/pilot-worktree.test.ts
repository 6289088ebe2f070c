import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuiltinContext } from '../../../workers/builtin-context.js';
import { makePilotPlace, sweepPilots } from '../../../workers/factory/pilot-worktree.js';
import { openRepository } from '../../../workers/kit/repository.js';
import { createBench } from '../../support/builtin-context.js';
import {
  assertNoPilotLeft,
  assertRejected,
  type FactoryRoom,
  openFactoryRoom,
  pilot,
} from '../../support/factory-room.js';

interface Room extends FactoryRoom {
  /** A context for the first attempt of a job, `job-1` to `job-4`. */
  contextOf(jobId: string): BuiltinContext;
}
const test = suite<Room>('worktrees of pilots');
test.before.each(async (room) => {
  openFactoryRoom(room);
  const contexts = new Map<string, BuiltinContext>();
  const bench = createBench(room.bench.root);
  bench.startsProcesses = true;
  for (let at = 1; at <= 4; at++)
    await bench.run((job, context) => void contexts.set(job.job_id, context), 'factory.local-pilot', {});
  room.contextOf = (jobId) => contexts.get(jobId) as BuiltinContext;
});
test.after.each((room) => {
  assertNoPilotLeft(room);
  room.bench.remove();
});

test('what killed attempts left is removed by the next, what others still need is not', async (room) => {
  const { bench, git, base, contextOf } = room;
  const repository = await openRepository(contextOf('job-1'));
  for (const id of ['job-1', 'job-2', 'job-3'])
    await makePilotPlace({ job_id: id, attempt: 1 }, base, repository, contextOf(id));
  // As a kill in the midst of its making leaves it.
  const names = readdirSync(join(bench.root, '.git/worktrees')).sort();
  rmSync(join(bench.root, '.git/worktrees', names[0] ?? '', 'gitdir'));
  writeFileSync(join(bench.root, '.git/worktrees', names[0] ?? '', 'locked'), 'initializing');
  git.run('worktree', 'add', '-q', '--detach', join(dirname(bench.root), 'mine'));
  const outside = join(dirname(bench.root), 'outside');
  mkdirSync(join(outside, 'pilot'), { recursive: true });
  symlinkSync(outside, join(bench.root, '.agents/runs/job-4/attempt-7'));
  bench.openOrders = [
    { job_id: 'job-2', job_type: 'factory.local-pilot', earlier: true, handsOn: false, work_order: {} },
  ];
  await sweepPilots(repository, { ...contextOf('job-4'), openOrders: async () => bench.openOrders });
  assert.is(git.worktrees().length, 3);
  assert.ok(existsSync(join(bench.root, '.agents/runs/job-2/attempt-1/pilot')));
  for (const id of ['job-1', 'job-3'])
    assert.not(existsSync(join(bench.root, '.agents/runs', id, 'attempt-1/pilot')), id);
  assert.ok(existsSync(join(outside, 'pilot')));
  await sweepPilots(repository, { ...contextOf('job-4'), openOrders: async () => [] });
  git.run('worktree', 'remove', join(dirname(bench.root), 'mine'));
});

test('a repository of SHA-256, and one that is checked out in part, are tried as a whole', async (room) => {
  const { bench, git } = room;
  git.run('sparse-checkout', 'set', '--no-cone', 'docs');
  bench.allowPayloadCommands = true;
  const order = { allow_dirty: true, commands: ['echo two > src/a.txt'] };
  const changed = async () => (await pilot(room, order)).diff.changes;
  assert.equal(await changed(), [{ path: 'src/a.txt', status: 'changed' }]);
  rmSync(join(bench.root, '.git'), { recursive: true });
  git.run('init', '-q', '-b', 'main', '--object-format=sha256');
  bench.put('src/a.txt', 'one\n');
  git.commit();
  assert.equal(await changed(), [{ path: 'src/a.txt', status: 'changed' }]);
});

test('a folder for worktrees that is a link is refused, and nothing written through it', async (room) => {
  const elsewhere = join(dirname(room.bench.root), 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(room.bench.root, '.git/worktrees'));
  const context = room.contextOf('job-1');
  const repository = await openRepository(context);
  await assertRejected(
    makePilotPlace({ job_id: 'job-1', attempt: 1 }, room.base, repository, context),
    /is a link or a file/,
  );
  assert.equal(readdirSync(elsewhere), []);
  rmSync(join(room.bench.root, '.git/worktrees'));
});

test.run();
