import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Walked, type WalkRequest, walkFiles } from '../../../workers/kit/folder-walk.js';
import { createBench, type WorkerBench } from '../../support/builtin-context.js';

const test = suite<WorkerBench>('folder walk');
const BOUNDS = { files: 10, entries: 100, depth: 3 };

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

function walk({ root, stopping }: WorkerBench, more: Partial<WalkRequest> = {}): Promise<Walked> {
  const request = { root, folder: 'notes', bounds: BOUNDS, takes: (path: string) => path.endsWith('.md') };
  return walkFiles({ ...request, signal: stopping.signal, ...more });
}

const paths = ({ files }: Walked) => files.map(({ path }) => path);

test('files come sorted by path; links and what is no file are told', async (bench) => {
  for (const path of ['b.md', 'a/z.md', 'a.md', 'a/b/c.md', 'a/no.txt', 'a/b/c/deep.md'])
    bench.put(`notes/${path}`, '');
  mkdirSync(join(bench.root, 'notes/folder.md'));
  symlinkSync('b.md', join(bench.root, 'notes/link.md'));
  symlinkSync('/etc', join(bench.root, 'notes/etc'));
  const walked = await walk(bench);
  assert.equal(paths(walked), ['notes/a.md', 'notes/a/b/c.md', 'notes/a/z.md', 'notes/b.md']);
  assert.equal(walked.skipped, [
    { source: 'notes/a/b/c', reason: 'deeper than 3 folders' },
    { source: 'notes/link.md', reason: 'a symbolic link' },
  ]);
  assert.is(walked.cut, false);
  assert.equal(paths(await walk(bench, { enters: () => false })), ['notes/a.md', 'notes/b.md']);
});

test('each bound holds exactly, and is told', async (bench) => {
  for (let at = 0; at < 4; at++) bench.put(`notes/${at}.md`, '');
  bench.put('notes/5.txt', '');
  const bounded = async (bounds: object) => walk(bench, { bounds: { ...BOUNDS, ...bounds } });
  assert.equal([paths(await bounded({ files: 4 })).length, (await bounded({ files: 4 })).cut], [4, false]);
  assert.equal([paths(await bounded({ files: 3 })).length, (await bounded({ files: 3 })).cut], [3, true]);
  assert.equal([(await bounded({ entries: 5 })).cut, (await bounded({ entries: 4 })).cut], [false, true]);
});

test('a folder that is not there is empty, one behind a link is left out', async (bench) => {
  assert.equal(await walk(bench), { files: [], skipped: [], cut: false });
  bench.put('real/a.md', '');
  symlinkSync('real', join(bench.root, 'notes'));
  assert.equal((await walk(bench)).skipped, [{ source: 'notes', reason: 'behind a symbolic link' }]);
});

test.run();
