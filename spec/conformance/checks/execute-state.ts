/** The states of a job, watched while it goes through them. */
import { check, NotTested } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { terminal } from '../fold.js';
import { type JsonObject, numberAt, objectsAt, shown, textAt } from '../json.js';
import type { Fate } from '../profile.js';
import { taken } from './steps.js';
import { LEASES_END_WITHIN_MS, reclaimWithinMs } from './work.js';

const LOOK_EVERY_MS = 50;
const statuses = ['queued', 'running', 'retry_waiting', ...terminal];
/** From where a job may come to be completed only by another attempt. */
const WAITING = 'retry_waiting';

interface Sight {
  readonly status: string;
  readonly attempt: number;
}

export const stateChecks = [
  check(
    'execute.state.legal-edges',
    async (context) => {
      const { target } = context;
      const fates = (['complete', 'fail', 'hang', 'crash'] as const).filter((fate) => context.profile.workload?.[fate]);
      if (fates.length === 0) throw new NotTested('the workload promises no job that is taken by a worker');
      const jobs = new Map<string, Fate>();
      for (const fate of fates) jobs.set((await taken(context, context.work(fate))).jobId, fate);
      const seen = await watchJobs(context, jobs);
      for (const [jobId, sights] of seen) mustBeLegal(context, jobId, sights);
      const events = await target.events();
      for (const jobId of jobs.keys()) mustCompleteOnClaim(context, jobId, events);
    },
    { deadlineMs: LEASES_END_WITHIN_MS },
  ),

  check('execute.state.replay-oracle', async (context) => {
    // All reads of a run are held against the events; here are some that certainly are.
    const { target } = context;
    const key = context.id('key');
    const { jobId } = await taken(context, context.envelope({ idempotency_key: key }));
    await taken(context, context.envelope());
    await target.status();
    await target.cancel(jobId, { request_id: context.id('cancel') });
    await target.status();
    await target.events();
    if (context.timesJudged() === 0)
      throw new NotTested('no status could be held against the events that it stands on');
  }),
];

/** What each job was seen as, without repetitions, until all have ended; what does not end by itself is cancelled. */
async function watchJobs(context: Context, jobs: ReadonlyMap<string, Fate>): Promise<Map<string, Sight[]>> {
  const { target } = context;
  const seen = new Map<string, Sight[]>([...jobs.keys()].map((jobId) => [jobId, []]));
  const cancelled = new Set<string>();
  const patienceEndsAt = Date.now() + reclaimWithinMs(context);
  const look = async (): Promise<true | undefined> => {
    for (const job of objectsAt(await target.status(), 'queue', 'jobs')) {
      const sights = seen.get(textAt(job, 'job_id') ?? '');
      const sight = { status: textAt(job, 'status') ?? '', attempt: numberAt(job, 'attempt') ?? 0 };
      const last = sights?.at(-1);
      if (last?.status !== sight.status || last.attempt !== sight.attempt) sights?.push(sight);
    }
    const open = [...jobs].filter(([jobId]) => !terminal.includes(seen.get(jobId)?.at(-1)?.status ?? ''));
    if (open.some(([, fate]) => fate === 'complete' || fate === 'fail')) return undefined;
    for (const [jobId, fate] of open) {
      const last = seen.get(jobId)?.at(-1);
      // Of one that crashes the second attempt is worth seeing, where leases are short enough.
      const isSeen = fate === 'hang' ? last?.status === 'running' : (last?.attempt ?? 0) > 1;
      if (cancelled.has(jobId) || !(isSeen || Date.now() > patienceEndsAt)) continue;
      cancelled.add(jobId);
      const answer = await target.cancel(jobId, { reason: 'it was watched for long enough' });
      context.must(isGood(answer), 'a job that has not ended can be cancelled', said(answer), answer);
    }
    return open.length === 0 ? true : undefined;
  };
  await context.until('the jobs of the workload to end', 2 * reclaimWithinMs(context), look, LOOK_EVERY_MS);
  return seen;
}

function mustBeLegal(context: Context, jobId: string, sights: readonly Sight[]): void {
  for (const [index, now] of sights.entries()) {
    const way = shown(sights.slice(Math.max(0, index - 1), index + 1));
    context.must(statuses.includes(now.status), `job ${jobId} is one of ${statuses.join(', ')}`, way);
    const before = sights[index - 1];
    if (before === undefined) continue;
    context.must(!terminal.includes(before.status), `job ${jobId}: nothing changes what has ended`, way);
    context.must(now.status !== 'queued', `job ${jobId}: nothing leads back to queued`, way);
    context.must(now.attempt >= before.attempt, `job ${jobId}: \`attempt\` never goes back`, way);
    const needsClaim = before.status === WAITING && now.status === 'completed';
    context.must(!needsClaim || now.attempt > before.attempt, `job ${jobId}: ${WAITING}, a claim, completed`, way);
    const isRun = now.status === 'running' && before.status === WAITING;
    context.must(!isRun || now.attempt > before.attempt, `job ${jobId}: another attempt for another run`, way);
  }
}

/** A job that is shown as completed was somebody's at that moment. */
function mustCompleteOnClaim(context: Context, jobId: string, events: readonly JsonObject[]): void {
  let isHeld = false;
  for (const event of events.filter((each) => each['job_id'] === jobId)) {
    const type = textAt(event, 'event_type');
    if (type === 'job.claimed') isHeld = true;
    if (type === 'job.lease_expired') isHeld = false;
    if (type === 'job.completed') {
      context.must(isHeld, `job ${jobId}: a claim that holds before job.completed`, event);
      return;
    }
    if (type === 'job.failed' || type === 'job.cancelled') return;
  }
}
