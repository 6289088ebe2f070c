/** A repository can deliver configuration that runs programs. None of it runs. */
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpawnResult } from '../../../workers/context.js';
import { type GitContext, git, gitLimits } from '../../../workers/kit/git.js';
import { pathsOf, unquotedPath } from '../../../workers/kit/git-paths.js';
import { createSpawn } from '../../../workers/process/spawn.js';
import { createBench, type WorkerBench } from '../../support/builtin-context.js';
import { GitRepository } from '../../support/git-repository.js';

interface Room {
  bench: WorkerBench;
  repository: GitRepository;
  base: string;
  context: GitContext;
  stopping: AbortController;
  /** A program that leaves a file when it runs; what it is given it hands on. */
  trap: string;
  sprung(): boolean;
}
const test = suite<Room>('git');

test.before.each((room) => {
  room.bench = createBench();
  const { root } = room.bench;
  room.repository = GitRepository.init(root);
  room.bench.put('a.txt', 'one\n');
  room.base = room.repository.commit();
  room.stopping = new AbortController();
  room.context = contextOf(root, room.stopping.signal);
  room.trap = join(dirname(root), 'trap');
  const mark = join(dirname(root), 'sprung');
  writeFileSync(room.trap, `#!/bin/sh\ntouch '${mark}'\nexec cat\n`);
  chmodSync(room.trap, 0o755);
  room.sprung = () => existsSync(mark);
});
test.after.each(({ bench }) => bench.remove());

function contextOf(root: string, signal: AbortSignal, source: NodeJS.ProcessEnv = process.env): GitContext {
  const job = {
    job_id: 'j',
    job_type: 'factory.admission',
    request_id: 'r',
    attempt: 1,
    max_attempts: 1,
    payload: {},
  } as const;
  const spawn = createSpawn({
    task: {
      job,
      claim: { claim_token: 'c', lease_epoch: 1, marker: `git-test-${process.pid}` },
      root,
      runDir: join(root, 'run'),
      limits: { outputBytes: 1_000_000, artifactBytes: 1_000_000, cancelGraceMs: 1000, memoryMb: 512 },
    },
    output: { write: () => {} },
    signal,
    post: () => {},
    source,
  });
  return { root, signal, spawn };
}

test('neither hooks nor monitors, filters or drivers of the repository run', async (room) => {
  const { context, repository, bench, trap } = room;
  bench.put('.gitattributes', '* filter=evil diff=evil merge=evil\n*.bin filter=two\n');
  repository.commit('attributes');
  for (const hook of ['post-checkout', 'post-index-change', 'reference-transaction', 'pre-commit'])
    writeFileSync(join(bench.root, '.git/hooks', hook), `#!/bin/sh\n${trap} </dev/null\n`, { mode: 0o755 });
  mkdirSync(join(bench.root, 'hooks'));
  const settings: [string, string][] = [
    ['core.fsmonitor', trap],
    ['core.fsmonitorHookVersion', '2'],
    ['core.hooksPath', join(bench.root, '.git/hooks')],
    ['core.sshCommand', trap],
    ['core.pager', trap],
    ['core.editor', trap],
    ['pager.status', trap],
    ['diff.external', trap],
    ['diff.evil.command', trap],
    ['diff.evil.textconv', trap],
    ['merge.evil.driver', trap],
    ['filter.evil.clean', trap],
    ['filter.evil.smudge', trap],
    ['filter.evil.process', trap],
    ['filter.evil.required', 'true'],
    ['filter.two.clean', trap],
    ['filter.a\u2028b.clean', trap],
    ['alias.status', `!${trap}`],
  ];
  for (const [name, value] of settings) repository.run('config', name, value);
  repository.run('config', '--file', join(bench.root, '.git/more'), 'filter.evil.clean', trap);
  repository.run('config', 'include.path', 'more');
  bench.put('.gitattributes', '* filter=evil diff=evil\n*.bin filter=two\n*.cr filter=a\u2028b\n');
  for (const name of ['a.txt', 'b.bin', 'c.cr']) bench.put(name, 'changed\n');
  const tree = join(bench.root, '.git/tree');
  for (const args of [
    ['status', '--porcelain=v1', '--untracked-files=all'],
    ['add', '--all', '--', '.'],
    ['diff', '--cached', room.base],
    ['diff-index', '--patch', room.base],
    ['worktree', 'add', '--quiet', '--detach', tree, room.base],
  ]) {
    const answer = await git(context, args);
    assert.is(answer.exitCode, 0, `${args[0]}: ${answer.complaint}`);
    assert.not.ok(room.sprung(), args[0]);
  }
  // The trap works where nobody looks after it.
  assert.throws(() => repository.run('hash-object', '--path', 'z.txt', 'a.txt'));
  assert.ok(room.sprung());
});

test('a submodule is not asked what it thinks of itself', async (room) => {
  const { bench, repository, context, trap } = room;
  const inner = join(bench.root, 'inner');
  mkdirSync(inner);
  const sub = GitRepository.init(inner);
  bench.put('inner/b.txt', 'b\n');
  sub.commit();
  writeFileSync(join(bench.root, '.gitmodules'), '[submodule "inner"]\npath = inner\nurl = ./inner\nignore = none\n');
  repository.commit('with a submodule');
  repository.run('config', 'submodule.inner.ignore', 'none');
  repository.run('config', 'status.submoduleSummary', 'true');
  sub.run('config', 'core.fsmonitor', trap);
  sub.run('config', 'core.pager', trap);
  bench.put('inner/b.txt', 'changed\n');
  const { exitCode } = await git(context, ['status', '--porcelain=v1', '--ignore-submodules=dirty']);
  assert.equal([exitCode, room.sprung()], [0, false]);
});

