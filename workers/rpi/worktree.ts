/**
 * A git worktree for one run, in the job's folder: shared by its attempts, never merged, and no branch is made. At the
 * end what was changed in it is kept as a patch, and the worktree goes. It stays, and that is told, when the patch can't
 * be kept, and when the job was cut short: then it holds all there is.
 */
import { lstat, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import { git } from '../kit/git.js';
import { treeOf, writeDifference } from './difference.js';

export interface Worktree {
  /** Absolute. */
  readonly folder: string;
  /** Commit that it began with. */
  readonly base: string;
}

const FOLDER = 'worktree';
const PATCH = 'worktree.patch';

/** @throws JobFailure `request_rejected` when there is no git repository with a commit, or git refuses */
export async function openWorktree(context: BuiltinContext): Promise<Worktree> {
  const folder = join(dirname(context.runDir), FOLDER);
  const head = await git(context, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (head.exitCode !== 0) {
    throw failure('request_rejected', 'payload.worktree: the repository needs git and a commit to make a worktree of');
  }
  const kept = context.attempt === 1 ? undefined : await baseOf(context, folder);
  if (kept !== undefined) return { folder, base: kept };
  await rm(folder, { recursive: true, force: true });
  await git(context, ['worktree', 'prune']);
  const base = head.stdout.trim();
  const added = await git(context, ['worktree', 'add', '--detach', '--force', folder, base]);
  if (added.exitCode !== 0) {
    throw failure('request_rejected', 'payload.worktree: git could not make it; the output of the job says why');
  }
  const path = relative(context.root, folder);
  context.log(`[agentopsd: the run works in ${path}; should it be cut short: git worktree remove --force ${path}]`);
  return { folder, base };
}

/** The commit of a worktree that an earlier attempt made; undefined when there is none. */
async function baseOf(context: BuiltinContext, folder: string): Promise<string | undefined> {
  const isThere = await lstat(join(folder, '.git')).then(
    (facts) => facts.isFile(),
    () => false,
  );
  if (!isThere) return undefined;
  const head = await git(context, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], { cwd: folder });
  return head.exitCode === 0 ? head.stdout.trim() : undefined;
}

/** What became of a worktree, in words for people. */
export async function closeWorktree(context: BuiltinContext, { folder, base }: Worktree): Promise<string> {
  const path = relative(context.root, folder);
  const patch = join(context.runDir, 'artifacts', PATCH);
  const after = await treeOf(context, folder, join(context.runDir, 'index'));
  const tree = await git(context, ['rev-parse', '--verify', `${base}^{tree}`], { cwd: folder });
  const kept = await writeDifference(context, folder, [{ tree: tree.stdout.trim() }, after], patch);
  if ('none' in kept || kept.leftOut !== undefined) {
    const why = 'none' in kept ? kept.none : kept.leftOut;
    return `the worktree ${path} stays, since its changes can't be kept as a patch (${why}); when they are no longer needed: git worktree remove --force ${path}`;
  }
  const where = await context.recordArtifact(PATCH, patch);
  const removed = await git(context, ['worktree', 'remove', '--force', '--force', folder]);
  if (removed.exitCode !== 0) return `the worktree ${path} could not be removed: git worktree remove --force ${path}`;
  return kept.files === 0
    ? 'the worktree had no changes and is removed'
    : `the worktree is removed; its changes, of ${kept.files} files, are kept: git apply ${where}`;
}
