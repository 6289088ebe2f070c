/** What the consumer's views are looked at with: a job of each kind, jobs in every state, all lists at once. */
import type { Context } from '../context.js';
import { terminal } from '../fold.js';
import type { Exchange } from '../target/exchange.js';
import type { Target } from '../target/target.js';
import { someJobs } from './steady.js';
import { queuedJob } from './steps.js';

export const workEndsWithinMs = 60_000;

/** A job of each type that lands somewhere else. */
export const kindTypes = ['rpi.run', 'dream.run', 'wiki.forge', 'openclaw.snapshot'] as const;

/** Their ids, in the order of `kindTypes`. */
export async function oneOfEachKind(context: Context): Promise<string[]> {
  const ids: string[] = [];
  for (const job_type of kindTypes) {
    const envelope = context.envelope({ job_type, payload: {} });
    await context.accepted(envelope);
    ids.push(String(envelope['job_id']));
  }
  return ids;
}

/** Queued and cancelled ones, and ended ones where their fate is promised. @throws Ended Late NotTested */
export async function mixedJobs(context: Context): Promise<void> {
  const [, second] = await someJobs(context, 2);
  await context.target.cancel(second ?? '');
  for (const fate of ['complete', 'fail'] as const) {
    if (context.profile.workload?.[fate] === undefined) continue;
    const envelope = context.work(fate);
    await context.accepted(envelope);
    await queuedJob(String(envelope['job_id']), context.target);
    await context.target.untilStatus(String(envelope['job_id']), terminal, workEndsWithinMs);
  }
}

export async function readAll(target: Target) {
  const read = (name: string): Promise<Exchange> => target.readExchange(`${target.consumerBase}/${name}`);
  const lists = { runs: await read('runs'), jobs: await read('jobs'), wiki: await read('wiki') };
  return { lists, snapshot: await read('snapshot/latest') };
}
