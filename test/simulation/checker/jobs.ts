/**
 * The checker's own account of the jobs: what the events that count come to, by the rules of the state machine. Every
 * event that a daemon decides is legal, so that any that is not is a violation.
 */
import type { Line, Value } from './segment-text.js';
import { isValue } from './segment-text.js';

export interface JobAccount {
  readonly id: string;
  status: 'queued' | 'running' | 'retry_waiting' | 'completed' | 'failed' | 'cancelled';
  readonly key: string | undefined;
  readonly type: string;
  readonly maxAttempts: number;
  attempt: number;
  epoch: number;
  token: string | undefined;
}

export interface Accounts {
  readonly jobs: ReadonlyMap<string, JobAccount>;
  readonly problems: readonly string[];
}

export function accountsOf(events: readonly Line[]): Accounts {
  const ledger = new Ledger();
  for (const line of events) ledger.take(line);
  return ledger;
}

/** The name of what an event says, equal in the answer that a caller gets and in the ledger. */
export function deedOf(value: Value): string {
  const payload = isValue(value['payload']) ? value['payload'] : {};
  return deed(
    String(value['event_type']),
    String(value['job_id']),
    payload['claim_token'],
    payload['lease_expires_at'],
  );
}

export function deed(eventType: string, jobId: string, token?: unknown, leaseEnd?: unknown): string {
  return `${eventType} ${jobId} ${token ?? ''} ${leaseEnd ?? ''}`;
}

class Ledger implements Accounts {
  readonly jobs = new Map<string, JobAccount>();
  readonly problems: string[] = [];
  readonly #keys = new Set<string>();
  readonly #tokens = new Set<string>();

  take(line: Line): void {
    const { value } = line;
    const why = this.#apply(value, isValue(value['payload']) ? value['payload'] : {}) ?? whyMisnamed(value);
    if (why !== undefined) this.problems.push(`${line.segment}:${line.number} (${value['event_id']}): ${why}`);
  }

  #apply(value: Value, payload: Value): string | undefined {
    const id = String(value['job_id']);
    const type = value['event_type'];
    if (type === 'ledger.damage_adopted') return undefined;
    const job = this.jobs.get(id);
    if (type === 'job.accepted') return job === undefined ? this.#accept(id, payload) : 'accepted a second time';
    if (job === undefined) return 'no such job';
    if (['completed', 'failed', 'cancelled'].includes(job.status)) return `the job is ${job.status} already`;
    switch (type) {
      case 'job.claimed':
        return this.#claim(job, payload);
      case 'job.cancelled':
        return end(job, 'cancelled');
      case 'job.heartbeat':
        return whyNotHeld(job, payload);
      case 'job.completed':
        return whyNotHeld(job, payload) ?? end(job, 'completed');
      case 'job.lease_expired':
        return whyNotHeld(job, payload) ?? end(job, 'retry_waiting');
      case 'job.failed':
        return whyMayNotFail(job, payload) ?? end(job, 'failed');
      default:
        return `nobody asked for ${type}`;
    }
  }

  #accept(id: string, payload: Value): string | undefined {
    const key = payload['idempotency_key'] as string | undefined;
    const job: JobAccount = {
      id,
      key,
      type: String(payload['job_type']),
      status: 'queued',
      maxAttempts: Number(payload['max_attempts']),
      attempt: 0,
      epoch: 0,
      token: undefined,
    };
    this.jobs.set(id, job);
    if (key === undefined) return undefined;
    if (this.#keys.has(key)) return `a second effect of the key ${key}`;
    this.#keys.add(key);
    return undefined;
  }

  #claim(job: JobAccount, payload: Value): string | undefined {
    if (job.status === 'running') return 'claimed while a lease is held';
    const token = String(payload['claim_token']);
    if (this.#tokens.has(token)) return 'a claim token a second time';
    this.#tokens.add(token);
    if (payload['lease_epoch'] !== job.epoch + 1) return `epoch ${payload['lease_epoch']} after ${job.epoch}`;
    if (payload['attempt'] !== job.attempt + 1) return `attempt ${payload['attempt']} after ${job.attempt}`;
    if (job.attempt >= job.maxAttempts) return `attempt ${payload['attempt']} of ${job.maxAttempts}`;
    Object.assign(job, { status: 'running', token, epoch: job.epoch + 1, attempt: job.attempt + 1 });
    return undefined;
  }
}

function whyNotHeld(job: JobAccount, payload: Value): string | undefined {
  if (job.status !== 'running') return `the job is ${job.status}: nobody holds it`;
  if (payload['claim_token'] !== job.token || payload['lease_epoch'] !== job.epoch) return 'not the current lease';
  return undefined;
}

function whyMayNotFail(job: JobAccount, payload: Value): string | undefined {
  if (payload['claim_token'] !== undefined) return whyNotHeld(job, payload);
  if (job.status !== 'retry_waiting' || job.attempt < job.maxAttempts) return 'attempts are not used up';
  return undefined;
}

function end(job: JobAccount, status: JobAccount['status']): undefined {
  job.status = status;
  job.token = undefined;
}

function whyMisnamed(value: Value): string | undefined {
  const seq = String(value['seq']).padStart(6, '0');
  const expected = `evt_${value['event_type']}_${value['job_id']}_${seq}`;
  return value['event_id'] === expected ? undefined : `its id should be ${expected}`;
}
