/**
 * `dream.stage`: one stage of such a run as `dream.run` makes whole, in a job of its own. It goes on from the checkpoints
 * of the stages before it, and fails, saying which, when one is missing or was made from another than the one that stands.
 *
 * Payload: `stage` (default `ingest`), `dream_run_id` (default: the job's id), `output_dir` (a folder for the checkpoints,
 * in which each run has a folder of its own; default: the run folder of the job that has the run's id). Artifact: the
 * checkpoint, as `<stage>.json`; of `report` also `summary.json` and `summary.md`.
 */
import { join, relative } from 'node:path';
import { fileNameOf } from '../lib/base/file-name.js';
import type { JsonObject } from '../lib/base/json.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { DREAMT_BY } from './dream/learning.js';
import { renderReport } from './dream/render.js';
import type { DreamReport } from './dream/report.js';
import { type DreamResults, type DreamStage, dreamStages, runStage, withResult } from './dream/stages.js';
import { dreamCheckpoints, runIdOf } from './dream-run.js';
import { failure } from './failure.js';
import { outputFolder } from './kit/atomic-write.js';
import { leaveFiles } from './kit/leave-files.js';
import { refuseForeignFile } from './kit/own-files.js';
import { textMember, told } from './kit/payload.js';
import {
  type Checkpoint,
  type CheckpointStore,
  createCheckpointStore,
  encodeCheckpoint,
} from './kit/stage-checkpoints.js';

export const dreamStage: BuiltinHandler = async (job, context) => {
  const stage = stageOf(job.payload);
  const runId = runIdOf(job);
  const store = await storeOf(job.payload, runId, context);
  const { done, last } = await chainBefore(stage, runId, store, context.root);
  const after = last?.result_sha256 ?? '';
  await refuseForeignFile(context.root, store.pathOf(stage), 'built_by', 'payload.output_dir');
  const kept = await store.read(stage);
  const isKept = kept !== undefined && kept.job_id === job.job_id && kept.run_id === runId && kept.after === after;
  const iteration = last?.iteration ?? 1;
  const facts = { built_by: DREAMT_BY, stage, run_id: runId, job_id: job.job_id, iteration, after };
  const ground = { context, jobId: job.job_id, runId, goal: undefined, earlier: undefined };
  const checkpoint = isKept ? kept : await store.write(facts, await runStage(stage, ground, done));
  const files = new Map([[`${stage}.json`, encodeCheckpoint(checkpoint)]]);
  if (stage === 'report')
    for (const [name, text] of renderReport(checkpoint.result as DreamReport)) files.set(name, text);
  await leaveFiles(files, undefined, context);
  context.log(`${stage} of run ${runId}: ${relative(context.root, store.pathOf(stage))}`);
};

function stageOf(payload: JsonObject): DreamStage {
  const named = textMember(payload, 'stage') ?? 'ingest';
  const stage = dreamStages.find((each) => each === named);
  if (stage !== undefined) return stage;
  throw failure('request_rejected', `payload.stage: ${told(named)} is none; it is one of ${dreamStages.join(', ')}`);
}

async function storeOf(payload: JsonObject, runId: string, context: BuiltinContext): Promise<CheckpointStore> {
  const named = textMember(payload, 'output_dir');
  if (named === undefined) return dreamCheckpoints(context, runId);
  const { root, runDir } = context;
  const { absolute } = await outputFolder(root, join(named, fileNameOf(runId)), 'payload.output_dir');
  return createCheckpointStore({ root, runDir, folder: absolute, fileOf: (stage) => `${stage}.json` });
}

/** The checkpoints of all stages before one, each made from the one before it. */
async function chainBefore(
  stage: DreamStage,
  runId: string,
  store: CheckpointStore,
  root: string,
): Promise<{ done: DreamResults; last: Checkpoint | undefined }> {
  let done: DreamResults = {};
  let last: Checkpoint | undefined;
  for (const before of dreamStages.slice(0, dreamStages.indexOf(stage))) {
    const found = await store.read(before);
    if (found === undefined || found.run_id !== runId) {
      throw failure(
        'request_rejected',
        `payload.stage: ${told(stage)} goes on from the checkpoint of ${told(before)}, and the run ${told(runId)} (payload.dream_run_id) has none at ${told(relative(root, store.pathOf(before)))}; run dream.stage with the stage ${told(before)} and that dream_run_id first`,
      );
    }
    if (found.after !== (last?.result_sha256 ?? '')) {
      throw failure(
        'request_rejected',
        `payload.stage: the checkpoint of ${told(before)} of the run ${told(runId)} was not made from the checkpoint of ${told(last?.stage ?? '')} that stands; run dream.stage with the stage ${told(before)} again first`,
      );
    }
    done = withResult(done, found);
    last = found;
  }
  return { done, last };
}
