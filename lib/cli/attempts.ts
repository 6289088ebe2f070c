/** The attempts at a job, as its events tell them. */
import type { Event } from '../client/client.js';

export interface Attempt {
  readonly attempt: number;
  readonly lease_epoch: number;
  readonly worker: string;
  readonly claimed_at: string;
  /** The last one that an event told. */
  readonly lease_expires_at: string;
  readonly ended_at?: string;
  readonly end: 'running' | 'completed' | 'failed' | 'cancelled' | 'lease_expired';
}

const ends: Readonly<Record<string, Attempt['end']>> = {
  'job.completed': 'completed',
  'job.failed': 'failed',
  'job.cancelled': 'cancelled',
  'job.lease_expired': 'lease_expired',
};

/** @param events of one job, in order */
export function attemptsOf(events: readonly Event[]): Attempt[] {
  const attempts: Attempt[] = [];
  for (const event of events) {
    const claimed = claimOf(event);
    if (claimed !== undefined) attempts.push(claimed);
    const last = attempts.at(-1);
    if (claimed !== undefined || last === undefined || last.end !== 'running') continue;
    attempts[attempts.length - 1] = after(last, event);
  }
  return attempts;
}

function claimOf({ event_type: type, payload = {}, actor, occurred_at }: Event): Attempt | undefined {
  if (type !== 'job.claimed') return undefined;
  return {
    attempt: Number(payload['attempt']),
    lease_epoch: Number(payload['lease_epoch']),
    worker: actor,
    claimed_at: occurred_at,
    lease_expires_at: String(payload['lease_expires_at']),
    end: 'running',
  };
}

function after(attempt: Attempt, { event_type: type, payload = {}, occurred_at }: Event): Attempt {
  if (type === 'job.heartbeat') return { ...attempt, lease_expires_at: String(payload['lease_expires_at']) };
  const end = ends[type];
  return end === undefined ? attempt : { ...attempt, end, ended_at: occurred_at };
}
