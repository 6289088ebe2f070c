/**
 * `dream.run`: gathers what documents below `.agents` and transcripts of agents say was learned, and keeps it as learnings
 * in `.agents/learnings`, a file each. Five stages (ingest, reduce, measure, commit, report), repeated while sources wait.
 * Without an agent, by the form of the texts alone: the same sources give the same bytes. Where the configuration gives
 * it an agent, that one also says which statements mean the same in other words (`dream-reduce-agent.ts`).
 *
 * What a stage came to stands in `.agents/runs/<job>/phases/<n>/<stage>.json`: a later attempt goes on behind the last one.
 *
 * Payload: `goal` (ranks the report), `dream_run_id` (default: the job's id), `output_dir` (default: the artifacts alone),
 * `max_iterations` (default 10). Artifacts: `summary.json` and `summary.md`.
 */
import { counted } from '../lib/base/text.js';
import type { WorkerJob } from '../lib/model/worker-protocol.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { DREAMT_BY } from './dream/learning.js';
import { dreamLimits } from './dream/limits.js';
import { renderReport } from './dream/render.js';
import { type DreamReport, isWaiting } from './dream/report.js';
import { type DreamResults, dreamStages, runStage, withResult } from './dream/stages.js';
import { outputFolder } from './kit/atomic-write.js';
import { leaveFiles, refuseForeignFiles } from './kit/leave-files.js';
import { boundedText, textMember, wholeMember } from './kit/payload.js';
import { type Checkpoint, type CheckpointStore, createCheckpointStore, phasesFolder } from './kit/stage-checkpoints.js';

interface Dream {
  readonly context: BuiltinContext;
  readonly store: CheckpointStore;
  readonly jobId: string;
  readonly runId: string;
  readonly goal: string | undefined;
}

export const dreamRun: BuiltinHandler = async (job, context) => {
  const { payload } = job;
  const goal = boundedText(payload, 'goal', dreamLimits.goalCharacters);
  const iterations =
    wholeMember(payload, 'max_iterations', 1, dreamLimits.iterationsAtMost) ?? dreamLimits.iterationsDefault;
  const folder = textMember(payload, 'output_dir');
  const output = folder === undefined ? undefined : await outputFolder(context.root, folder, 'payload.output_dir');
  if (output !== undefined) await refuseForeignFiles(['summary.json', 'summary.md'], output, context);
  const dream = { context, store: dreamCheckpoints(context, job.job_id), jobId: job.job_id, runId: runIdOf(job), goal };
  const report = await dreamOn(dream, iterations);
  await leaveFiles(renderReport(report), output, context);
  context.log(
    `${counted(report.iterations, 'iteration')}: ${report.learned_count} learned, ${report.extended_count} found in further places, ${report.stale_count} stale`,
  );
};

export function runIdOf({ payload, job_id }: WorkerJob): string {
  return boundedText(payload, 'dream_run_id', dreamLimits.runIdCharacters) ?? job_id;
}

/** The checkpoints of the run that a job of this id made, or began. */
export function dreamCheckpoints({ root, runDir }: BuiltinContext, jobId: string): CheckpointStore {
  const phase = (stage: string): number => (dreamStages as readonly string[]).indexOf(stage) + 1;
  const fileOf = (stage: string): string => `${phase(stage)}/${stage}.json`;
  return createCheckpointStore({ root, runDir, folder: phasesFolder(root, jobId), fileOf });
}

async function dreamOn(dream: Dream, iterations: number): Promise<DreamReport> {
  const last = await dream.store.read('report');
  let report = last !== undefined && isOwn(last, dream) ? (last.result as DreamReport) : undefined;
  while (report === undefined || (report.iterations < iterations && isWaiting(report))) {
    report = await iterate(dream, report);
  }
  return report;
}

async function iterate(dream: Dream, earlier: DreamReport | undefined): Promise<DreamReport> {
  const { context, store, jobId: job_id, runId: run_id } = dream;
  const iteration = (earlier?.iterations ?? 0) + 1;
  let done: DreamResults = {};
  let after = '';
  for (const stage of dreamStages) {
    context.signal.throwIfAborted();
    const kept = await store.read(stage);
    const isKept = kept !== undefined && isOwn(kept, dream) && kept.iteration === iteration && kept.after === after;
    const facts = { built_by: DREAMT_BY, stage, run_id, job_id, iteration, after };
    const checkpoint = isKept ? kept : await store.write(facts, await runStage(stage, { ...dream, earlier }, done));
    context.log(`iteration ${iteration}, ${stage}${isKept ? ': done by an earlier attempt' : ''}`);
    done = withResult(done, checkpoint);
    after = checkpoint.result_sha256;
  }
  if (done.report === undefined) throw new Error('invariant broken: the last stage is the report');
  return done.report;
}

/** A run of the same name that another job made is another run. */
function isOwn({ job_id, run_id }: Checkpoint, dream: Dream): boolean {
  return job_id === dream.jobId && run_id === dream.runId;
}