test('what is printed is kept byte for byte up to a limit', async ({ context, bench, repository }) => {
  const bytes = Buffer.from([0x61, 0x0d, 0x0a, 0x00, 0xff, 0x0a]);
  bench.put('raw', bytes);
  repository.commit();
  const answer = await git(context, ['cat-file', 'blob', 'HEAD:raw']);
  assert.equal([...answer.bytes], [...bytes]);
  const cut = await git(context, ['cat-file', 'blob', 'HEAD:raw'], { outputBytes: 3, cut: true });
  assert.equal([[...cut.bytes], cut.cut, cut.exitCode], [[0x61, 0x0d, 0x0a], true, 0]);
  const exactly = await git(context, ['cat-file', 'blob', 'HEAD:raw'], { outputBytes: bytes.length });
  assert.is(exactly.cut, false);
  await rejects(
    git(context, ['cat-file', 'blob', 'HEAD:raw'], { outputBytes: 3 }),
    'git cat-file prints more than 3 bytes',
  );
});

test('what it complains about is told in one line', async ({ context }) => {
  const { exitCode, complaint } = await git(context, ['cat-file', 'blob', 'HEAD:gone\u001b[31m\nand']);
  assert.is(exitCode, 128);
  assert.ok(complaint !== '' && complaint.length <= gitLimits.complaintCharacters);
  assert.not.match(complaint, /[\u0000-\u001f]/);
});

/** A git that prints so much, or is ended. */
function played(bytes: number, end: Partial<SpawnResult>, asked: object[] = []): GitContext {
  const spawn: GitContext['spawn'] = async (_program, _args, options = {}) => {
    asked.push(options);
    options.onOutput?.(Buffer.alloc(bytes, 'x'));
    return { exitCode: 0, signal: undefined, stopped: undefined, ...end };
  };
  return { spawn, signal: new AbortController().signal, root: '/' };
}

test('gitLimits.outputBytes: a call that prints more fails the job', async () => {
  const { outputBytes } = gitLimits;
  assert.is((await git(played(outputBytes, {}), ['rev-list'])).bytes.length, outputBytes);
  await rejects(git(played(outputBytes + 1, {}), ['rev-list']), `git rev-list prints more than ${outputBytes} bytes`);
});

test('gitLimits.timeoutMs: a call gets so long', async () => {
  const { timeoutMs } = gitLimits;
  const asked: { timeoutMs?: number; idleMs?: number }[] = [];
  const running = git(played(0, { stopped: 'timeout' }, asked), ['rev-list']);
  await rejects(running, `git rev-list took longer than ${timeoutMs} ms`);
  assert.equal([asked[0]?.timeoutMs, asked[0]?.idleMs], [timeoutMs, timeoutMs]);
});

test('objects and index can stand beside the repository', async ({ context, bench, repository, base }) => {
  const beside = join(dirname(bench.root), 'be"side:');
  mkdirSync(join(beside, 'objects'), { recursive: true });
  bench.put('a.txt', 'two\n');
  const before = readdirSync(join(bench.root, '.git/objects')).sort();
  const options = {
    indexFile: join(beside, 'index'),
    gitFolder: join(bench.root, '.git'),
    newObjects: { folder: join(beside, 'objects'), beside: join(bench.root, '.git/objects') },
  };
  for (const args of [
    ['read-tree', base],
    ['add', '--all'],
  ])
    assert.is((await git(context, args, options)).exitCode, 0);
  const { stdout } = await git(context, ['diff-index', '--cached', '--name-status', base], options);
  assert.is(stdout, 'M\ta.txt\n');
  assert.equal(readdirSync(join(bench.root, '.git/objects')).sort(), before);
  assert.is(repository.run('status', '--porcelain'), 'M a.txt');
});

test('no git at all, and no repository', async ({ bench, stopping, context }) => {
  const without = contextOf(bench.root, stopping.signal, { PATH: join(bench.root, 'nothing') });
  await rejects(git(without, ['status']), 'git');
  const outside = contextOf(dirname(bench.root), stopping.signal);
  assert.is((await git(outside, ['rev-parse', '--show-toplevel'])).exitCode, 128);
  // Not even when one stands further up.
  mkdirSync(join(bench.root, 'deep'));
  assert.is((await git(context, ['rev-parse', '--show-toplevel'], { cwd: join(bench.root, 'deep') })).exitCode, 128);
});

test('an attempt that is to stop calls it no more', async ({ context, stopping }) => {
  stopping.abort(new Error('stopped'));
  await rejects(git(context, ['status']), 'stopped');
});

test('paths in quotes are those that were meant', () => {
  assert.is(unquotedPath('plain "path"'), 'plain "path"');
  assert.is(unquotedPath('"a\\nb\\"c\\\\d\\303\\244\\r e"'), 'a\nb"c\\dä\r e');
  assert.equal(pathsOf('a\n"b\\tc"\n'), ['a', 'b\tc']);
  assert.equal(pathsOf(''), []);
});

async function rejects(running: Promise<unknown>, words: string): Promise<void> {
  const error = await running.then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  assert.match(error?.message ?? 'it did not fail', words);
}

test.run();
