/** The jobs of the small server: what its history says of each, and the two things that can be done with them. */
import { randomUUID } from 'node:crypto';
import type { Ledger, SmallEvent } from './ledger.js';

export interface Job {
  readonly job_id: string;
  readonly job_type: string;
  readonly request_id: string;
  readonly request_ids: string[];
  readonly idempotency_key?: string;
  readonly payload: unknown;
  readonly created_at: string;
  status: 'queued' | 'cancelled';
  updated_at: string;
  last_event_id: string;
}

export interface Envelope {
  readonly request_id: string | undefined;
  readonly job_id: string | undefined;
  readonly job_type: string;
  readonly idempotency_key: string | undefined;
  readonly payload: object;
}

export class Queue {
  /** In the order of acceptance. */
  readonly jobs = new Map<string, Job>();
  readonly ledger: Ledger;
  readonly #byKey = new Map<string, Job>();

  constructor(ledger: Ledger) {
    this.ledger = ledger;
    for (const event of ledger.events) this.#fold(event);
  }

  /** The job of an envelope, that of an earlier one where it is known. @throws where it can't be written */
  submit(envelope: Envelope): Job {
    const { job_type, idempotency_key: key } = envelope;
    const known = (key === undefined ? undefined : this.#byKey.get(key)) ?? this.jobs.get(envelope.job_id ?? '');
    if (known !== undefined) return known;
    const job_id = envelope.job_id ?? randomUUID();
    const keyed = key === undefined ? {} : { idempotency_key: key };
    const projection_targets = targetsOf({ job_type });
    const payload = { job_type, job_payload: envelope.payload, max_attempts: 1, projection_targets, ...keyed };
    this.#append('job.accepted', job_id, envelope.request_id ?? randomUUID(), payload);
    return this.jobs.get(job_id) as Job;
  }

  /** @throws where it can't be written */
  cancel(job: Job, request_id: string | undefined, reason: string): void {
    const payload = { result_status: 'cancelled', reason };
    this.#append('job.cancelled', job.job_id, request_id ?? job.request_id, payload);
  }

  #append(event_type: string, job_id: string, request_id: string, payload: SmallEvent['payload']): void {
    const occurred_at = new Date().toISOString();
    const head = { schema_version: 1, event_id: randomUUID(), request_id, job_id, event_type } as const;
    const event = { ...head, occurred_at, actor: 'somebody', payload };
    this.ledger.append(event);
    this.#fold(event);
  }

  #fold(event: SmallEvent): void {
    const { job_id, request_id, event_id, occurred_at, event_type } = event;
    const job = this.jobs.get(job_id);
    if (event_type === 'job.accepted' && job === undefined) this.#accept(event);
    if (event_type !== 'job.cancelled' || job === undefined) return;
    job.status = 'cancelled';
    job.updated_at = occurred_at;
    job.last_event_id = event_id;
    if (!job.request_ids.includes(request_id)) job.request_ids.push(request_id);
  }

  #accept({ job_id, request_id, event_id, occurred_at, payload }: SmallEvent): void {
    const key = payload['idempotency_key'] as string | undefined;
    const job: Job = {
      job_id,
      job_type: String(payload['job_type']),
      request_id,
      request_ids: [request_id],
      ...(key === undefined ? {} : { idempotency_key: key }),
      payload: payload['job_payload'],
      created_at: occurred_at,
      status: 'queued',
      updated_at: occurred_at,
      last_event_id: event_id,
    };
    this.jobs.set(job_id, job);
    if (key !== undefined) this.#byKey.set(key, job);
  }
}

/** The projections that a job changes. */
export function targetsOf({ job_type }: Pick<Job, 'job_type'>): string[] {
  const [family = ''] = job_type.split('.');
  const own = { rpi: 'rpi-registry', dream: 'dream-runs', wiki: 'wiki-jobs' }[family];
  const consumer = own !== undefined || job_type === 'openclaw.snapshot' ? ['openclaw-snapshot'] : [];
  return [...(own === undefined ? [] : [own]), ...consumer, 'daemon-status', 'daemon-job-status'];
}
