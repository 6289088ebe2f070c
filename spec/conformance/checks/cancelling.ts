/** Cancels of jobs that have not ended: simple where a job waits by promise, a race with workers where none does. */
import { NotTested } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { type JsonObject, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import type { Target } from '../target/target.js';
import { omitting, taken, times } from './steps.js';

/** Jobs that workers have to do first, at each try. */
const BEFORE = [0, 10, 30, 80];

export interface Open {
  readonly jobId: string;
  readonly envelope: JsonObject;
}

/** A job that will still be there when it is cancelled, or probably will. */
async function openJob(context: Context, before: number, target: Target): Promise<Open> {
  const others = times(before).map(() => omitting(context.envelope(), 'job_id'));
  await Promise.all(others.map((each) => target.submit(each)));
  const envelope = context.envelope();
  const { jobId } = await taken(context, envelope, target);
  return { jobId, envelope };
}

/**
 * Gives `cancel` an open job, again and again until what it tells is no longer that the job had ended before.
 * @param cancel undefined: the job had ended
 * @throws NotTested where workers always win
 */
export async function withOpenJob<T>(
  context: Context,
  cancel: (open: Open) => Promise<T | undefined>,
  target: Target = context.target,
): Promise<T> {
  const tries = context.profile.workload?.idle === undefined ? BEFORE : [0];
  for (const before of tries) {
    const found = await cancel(await openJob(context, before, target));
    if (found !== undefined) return found;
  }
  throw new NotTested(
    'every job had ended before it could be cancelled: workload.idle of a profile names one that waits',
  );
}

export interface Cancelled extends Open {
  readonly answer: Exchange;
}

/** A job that was cancelled before it ended. @throws Ended NotTested */
export function cancelledJob(context: Context, body: JsonObject = {}, target = context.target): Promise<Cancelled> {
  const cancel = async (open: Open): Promise<Cancelled | undefined> => {
    const answer = await target.cancel(open.jobId, body);
    context.demand(isGood(answer), 'a cancel of a job that is there is answered well', said(answer), answer);
    return (await hadEnded(context, open, answer, target)) ? undefined : { ...open, answer };
  };
  return withOpenJob(context, cancel, target);
}

/** Whether an answer says, truly, that a worker was quicker. */
export async function hadEnded(context: Context, { jobId }: Open, answer: Exchange, target: Target): Promise<boolean> {
  const outcome = textAt(answer.json, 'outcome') ?? '';
  if (!/^already_terminal_(completed|failed)$/.test(outcome)) return false;
  const events = await target.eventsOf(jobId, `job.${outcome.replace('already_terminal_', '')}`);
  context.demand(events.length > 0, `an event behind the outcome ${outcome}`, 'there is none', answer);
  return true;
}
