import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { factoryLimits } from '../../workers/factory/limits.js';
import { createBench } from '../support/builtin-context.js';
import {
  type AdmissionFile,
  admission,
  artifact,
  assertRejected,
  type FactoryRoom,
  openFactoryRoom,
} from '../support/factory-room.js';

const test = suite<FactoryRoom>('factory.admission');
test.before.each(openFactoryRoom);
test.after.each(({ bench }) => bench.remove());

const codes = ({ blockers }: AdmissionFile): string[] => blockers.map(({ code }) => code);
const verdictOf = ({ checks }: AdmissionFile, name: string) => checks.find(({ check }) => check === name)?.verdict;

test('an order that nothing stands against is admitted, and recorded once', async (room) => {
  const decided = await admission(room, { goal: 'x', base_sha: room.base, paths: ['src'] }, { run_id: 'run 7' });
  assert.is(decided.allowed, true);
  assert.equal(
    decided.checks.map(({ check, verdict }) => [check, verdict]),
    [
      ['base', 'pass'],
      ['tree', 'pass'],
      ['window', 'not_asked'],
      ['overlap', 'pass'],
      ['ci', 'not_asked'],
    ],
  );
  assert.equal(artifact(room, 'blockers.json'), { schema_version: 1, run_id: 'run 7', blockers: [] });
  const order = artifact(room, 'work_order.json') as Record<string, unknown>;
  assert.equal([order['id'], order['base_sha'], order['base_ref']], ['job-1', room.base, 'HEAD']);
  const recorded = room.bench.kernel?.recorded() as { event_type: string; payload: AdmissionFile }[] | undefined;
  assert.equal(
    recorded?.map(({ event_type, payload }) => [event_type, payload.allowed]),
    [['factory.admission_decided', true]],
  );
});

test('without a base the order starts where the branch stands now', async (room) => {
  assert.is((await admission(room, { id: 'o' })).base_sha, room.base);
});

test('a base that the repository has not, that is no commit, or of another line', async (room) => {
  const blob = room.git.run('rev-parse', 'HEAD:src/a.txt');
  for (const base_sha of ['0'.repeat(40), 'f'.repeat(64), blob])
    assert.equal(codes(await admission(room, { base_sha })), ['base_unknown']);
  room.git.run('tag', '-a', '-m', 'tag', 'v1');
  const tag = room.git.run('rev-parse', 'refs/tags/v1');
  assert.equal(codes(await admission(room, { base_sha: tag })), ['base_unknown']);
  room.git.run('checkout', '-q', '--orphan', 'other');
  room.git.commit('of another line');
  assert.equal(codes(await admission(room, { base_sha: room.base })), ['base_diverged']);
  assert.is((await admission(room, { base_sha: room.base.toUpperCase(), base_ref: 'main' })).allowed, true);
  assert.equal(codes(await admission(room, { base_ref: 'gone' })), ['ref_unknown']);
});

test('a base that the branch has left behind, by more than the window allows', async (room) => {
  room.git.commit('second');
  room.git.commit('third');
  const order = { base_sha: room.base };
  const denied = await admission(room, { ...order, window: { max_commits_behind: 1 } });
  assert.equal(codes(denied), ['base_behind']);
  assert.match(denied.blockers[0]?.message ?? '', /2 commits behind HEAD/);
  assert.equal(codes(await admission(room, order)), ['base_behind']);
  assert.is((await admission(room, { ...order, window: { max_commits_behind: 2 } })).allowed, true);
});

test('no replacement of git can pass for the base', async (room) => {
  const second = room.git.commit('second');
  room.git.run('replace', room.base, second);
  assert.equal(codes(await admission(room, { base_sha: room.base })), ['base_behind']);
});

test('changes that are not committed, and files that are not tracked, whatever they are called', async (room) => {
  room.bench.put('src/a.txt', 'two\n');
  room.bench.put('new\nfile\r', 'x');
  const denied = await admission(room, {});
  assert.equal(codes(denied), ['tree_dirty']);
  assert.equal(denied.blockers[0]?.paths, ['src/a.txt', 'new\nfile\r']);
  assert.not.match(denied.blockers[0]?.message ?? '', '\n');
  const allowed = await admission(room, { allow_dirty: true });
  assert.equal([allowed.allowed, verdictOf(allowed, 'tree')], [true, 'not_asked']);
});

test("the daemon's own folders are no dirt, what stands beside them is", async (room) => {
  room.bench.put('.agents/daemon/ledger/000001-a.jsonl', '{}\n');
  room.bench.put('.agents/inbox/new/job.json', '{}\n');
  assert.is((await admission(room, {})).allowed, true);
  room.bench.put('.agents/config.yaml', '{}\n');
  assert.equal(codes(await admission(room, {})), ['tree_dirty']);
});

test('a huge tree that is not tracked is dirt, and not read to its end', async (room) => {
  const folder = join(room.bench.root, 'src');
  const name = 'n'.repeat(200);
  for (let at = 0; at < factoryLimits.listingBytes / 200 + 100; at++) writeFileSync(join(folder, `${name}${at}`), '');
  const denied = await admission(room, {});
  assert.equal(codes(denied), ['tree_dirty']);
  assert.match(denied.blockers[0]?.message ?? '', /^more than \d+ paths/);
  assert.is(denied.blockers[0]?.paths?.length, factoryLimits.toldPaths);
});

test('a window', async (room) => {
  const past = '2020-01-01T00:00:00Z';
  const future = '2999-01-01T00:00:00+01:00';
  assert.is((await admission(room, { window: { not_before: past, not_after: future } })).allowed, true);
  assert.equal(codes(await admission(room, { window: { not_before: future } })), ['window_not_open']);
  assert.equal(codes(await admission(room, { window: { not_after: past } })), ['window_closed']);
});

test('an empty repository has nothing to start from', async (room) => {
  rmSync(join(room.bench.root, '.git'), { recursive: true });
  room.git.run('init', '-q', '-b', 'main');
  assert.equal(codes(await admission(room, { base_sha: room.base, allow_dirty: true })), ['no_commits']);
});

test('an order from a file', async (room) => {
  room.bench.put('orders/1.json', JSON.stringify({ id: 'from a file', paths: ['src'] }));
  room.git.commit('an order');
  assert.is((await admission(room, 'orders/1.json')).allowed, true);
  assert.is((artifact(room, 'work_order.json') as { id: string }).id, 'from a file');
});

test('a worktree of another repository is a root too', async (room) => {
  const linked = join(dirname(room.bench.root), 'linked');
  room.git.run('worktree', 'add', '-q', '-b', 'linked', linked);
  const here: FactoryRoom = { ...room, bench: createBench(linked) };
  here.bench.startsProcesses = true;
  here.bench.kernel = room.bench.kernel;
  const decided = await admission(here, {});
  assert.is(decided.base_sha, room.base);
});

test('a root that is no repository, has its tree elsewhere, or is bare', async (room) => {
  const config = join(room.bench.root, '.git/config');
  room.git.run('config', 'core.worktree', dirname(room.bench.root));
  await assertRejected(admission(room, {}), /has its tree elsewhere \(core\.worktree\)/);
  writeFileSync(config, '[core]\nbare = true\nrepositoryformatversion = 0\n');
  await assertRejected(admission(room, {}), /must be run in a work tree/);
  writeFileSync(config, 'no configuration');
  await assertRejected(admission(room, {}), /bad config/);
  rmSync(join(room.bench.root, '.git'), { recursive: true });
  await assertRejected(admission(room, {}), /the root is no git repository.*not a git repository/);
  assert.equal(room.bench.kernel?.recorded(), []);
});

test.run();
