/** What is no work order is refused by name, before git or the kernel are asked for anything. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import { coveredPaths, outside, overlapping } from '../../../workers/factory/order-paths.js';
import { carried, orderSha256, readWorkOrder } from '../../../workers/factory/work-order.js';
import { whyNoRefName } from '../../../workers/kit/repository.js';
import { createBench, type WorkerBench } from '../../support/builtin-context.js';
import { assertRejected } from '../../support/factory-room.js';
import { repositoryRoot } from '../../support/sources.js';

const test = suite<WorkerBench>('work order');
test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

const read = (bench: WorkerBench, work_order: unknown) =>
  readWorkOrder(bench.root, { job_id: 'job-9', payload: { work_order } as JsonObject });

test('missing members get their defaults', async (bench) => {
  assert.equal(await read(bench, { title: null, paths: ['a', 'a', 'b'], base_sha: 'A'.repeat(40) }), {
    id: 'job-9',
    base_ref: 'HEAD',
    base_sha: 'a'.repeat(40),
    paths: ['a', 'b'],
    allow_dirty: false,
    window: { max_commits_behind: 0 },
    open_requests: [],
    commands: [],
    validation_commands: [],
    command_timeout_seconds: 1800,
  });
});

test('whatever does not fit is named', async (bench) => {
  const wrong: [unknown, RegExp][] = [
    [undefined, /^payload\.work_order is missing/],
    [null, /^payload\.work_order is missing/],
    ['  ', /^payload\.work_order is missing/],
    [7, /^payload\.work_order must be an object, or the path/],
    [{ base_shaa: 'x' }, /work_order: unknown member "base_shaa"; did you mean "base_sha"\?/],
    [{ base_sha: '--upload-pack=x' }, /work_order\.base_sha must be the full id/],
    [{ base_sha: 'HEAD' }, /work_order\.base_sha must be the full id/],
    [{ base_sha: `${'a'.repeat(40)}\n` }, /work_order\.base_sha must be the full id/],
    [{ base_sha: 'a'.repeat(41) }, /work_order\.base_sha must be the full id/],
    [{ base_ref: '-x' }, /work_order\.base_ref: "-x" is no name of a branch: it begins with -/],
    [{ base_ref: 'main..other' }, /work_order\.base_ref: .*it holds ".."/],
    [{ base_ref: 'main^{/x}' }, /work_order\.base_ref/],
    [{ base_ref: 7 }, /work_order\.base_ref must be string/],
    [{ paths: 'src' }, /work_order\.paths must be array/],
    [{ paths: [''] }, /work_order\.paths\[0\] must NOT have fewer/],
    [{ window: { not_before: 'tomorrow' } }, /work_order\.window\.not_before must be a time/],
    [{ window: { not_before: '2026-02-30T25:00:00Z' } }, /work_order\.window\.not_before is no time that exists/],
    [
      { window: { not_before: '2026-02-02T00:00:00Z', not_after: '2026-01-02T00:00:00Z' } },
      /not_after comes before payload\.work_order\.window\.not_before/,
    ],
    [{ window: { max_commits_behind: -1 } }, /work_order\.window\.max_commits_behind must be >= 0/],
    [{ open_requests: [{ id: 'x' }] }, /work_order\.open_requests\[0\]\.(?:paths|ref) is missing/],
    [{ open_requests: [{ id: 'x', ref: '--output=/etc/x' }] }, /work_order\.open_requests\[0\]\.ref: .*begins with -/],
    [{ ci_baseline: { sha: 'x', status: 'passed' } }, /work_order\.ci_baseline\.sha must be the full id/],
    [{ ci_baseline: { sha: 'a'.repeat(40), status: 'ok' } }, /work_order\.ci_baseline\.status must be one of passed/],
    [{ validation_commands: [['npm', 'test']] }, /work_order\.validation_commands\[0\] must be string/],
    [{ commands: [' '] }, /work_order\.commands\[0\] must not be blank/],
    [{ commands: ['a\0b'] }, /work_order\.commands\[0\] must not be blank, and can not hold a NUL/],
  ];
  for (const [order, words] of wrong) await assertRejected(read(bench, order), words);
});

test('a file that holds none is named with what is wrong with it', async (bench) => {
  bench.put('orders/no.json', '{"id": ');
  bench.put('orders/list.json', '[]');
  bench.put('orders/latin.json', Buffer.from([0x22, 0xe4, 0x22]));
  bench.put('orders/deep.json', '['.repeat(100) + ']'.repeat(100));
  bench.put('orders/typo.json', '{"gaol": "x"}');
  bench.put('.agents/runs/x/order.json', '{}');
  symlinkSync('/etc/passwd', join(bench.root, 'orders/out.json'));
  const wrong: [string, RegExp][] = [
    ['orders/gone.json', /payload\.work_order: "orders\/gone\.json" is not there/],
    ['orders/no.json', /"orders\/no\.json" is not JSON/],
    ['orders/list.json', /must hold a JSON object/],
    ['orders/latin.json', /is not a text in UTF-8/],
    ['orders/deep.json', /deep/],
    ['orders/typo.json', /^"orders\/typo\.json": payload\.work_order: unknown member "gaol"; did you mean "goal"/],
    ['orders', /not a regular file/],
    ['orders/out.json', /leads out of the repository/],
    ['../order.json', /is not there|leads out/],
    ['.agents/runs/x/order.json', /is not open to jobs/],
  ];
  for (const [path, words] of wrong) await assertRejected(read(bench, path), words);
});

test('what is handed on is the order without what only the decision needed', async (bench) => {
  const order = await read(bench, {
    goal: 'x',
    window: {},
    open_requests: [],
    ci_baseline: 'ci.json',
    metadata: { a: 1 },
  });
  assert.equal(Object.keys(carried(order)).sort(), [
    'base_ref',
    'command_timeout_seconds',
    'commands',
    'goal',
    'id',
    'metadata',
    'paths',
    'validation_commands',
  ]);
  assert.is.not(orderSha256(order), orderSha256(await read(bench, { goal: 'x' })));
});

test('paths that lead out, are patterns or nobody may touch', async (bench) => {
  mkdirSync(join(bench.root, 'src'));
  symlinkSync(dirname(bench.root), join(bench.root, 'out'));
  const wrong: [string, RegExp][] = [
    ['/etc', /paths\[0\]: "\/etc" must be relative/],
    ['../x', /leads out of the repository/],
    ['a/../../x', /leads out of the repository/],
    ['out', /leads out of the repository/],
    ['out/deep/x', /leads out of the repository/],
    ['src/**', /is a pattern: name the file, or the folder/],
    ['a\0b', /it holds a NUL/],
    ['.git/config', /is not open to jobs/],
    ['.agents/daemon', /is not open to jobs/],
  ];
  for (const [path, words] of wrong) await assertRejected(coveredPaths(bench.root, [path], 'paths'), words);
  assert.equal(await coveredPaths(bench.root, [], 'paths'), ['.']);
  assert.equal(await coveredPaths(bench.root, ['./src/', 'new/deep/[id].ts', '.'], 'paths'), [
    '.',
    'new/deep/[id].ts',
    'src',
  ]);
});

test('a folder covers what is below it, and nothing beside it', () => {
  assert.equal(overlapping(['src'], ['src/a', 'srcs', 'src', 'docs', '.']), ['src/a', 'src', '.']);
  assert.equal(outside(['src', 'a.txt'], ['src/a', 'a.txt', 'a.txt2', 'docs/b']), ['a.txt2', 'docs/b']);
  assert.equal(outside(['.'], ['anything/at all']), []);
});

test('names of refs', () => {
  for (const good of ['main', 'HEAD', 'refs/heads/a', 'feature/ä+#1', 'a.b', 'a@b', '2026'])
    assert.is(whyNoRefName(good), undefined, good);
  const wrong = [
    '-a',
    '/a',
    '.a',
    'a/',
    'a.',
    'a..b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    'a@{1}',
    '@',
  ];
  for (const name of [...wrong, 'a//b', 'a/.b', 'a.lock', 'a.lock/b', 'a\nb', 'a\0b', 'a\u007f', '\ud800'])
    assert.type(whyNoRefName(name), 'string', JSON.stringify(name));
});

test('every member of the schema says what it is', () => {
  const schema = JSON.parse(readFileSync(join(repositoryRoot, 'spec/work-order.schema.json'), 'utf8')) as {
    properties: Record<string, { description?: string }>;
  };
  for (const [member, { description }] of Object.entries(schema.properties)) assert.type(description, 'string', member);
});

test.run();
