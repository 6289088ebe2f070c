/** Waiting for what workers do with the jobs of a workload. */
import type { Context } from '../context.js';
import { terminal } from '../fold.js';
import { instant, type JsonObject, numberAt, textAt } from '../json.js';
import type { OwnServer } from '../target/own-server.js';
import { taken } from './steps.js';

/** For a worker to take a job, or to end a short one; leases not counted. */
export const WORK_WITHIN_MS = 60_000;
/** Waiting for the end of longer leases would take too long. */
const LONGEST_LEASE_MS = 15_000;
/** For a whole check that waits for leases to end: they may be longer than what is usual. */
export const LEASES_END_WITHIN_MS = 600_000;
/** Clocks differ, and whoever looks at one comes a little later. */
const AFTER_LEASE_MS = 300;

/** A job as the queue shows it, running. @throws Late */
export function untilRunning(context: Context, jobId: string, target = context.target): Promise<JsonObject> {
  return target.untilStatus(jobId, ['running'], WORK_WITHIN_MS);
}

/** @throws Late */
export function untilEnded(context: Context, jobId: string, target = context.target): Promise<JsonObject> {
  const withinMs = WORK_WITHIN_MS + (context.profile.leaseMs ?? 0);
  return target.untilStatus(jobId, terminal, withinMs);
}

/** A job that hangs, when a worker has it. @throws Late NotTested */
export async function hanging(context: Context, target = context.target): Promise<JsonObject> {
  const { jobId } = await taken(context, context.work('hang'), target);
  return untilRunning(context, jobId, target);
}

export function idOf(job: JsonObject): string {
  return textAt(job, 'job_id') ?? '';
}

/** Waits until the lease that a running job shows has run out, whether anybody renews it or not. */
export async function pastLease(context: Context, job: JsonObject): Promise<void> {
  const end = instant(job['lease_expires_at']) ?? Date.now() + (context.profile.leaseMs ?? 0);
  await context.pause(Math.min(Math.max(0, end - Date.now()), LONGEST_LEASE_MS) + AFTER_LEASE_MS);
}

/** How long a lease that was left behind may keep a job from others. */
export function reclaimWithinMs(context: Context): number {
  return WORK_WITHIN_MS + (context.profile.leaseMs ?? LONGEST_LEASE_MS);
}

/** Waits for an attempt after this one. @throws Late */
export function untilReclaimed(context: Context, before: JsonObject, target = context.target): Promise<JsonObject> {
  const attempt = numberAt(before, 'attempt') ?? 0;
  return context.until(`job ${idOf(before)} to be taken again`, reclaimWithinMs(context), async () => {
    const job = await target.job(idOf(before));
    return job?.['status'] === 'running' && (numberAt(job, 'attempt') ?? 0) > attempt ? job : undefined;
  });
}

/** Shows that workers are at work there, and have looked at what stood before it in the queue. @throws Late */
export async function untilWorkIsDone(context: Context, server: OwnServer): Promise<void> {
  const { jobId } = await taken(context, context.work('complete'), server);
  await untilEnded(context, jobId, server);
}
