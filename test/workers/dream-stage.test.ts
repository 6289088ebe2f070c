import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { dreamStages } from '../../workers/dream/stages.js';
import { dreamRun } from '../../workers/dream-run.js';
import { dreamStage } from '../../workers/dream-stage.js';
import { decodeCheckpoint } from '../../workers/kit/stage-checkpoints.js';
import { createBench, refusalOf, type WorkerBench } from '../support/builtin-context.js';

const test = suite<WorkerBench>('dream.stage');

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

async function stage(bench: WorkerBench, payload: JsonObject = {}): Promise<void> {
  await bench.run(dreamStage, 'dream.stage', payload);
}

const refusal = (bench: WorkerBench, payload: JsonObject): Promise<string> => refusalOf(stage(bench, payload));

test('an empty payload takes in what there is, which may be nothing', async (bench) => {
  await stage(bench);
  const checkpoint = decodeCheckpoint(bench.read(bench.artifacts['ingest.json'] ?? ''));
  if (checkpoint === undefined) throw new Error('it is no checkpoint');
  assert.equal([checkpoint.stage, checkpoint.run_id], ['ingest', 'job-1']);
  assert.equal((checkpoint.result as { statements: unknown[] }).statements, []);
  assert.is(bench.read('.agents/runs/job-1/phases/1/ingest.json'), bench.read(bench.artifacts['ingest.json'] ?? ''));
});

test('five jobs come to what one dream comes to', async (bench) => {
  const other = createBench();
  try {
    for (const each of [bench, other]) each.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
    await stage(bench);
    for (const name of dreamStages.slice(1)) {
      await stage(bench, { stage: name, dream_run_id: 'job-1' });
      assert.ok(bench.artifacts[`${name}.json`], name);
    }
    await other.run(dreamRun, 'dream.run', {});
    assert.is(bench.read(bench.artifacts['summary.json'] ?? ''), other.read(other.artifacts['summary.json'] ?? ''));
    const learnings = readdirSync(join(bench.root, '.agents/learnings'));
    assert.equal(learnings, readdirSync(join(other.root, '.agents/learnings')));
    assert.is(learnings.length, 1);
  } finally {
    other.remove();
  }
});

test('a stage of a dream that ran whole can be made again', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  await bench.run(dreamRun, 'dream.run', {});
  const report = bench.read(bench.artifacts['summary.md'] ?? '');
  await stage(bench, { stage: 'report', dream_run_id: 'job-1' });
  assert.is(bench.read(bench.artifacts['summary.md'] ?? ''), report);
});

test('a stage without the one before it says so, and writes nothing', async (bench) => {
  assert.match(
    await refusal(bench, { stage: 'reduce' }),
    /payload\.stage: "reduce" goes on from the checkpoint of "ingest", and the run "job-1" \(payload\.dream_run_id\) has none at "\.agents\/runs\/job-1\/phases\/1\/ingest\.json"; run dream\.stage with the stage "ingest"/,
  );
  await stage(bench, { dream_run_id: 'night' });
  assert.match(await refusal(bench, { stage: 'commit', dream_run_id: 'night' }), /the checkpoint of "reduce"/);
  assert.match(await refusal(bench, { stage: 'reduce', dream_run_id: 'other' }), /the run "other"/);
  assert.match(
    await refusal(bench, { stage: 'reduce', dream_run_id: 'night', output_dir: 'x' }),
    /"x\/night\/ingest\.json"/,
  );
});

test('a stage that was made from another checkpoint than the one that stands says so', async (bench) => {
  const run = { dream_run_id: 'night', output_dir: 'stages' };
  await stage(bench, run);
  await stage(bench, { ...run, stage: 'reduce' });
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  await stage(bench, run);
  assert.match(
    await refusal(bench, { ...run, stage: 'measure' }),
    /the checkpoint of "reduce" of the run "night" was not made from the checkpoint of "ingest" that stands/,
  );
  bench.put('stages/night/ingest.json', bench.read('stages/night/ingest.json').replace('kettle', 'teapot'));
  assert.match(
    await refusal(bench, { ...run, stage: 'reduce' }),
    /has none at/,
    'a checkpoint that was edited is none',
  );
});

test('each run has a folder of its own, whatever its name is', async (bench) => {
  for (const dream_run_id of ['a', '../../b', 'A', '.']) await stage(bench, { dream_run_id, output_dir: 'stages' });
  assert.is(readdirSync(join(bench.root, 'stages')).length, 4);
  assert.equal(readdirSync(bench.root).sort(), ['.agents', 'stages']);
});

test('a later attempt keeps what an earlier one came to', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  await stage(bench);
  bench.put('.agents/notes/b.md', 'Lesson: the lathe stands at the wall.\n');
  const checkpoint = bench.read('.agents/runs/job-1/phases/1/ingest.json');
  await stage(createBench(bench.root, 2));
  assert.is(bench.read('.agents/runs/job-1/phases/1/ingest.json'), checkpoint);
});

test('a member that does not fit is named', async (bench) => {
  assert.match(
    await refusal(bench, { stage: 'dream' }),
    /payload\.stage: "dream" is none; it is one of ingest, reduce/,
  );
  assert.match(await refusal(bench, { stage: 7 }), /payload\.stage must be a string/);
  assert.match(await refusal(bench, { output_dir: '/tmp' }), /payload\.output_dir: .* leads out/);
  assert.match(await refusal(bench, { dream_run_id: 'x'.repeat(300) }), /payload\.dream_run_id/);
  bench.put('stages/night/ingest.json', '{"mine":1}');
  assert.match(
    await refusal(bench, { dream_run_id: 'night', output_dir: 'stages' }),
    /payload\.output_dir: "stages\/night\/ingest\.json" is there and was not made by this worker/,
  );
  rmSync(join(bench.root, 'stages'), { recursive: true });
});

test.run();
