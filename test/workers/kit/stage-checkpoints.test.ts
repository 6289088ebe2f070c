import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CheckpointStore,
  createCheckpointStore,
  decodeCheckpoint,
  encodeCheckpoint,
  phasesFolder,
} from '../../../workers/kit/stage-checkpoints.js';
import { createBench, type WorkerBench } from '../../support/builtin-context.js';

const test = suite<WorkerBench>('checkpoints of stages');
const facts = { built_by: 'x', stage: 'one', run_id: 'run', job_id: 'a/../b', iteration: 1, after: '' };

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

function storeIn({ root }: WorkerBench): CheckpointStore {
  const runDir = join(root, '.agents/runs/j/attempt-1');
  mkdirSync(runDir, { recursive: true });
  return createCheckpointStore({
    root,
    runDir,
    folder: phasesFolder(root, facts.job_id),
    fileOf: (stage) => `1/${stage}.json`,
  });
}

test('what is written is read back by the next attempt, as the writer got it', async (bench) => {
  const store = storeIn(bench);
  assert.is(await store.read('one'), undefined);
  const written = await store.write(facts, { z: 1, a: [{ c: undefined, b: 'x' }] });
  assert.equal(written.result, { a: [{ b: 'x' }], z: 1 });
  assert.is(JSON.stringify(written), JSON.stringify(await storeIn(bench).read('one')));
  assert.is(JSON.stringify(written.result), '{"a":[{"b":"x"}],"z":1}');
  assert.not.match(store.pathOf('one'), '/../');
});

test('one that was damaged, or is another, is none', async (bench) => {
  const store = storeIn(bench);
  const text = encodeCheckpoint(await store.write(facts, { count: 12 }));
  assert.ok(decodeCheckpoint(text));
  for (const damaged of [
    '',
    text.slice(0, -2),
    text.replace('12', '13'),
    text.replace('"schema_version":1', '"schema_version":2'),
    text.replace('"stage":"one"', '"stage":1'),
    '[]',
  ]) {
    assert.is(decodeCheckpoint(damaged), undefined, damaged);
    writeFileSync(store.pathOf('one'), damaged);
    assert.is(await store.read('one'), undefined);
  }
  writeFileSync(store.pathOf('one'), text.replace('"stage":"one"', '"stage":"two"'));
  assert.is(await store.read('one'), undefined, 'the file of another stage');
});

test('a link in the way is not written through', async (bench) => {
  const store = storeIn(bench);
  const outside = join(dirname(bench.root), 'outside');
  mkdirSync(outside);
  const folder = phasesFolder(bench.root, facts.job_id);
  mkdirSync(dirname(folder), { recursive: true });
  symlinkSync(outside, folder);
  let thrown: unknown;
  await store.write(facts, {}).catch((error: unknown) => {
    thrown = error;
  });
  assert.match(String(thrown), /in the way: not a folder/);
  assert.not.ok(existsSync(join(outside, '1')));
  rmSync(folder);
});

test.run();
