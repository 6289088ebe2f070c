/**
 * Holds a work order against the repository as it stands: its base, the tree, the window. Each check is a question with
 * one answer, and reasons where the answer is no; none of them changes anything.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { counted } from '../../lib/base/text.js';
import type { GitContext } from '../kit/git.js';
import { pathsOf } from '../kit/git-paths.js';
import { told } from '../kit/payload.js';
import { type CommitId, commitOfId, commitOfRef, commitsBetween, gitOrFail, isAncestor } from '../kit/repository.js';
import { factoryLimits } from './limits.js';
import { readJsonFile, refuse } from './work-order.js';
import { ciBaselineProblems, isCiBaseline } from './work-order-checks.js';
import type { Blocker, BlockerCode, Check, CheckName, CiBaseline, WorkOrder } from './work-order-model.js';

export interface Checked {
  readonly check: Check;
  readonly blockers: readonly Blocker[];
}

/** What changes all the time while a daemon runs, and is no work of anybody. */
const RUNTIME_FOLDERS = ['.agents/daemon', '.agents/inbox', '.agents/runs'];

export async function checkBase(context: GitContext, order: WorkOrder): Promise<Checked & { base?: CommitId }> {
  const head = await commitOfRef(context, order.base_ref);
  const block = (code: BlockerCode, message: string) => blocked('base', [{ check: 'base', code, message }]);
  if (head === undefined)
    return order.base_ref === 'HEAD'
      ? block('no_commits', 'the repository has no commit yet: make one')
      : block('ref_unknown', `${told(order.base_ref)} is not there, or is no commit: fetch it, or correct base_ref`);
  const base = order.base_sha ?? head;
  if (base === head) return { ...passed('base', `${order.base_ref} stands at ${base}`), base };
  if ((await commitOfId(context, base)) === undefined)
    return block('base_unknown', `${base} is no commit that the repository has: fetch it, or correct base_sha`);
  if (!(await isAncestor(context, base, head)))
    return { ...block('base_diverged', `${base} is no part of ${order.base_ref}, which stands at ${head}`), base };
  const behind = await commitsBetween(context, base, head);
  const most = order.window.max_commits_behind;
  const found = `${base} is ${counted(behind, 'commit')} behind ${order.base_ref}, which stands at ${head}`;
  if (behind <= most) return { ...passed('base', found), base };
  return { ...block('base_behind', `${found}; at most ${most} may be: start from a newer base_sha`), base };
}

export async function checkTree(context: GitContext, order: WorkOrder): Promise<Checked> {
  if (order.allow_dirty) return notAsked('tree', 'allow_dirty');
  const exclude = RUNTIME_FOLDERS.map((folder) => `:(exclude,top)${folder}`);
  const options = ['--porcelain=v1', '--untracked-files=normal', '--ignore-submodules=dirty', '--no-renames'];
  const { stdout, cut } = await gitOrFail(context, ['status', ...options, '--', '.', ...exclude], {
    outputBytes: factoryLimits.listingBytes,
    cut: true,
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  // What was cut may end in half a line.
  if (cut) lines.pop();
  if (lines.length === 0 && !cut) return passed('tree', 'clean');
  const paths = pathsOf(lines.map((line) => line.slice(3)).join('\n'));
  const count = `${cut ? 'more than ' : ''}${counted(paths.length, 'path')}`;
  return blocked('tree', [
    {
      check: 'tree',
      code: 'tree_dirty',
      message: `${count} changed and not committed, or not tracked: ${toldPaths(paths)}`,
      paths: somePaths(paths),
    },
  ]);
}

/** @param nowMs the wall clock in milliseconds since 1970 */
export function checkWindow({ window }: WorkOrder, nowMs: number): Checked {
  const { not_before, not_after } = window;
  if (not_before === undefined && not_after === undefined) return notAsked('window', 'at any time');
  if (not_before !== undefined && nowMs < Date.parse(not_before))
    return blocked('window', [
      { check: 'window', code: 'window_not_open', message: `the window opens at ${not_before}` },
    ]);
  if (not_after !== undefined && nowMs > Date.parse(not_after))
    return blocked('window', [
      { check: 'window', code: 'window_closed', message: `the window closed at ${not_after}` },
    ]);
  return passed('window', `open${not_after === undefined ? '' : ` until ${not_after}`}`);
}

export async function checkCi(root: string, order: WorkOrder, base: CommitId | undefined): Promise<Checked> {
  const { ci_baseline } = order;
  if (ci_baseline === undefined) return notAsked('ci', 'no ci_baseline');
  const block = (code: BlockerCode, message: string) => blocked('ci', [{ check: 'ci', code, message }]);
  const baseline = typeof ci_baseline === 'string' ? await readBaseline(root, ci_baseline) : ci_baseline;
  if (baseline === undefined)
    return block('ci_missing', `${told(ci_baseline as string)} is not there: CI said nothing yet`);
  const { sha, status, url } = baseline;
  const where = url === undefined ? '' : ` (${told(url)})`;
  if (sha.toLowerCase() !== base)
    return block('ci_other_commit', `CI tells of ${sha.toLowerCase()}, not of the order's base ${base ?? '(unknown)'}`);
  if (status !== 'passed')
    return block('ci_not_passed', `CI has ${status === 'failed' ? 'failed' : 'not ended'} for ${base}${where}`);
  return passed('ci', `passed for ${base}${where}`);
}

async function readBaseline(root: string, path: string): Promise<CiBaseline | undefined> {
  const member = 'payload.work_order.ci_baseline';
  const isThere = await lstat(join(root, path)).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  if (!isThere && !path.includes('..')) return undefined;
  const value = await readJsonFile(root, path, member);
  refuse(ciBaselineProblems(value, member), `${told(path)}: `);
  if (!isCiBaseline(value)) throw new Error('invariant broken: what has no problems fits');
  return value;
}

export function toldPaths(paths: readonly string[]): string {
  const shown = paths.slice(0, factoryLimits.toldPaths).map(told).join(', ');
  return paths.length > factoryLimits.toldPaths ? `${shown} …` : shown;
}

/** The first of them, each cut where it is too long to be recorded. */
export function somePaths(paths: readonly string[]): string[] {
  const most = factoryLimits.toldPathCharacters;
  const cut = (path: string): string => (path.length <= most ? path : `${path.slice(0, most).toWellFormed()}…`);
  return paths.slice(0, factoryLimits.toldPaths).map(cut);
}

export function passed(check: CheckName, found: string): Checked {
  return { check: { check, verdict: 'pass', found }, blockers: [] };
}

function notAsked(check: CheckName, found: string): Checked {
  return { check: { check, verdict: 'not_asked', found }, blockers: [] };
}

/** Of many blockers the first ones are told, and how many there are. */
export function blocked(check: CheckName, blockers: readonly Blocker[]): Checked {
  const found = blockers.length === 1 ? (blockers[0]?.message ?? '') : `${counted(blockers.length, 'blocker')}`;
  return { check: { check, verdict: 'block', found }, blockers: blockers.slice(0, factoryLimits.toldBlockers) };
}
