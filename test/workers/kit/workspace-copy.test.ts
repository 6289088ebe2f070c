import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CopyPart, type CopyPlan, makeCopy, planCopy, removeCopy } from '../../../workers/kit/workspace-copy.js';
import { createBench, refusalOf, type WorkerBench } from '../../support/builtin-context.js';

const test = suite<WorkerBench>('workspace copy');
const LIMITS = { bytes: 1000, files: 10, depth: 3 };

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

function part(source: string, at = source): CopyPart {
  return { source, at, member: 'the part' };
}

function plan(bench: WorkerBench, ...parts: CopyPart[]): Promise<CopyPlan> {
  return planCopy(bench.root, parts, LIMITS, bench.stopping.signal);
}

async function copied(bench: WorkerBench, ...parts: CopyPart[]): Promise<Record<string, string>> {
  const target = join(bench.root, 'copies/one');
  await makeCopy(bench.root, await plan(bench, ...parts), target, bench.stopping.signal);
  const names = readdirSync(target, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(target, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(target, name), 'utf8')]));
}

test('later parts win, git and what is closed stay out, a link becomes its file', async (bench) => {
  bench.put('base/a.txt', 'a');
  bench.put('base/deep/b.txt', 'b');
  bench.put('base/.git/config', 'secret');
  bench.put('.agents/daemon/ledger/1.jsonl', '{}');
  bench.put('.agents/notes.md', 'n');
  bench.put('over/a.txt', 'other');
  symlinkSync('../base/a.txt', join(bench.root, 'over/link.txt'));
  const files = await copied(bench, part('base', '.'), part('over', '.'), part('.agents'), part('over/a.txt', 'c/d'));
  assert.equal(files, {
    '.agents/notes.md': 'n',
    'a.txt': 'other',
    'c/d': 'other',
    'deep/b.txt': 'b',
    'link.txt': 'a',
  });
  assert.ok(statSync(join(bench.root, 'copies/one/link.txt')).isFile());
});

test('the checksum is that of paths, modes and bytes', async (bench) => {
  bench.put('f/a', '1');
  const first = await plan(bench, part('f', '.'));
  assert.is((await plan(bench, part('f/a', 'a'))).sha256, first.sha256);
  chmodSync(join(bench.root, 'f/a'), 0o755);
  const executable = await plan(bench, part('f', '.'));
  bench.put('f/a', '2');
  assert.is(new Set([first.sha256, executable.sha256, (await plan(bench, part('f', '.'))).sha256]).size, 3);
});

test('what leads out, is of no use or too much is refused, and named', async (bench) => {
  bench.put('../outside', 'secret');
  for (const name of ['out', 'dead', 'folder', 'pipe', 'deep', 'large', 'many']) mkdirSync(join(bench.root, name));
  symlinkSync('../../outside', join(bench.root, 'out/link'));
  symlinkSync('nowhere', join(bench.root, 'dead/link'));
  symlinkSync('../many', join(bench.root, 'folder/link'));
  execFileSync('mkfifo', [join(bench.root, 'pipe/p')]);
  bench.put('deep/1/2/3/f', '');
  bench.put('large/f', 'x'.repeat(LIMITS.bytes + 1));
  for (let at = 0; at <= LIMITS.files; at++) bench.put(`many/${at}`, '');
  const wrong: [CopyPart, RegExp][] = [
    [part('../outside', 'x'), /the part: .* leads out of the repository/],
    [part('out', '.'), /the part: the link "out\/link": .* leads out of the repository/],
    [part('dead', '.'), /the part: the link "dead\/link": .* is not there/],
    [part('folder', '.'), /"folder\/link" leads to no file: links to folders are not copied/],
    [part('pipe', '.'), /"pipe\/p" is neither a file nor a folder/],
    [part('pipe/p', 'p'), /"pipe\/p" is no regular file/],
    [part('deep', '.'), /"deep\/1\/2\/3" is deeper than 3 folders/],
    [part('large', '.'), /"large\/f" makes the copy larger than 1000 bytes \(copy_bytes\)/],
    [part('many', '.'), /"many" makes the copy hold more than 10 files/],
    [part('large/f', '.'), /"large\/f" is not a folder/],
    [part('many', '../up'), /"\.\.\/up" leads out of the copy/],
    [part('.agents/runs', '.'), /is not there/],
    [part('none', '.'), /"none" is not there/],
  ];
  for (const [each, message] of wrong) assert.match(await refusalOf(plan(bench, each)), message);
  assert.match(
    await refusalOf(plan(bench, part('many/1', 'x'), part('many/2', 'x/y'))),
    /"x" would be a file and a folder of the copy/,
  );
});

test('a file that is changed behind the plan is refused', async (bench) => {
  bench.put('f', 'before');
  const planned = await plan(bench, part('f'));
  bench.put('f', 'after');
  const making = makeCopy(bench.root, planned, join(bench.root, 'copy'), bench.stopping.signal);
  assert.match(await refusalOf(making), /"f" was changed while the job ran/);
});

test('a copy goes with closed folders in it, and what its links lead to stays', async (bench) => {
  bench.put('copy/closed/inner/f', '');
  bench.put('kept/f', '');
  symlinkSync('../../kept', join(bench.root, 'copy/closed/link'));
  chmodSync(join(bench.root, 'copy/closed/inner'), 0);
  chmodSync(join(bench.root, 'copy/closed'), 0o500);
  await removeCopy(join(bench.root, 'copy'));
  assert.equal([existsSync(join(bench.root, 'copy')), existsSync(join(bench.root, 'kept/f'))], [false, true]);
});

test.run();
