/**
 * What a phase changed: the difference between two states of the working tree, files that git does not know yet
 * included. Each state is kept as a tree of git's, made with an index of our own: the user's index is not touched, and
 * what is staged there stays so. What the daemon writes while the phase runs is left out.
 */
import { copyFile, lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failureOf } from '../failure.js';
import { type GitContext, git } from '../kit/git.js';
import { rpiLimits } from './limits.js';

export type TreeState = { readonly tree: string } | { readonly none: string };

const OURS = ['.agents/daemon', '.agents/runs', '.agents/inbox'];

/**
 * @param folder absolute; the top of a working tree
 * @param scratch absolute folder for the index
 * @returns the tree, or why there is none: a folder without git has no differences
 */
export async function treeOf(context: GitContext, folder: string, scratch: string): Promise<TreeState> {
  const indexFile = join(scratch, 'index');
  try {
    await mkdir(scratch, { recursive: true });
    const found = await git(context, ['rev-parse', '--absolute-git-dir'], { cwd: folder });
    if (found.exitCode !== 0) return { none: 'there is no git repository' };
    // With the user's index as its start, git hashes again only what changed since.
    await copyFile(join(found.stdout, 'index'), indexFile).catch(() => undefined);
    // What is ignored anyway must not be excluded: git takes it for something that was asked for.
    const ignored = (await git(context, ['check-ignore', ...OURS], { cwd: folder })).stdout.split('\n');
    const excluded = OURS.filter((path) => !ignored.includes(path)).map((path) => `:(exclude,top)${path}`);
    const added = await git(context, ['add', '--all', '--', '.', ...excluded], { cwd: folder, indexFile });
    if (added.exitCode !== 0) return { none: 'git could not take in the files' };
    const written = await git(context, ['write-tree'], { cwd: folder, indexFile });
    return written.exitCode === 0 ? { tree: written.stdout.trim() } : { none: 'git could not write a tree' };
  } catch (error) {
    context.signal.throwIfAborted();
    return { none: failureOf(error).message ?? 'git failed' };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export interface Difference {
  readonly files: number;
  readonly insertions: number;
  readonly deletions: number;
  /** Set when the file holds counts alone. */
  readonly leftOut?: string;
}

/**
 * Writes the difference as a patch that `git apply` takes.
 * @param path absolute; what stands there is written over
 * @returns why there is none, when there is none
 */
export async function writeDifference(
  context: GitContext,
  folder: string,
  [before, after]: readonly [TreeState, TreeState],
  path: string,
): Promise<Difference | { readonly none: string }> {
  if ('none' in before) return before;
  if ('none' in after) return after;
  const diff = (...more: string[]) =>
    git(context, ['diff', '--no-ext-diff', '--no-textconv', '--no-color', ...more, before.tree, after.tree], {
      cwd: folder,
    });
  try {
    const counted = countsOf((await diff('--numstat')).stdout);
    const made = await diff('--binary', '--full-index', `--output=${path}`);
    if (made.exitCode !== 0) return { none: 'git could not tell the difference' };
    const { size } = await lstat(path);
    if (size <= rpiLimits.diffBytes) return counted;
    await diff('--stat', `--output=${path}`);
    return { ...counted, leftOut: `the patch has ${size} bytes; at most ${rpiLimits.diffBytes} are kept` };
  } catch (error) {
    context.signal.throwIfAborted();
    return { none: failureOf(error).message ?? 'git failed' };
  }
}

function countsOf(numstat: string): Difference {
  const lines = numstat.split('\n').filter((line) => line !== '');
  const sum = (column: number) =>
    lines.reduce((total, line) => total + (Number.parseInt(line.split('\t')[column] ?? '', 10) || 0), 0);
  return { files: lines.length, insertions: sum(0), deletions: sum(1) };
}
