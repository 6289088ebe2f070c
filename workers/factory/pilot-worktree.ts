/**
 * The worktree of a pilot: made for one attempt below its run folder, and gone with it. Its name says whose it is, so that
 * whatever a killed attempt left is found again without believing anything that stands in it:
 *
 *     <runs>/<job>/attempt-<n>/pilot/<name>      the tree, beside what else the pilot needs on its way
 *     <git folder>/worktrees/<name>/             what git keeps of it
 *     <name> = agentopsd-pilot-<hash of the root>-<hash of the job id>-<n>
 *
 * It is removed without git, which would not start any more when the attempt is to stop, and which trusts the files in it.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, realpath, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { WorkerJob } from '../../lib/model/worker-protocol.js';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import { type CommitId, gitOrFail, type Repository } from '../kit/repository.js';
import { removeCopy } from '../kit/workspace-copy.js';

export interface PilotPlace {
  /** Absolute: the tree. */
  readonly tree: string;
  /** Absolute, on the way: for temporary files, an index, objects. */
  readonly scratch: string;
  /** Leaves nothing of it. Works also when the attempt is to stop. Idempotent. */
  remove(): Promise<void>;
}

const SCRATCH = 'pilot';
const PREFIX = 'agentopsd-pilot';
/** A sparse checkout of somebody else's choosing would hide files from the order. */
const wholeTree = [['core.sparseCheckout', 'false']] as const;

/** @throws a failure `request_rejected` with what git complains about */
export async function makePilotPlace(
  job: Pick<WorkerJob, 'job_id' | 'attempt'>,
  base: CommitId,
  repository: Repository,
  context: BuiltinContext,
): Promise<PilotPlace> {
  const name = `${prefixOf(context.root, job.job_id)}${job.attempt}`;
  const scratch = join(context.runDir, SCRATCH);
  const tree = join(scratch, name);
  await refuseLinkedWorktrees(repository);
  const remove = () => removePilot(scratch, name, repository);
  await mkdir(join(scratch, 'tmp'), { recursive: true });
  try {
    await gitOrFail(context, ['worktree', 'add', '--quiet', '--detach', tree, base], { settings: wholeTree });
    await lstat(join(worktreesOf(repository), name));
  } catch (error) {
    await remove();
    throw error;
  }
  return { tree, scratch, remove };
}

/**
 * Removes what pilots of this root left that no longer run: those of earlier attempts of this job, and of jobs that ended
 * without one more attempt.
 */
export async function sweepPilots(repository: Repository, context: BuiltinContext): Promise<void> {
  const ofRoot = `${PREFIX}-${hashOf(context.root)}-`;
  const names = (await namesIn(worktreesOf(repository))).filter((name) => name.startsWith(ofRoot));
  // Asked after the folder was read: whose worktree was there by then is among them, or over.
  const live =
    names.length === 0 ? [] : (await context.openOrders()).map((order) => prefixOf(context.root, order.job_id));
  for (const name of names) {
    const attempt = /-(\d+)$/.exec(name)?.[1];
    if (attempt === undefined || live.some((prefix) => name.startsWith(prefix))) continue;
    await refuseLinkedWorktrees(repository);
    for (const folder of await scratchFoldersOf(context, name, attempt)) await removeCopy(folder);
    await removePilot(undefined, name, repository);
    context.log(`removed a worktree that was left behind: ${name}`);
  }
  for (const scratch of await ownScratchFolders(context)) await removeCopy(scratch);
}

/** Also where git had not made anything yet, or it was removed already. */
async function ownScratchFolders({ runDir }: BuiltinContext): Promise<string[]> {
  const runs = dirname(runDir);
  const attempts = (await namesIn(runs)).filter((name) => /^attempt-\d+$/.test(name) && join(runs, name) !== runDir);
  return onlyFolders(attempts.map((attempt) => join(runs, attempt, SCRATCH)));
}

/** The folder of an attempt is named after its job: whichever holds the tree of this name. */
async function scratchFoldersOf({ runDir }: BuiltinContext, name: string, attempt: string): Promise<string[]> {
  const runs = dirname(dirname(runDir));
  const trees = (await namesIn(runs)).map((job) => join(runs, job, `attempt-${attempt}`, SCRATCH, name));
  return (await onlyFolders(trees)).map((tree) => dirname(tree));
}

/** A repository can deliver links below its root: what is reached through one is not ours. */
async function onlyFolders(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths)
    if ((await isFolder(path)) && (await realpath(path).catch(() => undefined)) === path) found.push(path);
  return found;
}

/** First the tree, then what git keeps: what has no tree any more git itself no longer takes for one. */
async function removePilot(scratch: string | undefined, name: string, repository: Repository): Promise<void> {
  if (scratch !== undefined) await removeCopy(scratch);
  const worktrees = worktreesOf(repository);
  await removeCopy(join(worktrees, name));
  // As git does when its last worktree goes; others may be there.
  await rmdir(worktrees).catch(() => undefined);
}

function worktreesOf({ commonFolder }: Repository): string {
  return join(commonFolder, 'worktrees');
}

async function refuseLinkedWorktrees(repository: Repository): Promise<void> {
  const facts = await lstat(worktreesOf(repository)).catch(() => undefined);
  if (facts?.isDirectory() === false)
    throw failure('request_rejected', "the repository's folder for worktrees, .git/worktrees, is a link or a file");
}

function prefixOf(root: string, jobId: string): string {
  return `${PREFIX}-${hashOf(root)}-${hashOf(jobId)}-`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [] as string[])).sort();
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}
