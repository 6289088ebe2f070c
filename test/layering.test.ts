/** Imports run one way: the table of the project's map (`lib/README.md`), checked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findCycle, type Import, importsOf, readSources, repositoryRoot } from './support/sources.js';

const test = suite('layering');

const below = ['lib/base', 'lib/model'];
const kit = [...below, 'workers/process', 'workers/agents', 'workers/kit'];
const rooms = ['process', 'agents', 'thread', 'kit', 'dream', 'eval', 'factory', 'llmwiki', 'plans', 'rpi', 'wiki'].map(
  (room) => `workers/${room}`,
);

/** Which folders the files of a folder may import, beside their own. */
const allowed: Record<string, readonly string[]> = {
  'lib/base': [],
  'lib/model': ['lib/base'],
  'lib/storage': ['lib/base', 'lib/model'],
  'lib/engine': ['lib/base', 'lib/model', 'lib/storage'],
  'lib/http': ['lib/base', 'lib/model', 'lib/storage', 'lib/engine'],
  'lib/client': ['lib/base', 'lib/model'],
  'lib/cli': ['lib/base', 'lib/model', 'lib/client'],
  workers: [...below, ...rooms],
  'workers/process': below,
  'workers/agents': [...below, 'workers/process'],
  'workers/thread': [...below, 'workers/process', 'workers/agents'],
  'workers/kit': [...below, 'workers/process', 'workers/agents'],
  'workers/dream': kit,
  'workers/eval': kit,
  'workers/factory': kit,
  'workers/llmwiki': [...kit, 'workers/wiki'],
  'workers/plans': kit,
  'workers/rpi': kit,
  'workers/wiki': kit,
  spec: [],
};

/** Single files that may be imported against the table, each with its reason. */
const exceptions: ReadonlyArray<{ from: RegExp; to: RegExp; reason: string }> = [
  { from: /^lib\/engine\/daemon\.ts$/, to: /^lib\/http\//, reason: 'the one composition point' },
  {
    from: /^workers\//,
    to: /^workers\/(?:context|builtin-context|failure)\.ts$/,
    reason: 'what every handler is given, and how it fails',
  },
  { from: /^lib\/cli\//, to: /^lib\/engine\/(?:daemon|setup)\.ts$/, reason: '`run` and `init`' },
  {
    from: /^lib\/cli\//,
    to: /^lib\/storage\/(?:activation|disk|folder|home|layout|ledger|mounts|node-chain-thread|node-clock|node-disk|node-random|reader|replay|token-file|trust|verify)\.ts$/,
    reason: 'verbs that read the files without a daemon',
  },
];

function folderOf(path: string): string {
  const [top = path, ...rest] = path.split('/');
  const hasRooms = top === 'lib' || (top === 'workers' && rest.length > 1);
  return hasRooms ? `${top}/${rest[0]}` : top;
}

function mayImport({ from, to }: Pick<Import, 'from' | 'to'>): boolean {
  const [own, other] = [folderOf(from), folderOf(to)];
  if (own === 'test' || own === other) return true;
  if (allowed[own]?.includes(other)) return true;
  return exceptions.some((exception) => exception.from.test(from) && exception.to.test(to));
}

const imports = readSources('lib', 'workers', 'spec', 'test').flatMap(importsOf);
const ours = imports.filter((each) => each.ours);

test('the imports are found at all', () => {
  assert.ok(ours.some(({ from, to }) => from === 'lib/base/canonical.ts' && to === 'lib/base/limits.ts'));
  assert.ok(imports.some(({ from, to }) => from === 'lib/base/canonical.ts' && to === 'fast-json-stable-stringify'));
});

test('what is gone at run time is known', () => {
  const text =
    "import type { A } from './a.js';\nimport { type B } from './b.js';\nexport type { C } from './c.js';\nawait import('./d.js');\n";
  assert.equal(
    importsOf({ path: 'lib/x.ts', text }).map(({ to, typesOnly }) => [to, typesOnly]),
    [
      ['lib/a.ts', true],
      ['lib/b.ts', false],
      ['lib/c.ts', true],
      ['lib/d.ts', false],
    ],
  );
});

test('every folder of lib has its row', () => {
  const folders = new Set(readSources('lib', 'workers', 'spec').map(({ path }) => folderOf(path)));
  assert.equal(
    [...folders].filter((folder) => allowed[folder] === undefined),
    [],
  );
});

test('no import runs against the direction', () => {
  const wrong = ours.filter((each) => !mayImport(each)).map(({ from, to }) => `${from} imports ${to}`);
  assert.equal(wrong, []);
});

test('the rule finds what is wrong', () => {
  const wrong: ReadonlyArray<[string, string]> = [
    ['lib/base/a.ts', 'lib/model/b.ts'],
    ['lib/model/a.ts', 'lib/storage/b.ts'],
    ['lib/engine/kernel.ts', 'lib/http/server.ts'],
    ['lib/client/a.ts', 'lib/storage/b.ts'],
    ['lib/cli/a.ts', 'lib/engine/kernel.ts'],
    ['lib/cli/a.ts', 'lib/storage/appender.ts'],
    ['lib/engine/pool.ts', 'workers/thread.ts'],
    ['workers/a.ts', 'lib/storage/b.ts'],
    ['workers/kit/a.ts', 'lib/storage/b.ts'],
    ['workers/kit/a.ts', 'workers/wiki/b.ts'],
    ['workers/dream/a.ts', 'workers/eval/b.ts'],
    ['workers/dream/a.ts', 'workers/dream-run.ts'],
    ['workers/agents/a.ts', 'workers/thread/b.ts'],
    ['spec/conformance/a.ts', 'lib/base/b.ts'],
    ['lib/base/a.ts', 'test/support/b.ts'],
  ];
  for (const [from, to] of wrong) assert.not.ok(mayImport({ from, to }), `${from} imports ${to}`);
  assert.ok(mayImport({ from: 'lib/engine/daemon.ts', to: 'lib/http/server.ts' }));
});

test('files do not import one another in a circle at run time', () => {
  assert.is(findCycle(imports)?.join(' > '), undefined);
  const circle = ['a', 'b', 'c'].map((from, at) => ({
    from,
    to: ['b', 'c', 'b'][at] ?? '',
    ours: true,
    typesOnly: false,
  }));
  assert.equal(findCycle(circle), ['b', 'c', 'b']);
  assert.is(findCycle(circle.map((each) => ({ ...each, typesOnly: each.from === 'b' }))), undefined);
});

test('what is shipped needs only what is installed with it', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  const { dependencies } = manifest as { dependencies: Record<string, string> };
  const shipped = imports.filter(({ from, ours: own }) => !own && !from.startsWith('test/'));
  const wrong = shipped.filter(({ to }) => !to.startsWith('node:') && !(packageOf(to) in dependencies));
  assert.equal(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

test.run();
