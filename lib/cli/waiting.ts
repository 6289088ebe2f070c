/** Waiting for the ends of jobs, and what they mean for the exit code. */
import { AgentopsdError } from '../base/errors.js';
import { safeLine } from '../base/text.js';
import type { QueueJob } from '../client/client.js';
import { hasEnded, waitForEnd } from '../client/wait.js';
import { inLanes } from './lanes.js';
import type { Reading } from './reading.js';

export interface WaitFor {
  readonly timeoutMs?: number | undefined;
  /** One end is enough. */
  readonly any?: boolean;
}

const LANES = 16;
const FAILED = 1;
const CANCELLED = 7;

/**
 * The jobs once all have ended, or with `any` the first one that did.
 * @throws AgentopsdError `timed_out`, or `daemon_unreachable` where nobody works on what has not ended
 */
export async function waitForJobs(
  reading: Reading,
  jobs: readonly QueueJob[],
  wait: WaitFor = {},
): Promise<QueueJob[]> {
  const ended = jobs.find(hasEnded);
  if (wait.any === true && ended !== undefined) return [ended];
  const open = jobs.find((job) => !hasEnded(job));
  if (open === undefined) return [...jobs];
  if (reading.client === undefined) {
    throw new AgentopsdError(
      'daemon_unreachable',
      `${safeLine(open.job_id)} is ${open.status}, and no daemon runs here`,
      {
        hint: 'start one with: agentopsd run',
      },
    );
  }
  return wait.any === true ? [await firstEnd(reading, jobs, wait)] : allEnds(reading, jobs, wait);
}

async function allEnds(reading: Reading, jobs: readonly QueueJob[], { timeoutMs }: WaitFor): Promise<QueueJob[]> {
  const deadlineMs = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
  return inLanes(LANES, jobs, async (job) => {
    const leftMs = timeoutMs === undefined ? undefined : Math.max(0, deadlineMs - performance.now());
    return hasEnded(job) ? job : waitOne(reading, job.job_id, leftMs);
  });
}

async function firstEnd(reading: Reading, jobs: readonly QueueJob[], { timeoutMs }: WaitFor): Promise<QueueJob> {
  const others = new AbortController();
  try {
    return await Promise.any(jobs.map((job) => waitOne(reading, job.job_id, timeoutMs, others.signal)));
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    others.abort();
  }
}

async function waitOne(
  reading: Reading,
  jobId: string,
  timeoutMs: number | undefined,
  signal?: AbortSignal,
): Promise<QueueJob> {
  try {
    return await waitForEnd((stop) => reading.job(jobId, stop), { timeoutMs, signal });
  } catch (error) {
    if (!(error instanceof AgentopsdError) || error.code !== 'timed_out') throw error;
    throw new AgentopsdError('timed_out', `time is up: ${safeLine(jobId)} has not ended; it goes on`, {
      hint: `wait on with: agentopsd wait ${safeLine(jobId)}`,
    });
  }
}

/** 0 when all completed, 1 when one failed, 7 when one was cancelled and none failed. */
export function exitOfEnds(jobs: readonly QueueJob[]): number {
  if (jobs.some((job) => job.status === 'failed')) return FAILED;
  return jobs.some((job) => job.status === 'cancelled') ? CANCELLED : 0;
}
