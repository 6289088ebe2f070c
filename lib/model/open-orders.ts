/** Which jobs carry out a work order, or are about to: what a new order may overlap with. Pure. */
import { isJsonObject, type Json, type JsonObject } from '../base/json.js';
import type { JobType } from './event.js';
import { isTerminal, type Job } from './job.js';
import type { State } from './state.js';
import type { OpenOrder } from './worker-protocol.js';

const orderTypes: ReadonlySet<JobType> = new Set(['rpi.run', 'rpi.phase', 'factory.admission', 'factory.local-pilot']);

/**
 * Jobs of ours that have not ended and whose payload has a `work_order`, an object or a text, in the order of acceptance.
 * Looks at the live jobs alone, however many have ended.
 * @param askingId the job that asks, which is left out
 */
export function openOrders(state: State, askingId: string): OpenOrder[] {
  const asking = state.job(askingId);
  const found: [acceptedSeq: number, order: OpenOrder][] = [];
  for (const jobId of liveJobs(state)) {
    const job = state.job(jobId);
    if (job === undefined || jobId === askingId || job.foreign || isTerminal(job)) continue;
    const order = orderTypes.has(job.job_type) ? orderOf(job, asking?.accepted_seq ?? 0) : undefined;
    if (order !== undefined) found.push([job.accepted_seq, order]);
  }
  return found.sort(([one], [other]) => one - other).map(([, order]) => order);
}

function orderOf({ job_id, job_type, accepted_seq, payload }: Job, askingSeq: number): OpenOrder | undefined {
  const { work_order, handoff } = payload;
  if (typeof work_order !== 'string' && !isJsonObject(work_order)) return undefined;
  return {
    job_id,
    job_type,
    earlier: accepted_seq < askingSeq,
    handsOn: handoff === true || isJsonObject(handoff),
    work_order: typeof work_order === 'string' ? work_order : pick(work_order),
  };
}

function pick({ id, paths }: JsonObject): { id?: Json; paths?: Json } {
  return { ...(id === undefined ? {} : { id }), ...(paths === undefined ? {} : { paths }) };
}

function* liveJobs(state: State): Generator<string> {
  yield* state.running();
  for (const jobType of orderTypes) yield* state.claimable(jobType);
}
