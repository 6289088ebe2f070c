/**
 * Runs cases one by one, each in a copy of its own that is there for this run alone. Copies stand in the attempt's folder;
 * what an attempt that was killed left of them goes when the next one begins.
 */
import { lstat, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runFileNames } from '../agents/run-files.js';
import type { BuiltinContext } from '../builtin-context.js';
import { told } from '../kit/payload.js';
import { type CopyPlan, makeCopy, removeCopy } from '../kit/workspace-copy.js';
import { runCase } from './case.js';
import { type KeptRuns, keptRuns } from './kept-runs.js';
import type { CaseRun, EvalCase, EvalSuite } from './model.js';

export interface PlannedRun {
  readonly each: EvalCase;
  /** Such as `case-1/try-1`; once in a job. */
  readonly name: string;
  readonly plan: CopyPlan;
  readonly skill?: {
    /** Its folder, relative to the copy. */
    readonly at: string;
    readonly told: string;
  };
}

export type RunOnce = (planned: PlannedRun) => Promise<CaseRun>;

const COPIES = 'copies';
/** A copy lies below the repository: a git that looks for one from inside of it stops here, and finds none. */
const NO_REPOSITORY = 'gitdir: none\n';

/** @returns what `work` does; whatever becomes of it, no copy is left */
export async function withRuns<Found>(
  suite: EvalSuite,
  context: BuiltinContext,
  work: (runOnce: RunOnce) => Promise<Found>,
): Promise<Found> {
  await removeCopies(context);
  const kept = keptRuns(context);
  await kept.begin();
  try {
    const found = await work((planned) => runOnce(planned, suite, kept, context));
    await kept.finish();
    return found;
  } finally {
    await removeCopies(context);
  }
}

async function runOnce(
  planned: PlannedRun,
  suite: EvalSuite,
  kept: KeptRuns,
  context: BuiltinContext,
): Promise<CaseRun> {
  const { each, name, plan, skill } = planned;
  context.signal.throwIfAborted();
  const withSkill = skill === undefined ? null : [skill.at, skill.told];
  const facts = [suite.sha256, each, plan.sha256, withSkill, context.agent?.name ?? null];
  const before = await kept.find(name, facts);
  if (before !== undefined) {
    context.log(`${told(each.id)} (${name}): ${before.attempt.verdict}, found by an earlier attempt`);
    if (before.agent !== undefined) await recordAgentFiles(name, kept, context);
    return before;
  }
  const run = await runInCopy(planned, kept, context);
  await kept.keep(name, facts, run);
  context.log(`${told(each.id)} (${name}): ${run.attempt.verdict} after ${run.duration_ms} ms`);
  return run;
}

async function runInCopy(
  { each, name, plan, skill }: PlannedRun,
  kept: KeptRuns,
  context: BuiltinContext,
): Promise<CaseRun> {
  const around = join(context.runDir, COPIES, name.replaceAll('/', '-'));
  const copy = join(around, 'copy');
  const inCopy = skill === undefined ? {} : { skill: { folder: join(copy, skill.at), told: skill.told } };
  try {
    await makeCopy(context.root, plan, copy, context.signal);
    await writeFile(join(around, '.git'), NO_REPOSITORY);
    return await runCase(each, { copy, name, kept: kept.folderOf(name), ...inCopy }, context);
  } finally {
    await removeCopy(around).catch((error: unknown) => context.log(`${name}: its copy stays: ${String(error)}`));
  }
}

/** What the agent left in an earlier attempt belongs to the job all the same. */
async function recordAgentFiles(name: string, kept: KeptRuns, context: BuiltinContext): Promise<void> {
  for (const file of runFileNames) {
    const path = join(kept.folderOf(name), file);
    if ((await lstat(path).catch(() => undefined))?.isFile() === true)
      await context.recordArtifact(`${name}/${file}`, path);
  }
}

/** Of every attempt of this job: no other one runs. */
async function removeCopies({ runDir, log }: BuiltinContext): Promise<void> {
  const jobFolder = dirname(runDir);
  for (const attempt of await readdir(jobFolder, { withFileTypes: true }))
    if (attempt.isDirectory() && attempt.name.startsWith('attempt-'))
      await removeCopy(join(jobFolder, attempt.name, COPIES)).catch((error: unknown) =>
        log(`copies of ${attempt.name} stay: ${String(error)}`),
      );
}
