import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pruneBuild } from './prune-build.js';

const test = suite<{ root: string }>('prune build');

test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'agentopsd-'));
});
test.after.each((context) => rmSync(context.root, { recursive: true, force: true }));

function put(root: string, ...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), '');
  }
}

test('what has no source any more goes, with its empty folder; the rest stays', ({ root }) => {
  put(
    root,
    'lib/a.ts',
    'dist/lib/a.js',
    'dist/lib/a.d.ts',
    'dist/test/gone/b.test.js',
    'dist/test/gone/b.test.d.ts',
    'dist/.tsbuildinfo',
  );
  const { removed, missing } = pruneBuild(root, join(root, 'dist'));
  assert.equal(removed.sort(), ['test/gone/b.test.d.ts', 'test/gone/b.test.js']);
  assert.equal(missing, []);
  assert.ok(existsSync(join(root, 'dist/lib/a.d.ts')));
  assert.ok(existsSync(join(root, 'dist/.tsbuildinfo')));
  assert.not.ok(existsSync(join(root, 'dist/test')));
});

test('a source without its output is told', ({ root }) => {
  put(root, 'workers/a.ts', 'test/b.ts', 'dist/workers/a.js');
  assert.equal(pruneBuild(root, join(root, 'dist')).missing, ['test/b.js']);
});

test.run();
