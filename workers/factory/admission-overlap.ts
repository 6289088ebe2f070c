/**
 * Whether a work order touches what is being changed already: by the open requests that it names itself, and by jobs of
 * this daemon that carry an order and have not ended. What can't be found out counts as an overlap.
 */
import type { OpenOrder } from '../../lib/model/worker-protocol.js';
import { type GitContext, git } from '../kit/git.js';
import { pathsOf } from '../kit/git-paths.js';
import { told } from '../kit/payload.js';
import { type CommitId, commitOfRef } from '../kit/repository.js';
import { blocked, type Checked, passed, somePaths, toldPaths } from './admission-checks.js';
import { factoryLimits } from './limits.js';
import { coveredPaths, overlapping } from './order-paths.js';
import { readWorkOrder } from './work-order.js';
import type { Blocker, OpenRequest, WorkOrder } from './work-order-model.js';

/** What somebody else changes: paths, or why that is not known. */
type Changed = { readonly paths: readonly string[] } | { readonly unknown: string };

export async function checkOverlap(
  context: GitContext,
  order: WorkOrder,
  base: CommitId | undefined,
  openOrders: readonly OpenOrder[],
): Promise<Checked> {
  const covered = await coveredPaths(context.root, order.paths, 'payload.work_order.paths');
  const blockers: Blocker[] = [];
  const compare = (who: string, changed: Changed) => {
    const blocker = blockerOf(who, changed, covered);
    if (blocker !== undefined) blockers.push(blocker);
  };
  for (const [at, request] of order.open_requests.entries())
    compare(`the open request ${told(request.id)}`, await changedByRequest(context, request, at, base));
  const jobs = openOrders.filter(isUnderWay);
  for (const job of jobs)
    compare(`the job ${told(job.job_id)} (${job.job_type})`, await changedByJob(context.root, job));
  if (blockers.length > 0) return blocked('overlap', blockers);
  return passed('overlap', `none with ${order.open_requests.length} open requests and ${jobs.length} jobs`);
}

/**
 * A run with an order is under way. An admission is when it would hand its order on; of two that wait for their decision
 * the one that was accepted first goes first. A pilot leaves nothing behind unless it hands on.
 */
function isUnderWay({ job_type, handsOn, earlier }: OpenOrder): boolean {
  return job_type.startsWith('rpi.') || (handsOn && earlier);
}

function blockerOf(who: string, changed: Changed, covered: readonly string[]): Blocker | undefined {
  if ('unknown' in changed)
    return {
      check: 'overlap',
      code: 'overlap_unknown',
      message: `what ${who} changes is not known: ${changed.unknown}`,
    };
  const paths = overlapping(covered, changed.paths);
  if (paths.length === 0) return undefined;
  return { check: 'overlap', code: 'overlap', message: `${who} changes ${toldPaths(paths)}`, paths: somePaths(paths) };
}

async function changedByRequest(
  context: GitContext,
  { paths, ref }: OpenRequest,
  at: number,
  base: CommitId | undefined,
): Promise<Changed> {
  const member = `payload.work_order.open_requests[${at}].paths`;
  const named =
    paths === undefined || (paths.length === 0 && ref !== undefined)
      ? []
      : await coveredPaths(context.root, paths, member);
  if (ref === undefined) return { paths: named };
  const found = await changedByBranch(context, ref, base);
  return 'unknown' in found ? found : { paths: [...named, ...found.paths] };
}

/** What it changed since it left the base. */
async function changedByBranch(context: GitContext, ref: string, base: CommitId | undefined): Promise<Changed> {
  if (base === undefined) return { unknown: 'there is no base to compare it with' };
  const tip = await commitOfRef(context, ref);
  if (tip === undefined)
    return { unknown: `${told(ref)} is not there: fetch it, or leave the request out when it is closed` };
  const fork = await git(context, ['merge-base', base, tip]);
  if (fork.exitCode !== 0) return { unknown: `${told(ref)} has no commit in common with the base` };
  const options = ['--name-only', '--no-renames', '--no-relative', '--ignore-submodules=none'];
  const listed = await git(context, ['diff-tree', '-r', ...options, fork.stdout.trim(), tip], {
    outputBytes: factoryLimits.listingBytes,
    cut: true,
  });
  if (listed.exitCode !== 0) return { unknown: `git can't compare ${told(ref)} with the base: ${listed.complaint}` };
  return listed.cut ? { unknown: `${told(ref)} changes too many files` } : { paths: pathsOf(listed.stdout) };
}

/** A job that was accepted may hold anything: what is no list of paths is taken for the whole repository. */
async function changedByJob(root: string, { job_id, work_order }: OpenOrder): Promise<Changed> {
  try {
    const paths =
      typeof work_order === 'string'
        ? (await readWorkOrder(root, { job_id, payload: { work_order } })).paths
        : ((work_order.paths ?? []) as readonly string[]);
    return { paths: await coveredPaths(root, paths, 'paths') };
  } catch {
    // It can't be judged either when its turn comes.
    return typeof work_order === 'string' ? { paths: [] } : { paths: ['.'] };
  }
}
