/** Below the engine nothing touches the disk, the clock, chance or the network but through its seam. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { impurities, readSources } from './support/sources.js';

const test = suite('seams');

/** The files that implement a seam, what each may use, and why. */
const implementations: Readonly<Record<string, { may: RegExp; reason: string }>> = {
  'lib/storage/node-disk.ts': { may: /node:fs/, reason: 'the disk' },
  'lib/storage/node-clock.ts': {
    may: /Date\.now|performance\.now|setTimeout|setInterval|random/,
    reason: 'the clock, and chance',
  },
  'lib/storage/node-random.ts': { may: /random/, reason: 'chance' },
  'lib/storage/node-lock.ts': { may: /node:fs|node:timers/, reason: 'the lock: proper-lockfile works on files itself' },
  'lib/storage/node-chain-thread.ts': {
    may: /node:worker_threads/,
    reason: 'a second thread, where there is much to hash',
  },
  'lib/storage/chain-thread-entry.ts': { may: /node:worker_threads/, reason: 'the same, seen from within' },
  'lib/storage/process-facts.ts': {
    may: /node:fs|node:child_process/,
    reason: 'who owns a pid: /proc, or ps where there is none',
  },
  'lib/storage/mounts.ts': { may: /node:fs/, reason: 'what a path stands on: the table of mounts in /proc' },
};

test('base, model and storage take nothing past the seams', () => {
  const found = readSources('lib/base', 'lib/model', 'lib/storage').flatMap((source) => {
    const may = implementations[source.path]?.may;
    return impurities(source)
      .filter((what) => !may?.test(what))
      .map((what) => `${source.path}:${what}`);
  });
  assert.equal(found, []);
});

test('the check finds each way around a seam, and nothing in comments and texts', () => {
  const text = [
    "import { readFile } from 'node:fs/promises';",
    "export { x } from 'fs';",
    "await import('node:child_process');",
    'Date.now();',
    'new Date();',
    'globalThis.setTimeout(work, 1);',
    'Math.random();',
    'crypto.randomBytes(4);',
    'randomBytes(4);',
    'const now = performance.now;',
  ];
  const found = impurities({ path: 'lib/model/a.ts', text: text.join('\n') });
  assert.equal(
    found.map((each) => each.split(':')[0]),
    text.map((_, at) => String(at + 1)),
  );
  const innocent = "// Date.now()\nconst hint = 'setTimeout(1)'; new Date(0); /* Math.random() */ clock.now();";
  assert.equal(impurities({ path: 'lib/model/b.ts', text: innocent }), []);
});

test.run();
