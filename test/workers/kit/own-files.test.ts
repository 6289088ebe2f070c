import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isMarked, refuseForeignFile } from '../../../workers/kit/own-files.js';
import { createBench, refusalOf, type WorkerBench } from '../../support/builtin-context.js';

const test = suite<WorkerBench>('own files');

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

const refuse = ({ root }: WorkerBench, path: string) =>
  refuseForeignFile(root, join(root, path), 'built_by', 'payload.x');

test('a file says in its object, its first line or its front matter who made it', async (bench) => {
  bench.put('own.json', '{"built_by":"a worker"}');
  bench.put('own.jsonl', '{"built_by":"a worker"}\n{}\n');
  bench.put('own.md', '---\nbuilt_by: a worker\n---\n\nText\n');
  bench.put('empty.jsonl', '');
  for (const path of ['own.json', 'own.jsonl', 'own.md', 'empty.jsonl', 'none.md']) await refuse(bench, path);
  bench.put('other.json', '{"mine":1}');
  bench.put('other.jsonl', '{}\n{"built_by":"a worker"}\n');
  bench.put('other.md', '# Mine\n\nbuilt_by: a worker\n');
  bench.put('forged.md', '---\nforged_by: another worker\n---\n');
  for (const path of ['other.json', 'other.jsonl', 'other.md', 'forged.md'])
    assert.match(await refusalOf(refuse(bench, path)), `payload.x: "${path}" is there and was not made by this worker`);
  assert.is(await isMarked(bench.root, join(bench.root, 'forged.md'), 'forged_by'), true);
});

test('a list or a page of ours stays ours, however long it became', async (bench) => {
  const long = 'x'.repeat(67_108_864);
  bench.put('own.jsonl', `{"built_by":"a worker"}\n${long}`);
  bench.put('own.md', `---\nbuilt_by: a worker\n---\n${long}`);
  for (const path of ['own.jsonl', 'own.md']) await refuse(bench, path);
  bench.put('other.jsonl', `{"mine":1}\n${long}`);
  assert.match(await refusalOf(refuse(bench, 'other.jsonl')), 'was not made by this worker');
});

test.run();
