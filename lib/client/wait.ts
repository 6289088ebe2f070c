/** Waiting for the end of a job by asking for it: first often, then seldom; a daemon that restarts is waited for. */
import { AgentopsdError } from '../base/errors.js';
import type { components } from '../model/contract.js';
import { mayRetry, pause } from './retry.js';

type QueueJob = components['schemas']['QueueJob'];

export interface WaitOptions {
  /** Undefined: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  /** How long a daemon that does not answer is waited for; default 30 s. */
  readonly unreachableMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_INTERVAL_MS = 50;
const LONGEST_INTERVAL_MS = 500;
const UNREACHABLE_MS = 30_000;

/** Whether a job has reached an end that nothing changes any more. */
export function hasEnded(job: Pick<QueueJob, 'status'>): boolean {
  return job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled';
}

export async function waitForEnd(
  read: (signal: AbortSignal | undefined) => Promise<QueueJob>,
  options: WaitOptions,
): Promise<QueueJob> {
  const startedMs = performance.now();
  const deadlineMs = startedMs + (options.timeoutMs ?? Number.POSITIVE_INFINITY);
  let answeredMs = startedMs;
  for (let intervalMs = FIRST_INTERVAL_MS; ; intervalMs = Math.min(intervalMs * 1.5, LONGEST_INTERVAL_MS)) {
    try {
      const job = await read(options.signal);
      if (hasEnded(job)) return job;
      answeredMs = performance.now();
    } catch (error) {
      const silentMs = performance.now() - answeredMs;
      if (!mayRetry(error) || silentMs > (options.unreachableMs ?? UNREACHABLE_MS)) throw error;
    }
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) throw timedOut(options.timeoutMs as number);
    await pause(Math.min(intervalMs, leftMs), options.signal);
  }
}

function timedOut(timeoutMs: number): AgentopsdError {
  return new AgentopsdError('timed_out', `the job had not ended after ${timeoutMs / 1000} s; it goes on`);
}
