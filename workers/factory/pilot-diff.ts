/**
 * What a pilot changed against the base: files that are new, changed or gone, committed or not, but for those that git
 * ignores. It is found without believing the worktree's own `.git`, and leaves nothing in the repository: index and
 * objects stand beside the tree.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import type { GitOptions } from '../kit/git.js';
import { unquotedPath } from '../kit/git-paths.js';
import { type CommitId, gitOrFail, type Repository } from '../kit/repository.js';
import { factoryLimits } from './limits.js';
import type { PilotPlace } from './pilot-worktree.js';

export interface PilotDiff {
  /** A patch that `git apply` takes, binary files included; empty when nothing was changed. */
  readonly patch: Buffer;
  /** Sorted by path. */
  readonly changes: readonly { readonly status: 'added' | 'changed' | 'removed'; readonly path: string }[];
}

const ownIndex = [
  ['core.sparseCheckout', 'false'],
  // Would put a part of the index into the repository.
  ['core.splitIndex', 'false'],
] as const;
const STATUS = { A: 'added', D: 'removed' } as const;

/** @throws a failure `request_rejected` when git can't read what is there, or the difference is too large */
export async function pilotDiff(
  base: CommitId,
  { tree, scratch }: PilotPlace,
  repository: Repository,
  context: BuiltinContext,
): Promise<PilotDiff> {
  const folder = join(scratch, 'objects');
  await mkdir(folder, { recursive: true });
  const options: GitOptions = {
    cwd: tree,
    gitFolder: repository.gitFolder,
    indexFile: join(scratch, 'index'),
    newObjects: { folder, beside: join(repository.commonFolder, 'objects') },
    settings: ownIndex,
  };
  await gitOrFail(context, ['read-tree', base], options);
  await gitOrFail(context, ['add', '--all', '--', '.'], options);
  const compare = ['diff-index', '--cached', '--no-renames', '--no-relative'];
  const bounded = { ...options, outputBytes: factoryLimits.diffBytes, cut: true };
  const listed = await gitOrFail(context, [...compare, '--name-status', base], bounded);
  const patch = await gitOrFail(context, [...compare, '--patch', '--binary', '--full-index', base], bounded);
  if (listed.cut || patch.cut)
    throw failure(
      'request_rejected',
      `the pilot changed more than a difference of ${factoryLimits.diffBytes} bytes can say: let git ignore what is no result of it`,
    );
  return { patch: patch.bytes, changes: changesOf(listed.stdout) };
}

function changesOf(listing: string): PilotDiff['changes'] {
  const lines = listing.split('\n').filter((line) => line !== '');
  return lines.map((line) => ({
    status: STATUS[line[0] as keyof typeof STATUS] ?? 'changed',
    path: unquotedPath(line.slice(line.indexOf('\t') + 1)),
  }));
}
