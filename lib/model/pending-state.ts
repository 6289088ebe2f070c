import type { LedgerEvent } from './event.js';
import { foldJob } from './fold.js';
import type { Job } from './job.js';
import { PassingMap } from './passing-map.js';
import type { JobLookup, State } from './state.js';

/**
 * The state that decisions see: the durable one and, on top, what was decided and is on its way to the disk. So two
 * submits with one key in one batch make one job.
 */
export class PendingState implements JobLookup {
  readonly #durable: State;
  readonly #jobs = new PassingMap<Job>();
  readonly #jobIdsByKey = new Map<string, string>();
  #lastSeq: number;

  constructor(durable: State) {
    this.#durable = durable;
    this.#lastSeq = durable.lastSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }
  job(jobId: string): Job | undefined {
    return this.#jobs.get(jobId) ?? this.#durable.job(jobId);
  }
  jobIdForKey(idempotencyKey: string): string | undefined {
    return this.#durable.jobIdForKey(idempotencyKey) ?? this.#jobIdsByKey.get(idempotencyKey);
  }

  /** Takes events that were just decided: always of our own batch. */
  decided(events: readonly LedgerEvent[]): void {
    for (const event of events) {
      this.#lastSeq = event.seq;
      const folded = foldJob(this.job(event.job_id), event, true);
      if (folded.ignored !== undefined) continue;
      this.#jobs.set(event.job_id, folded.job);
      const key = folded.job.idempotency_key;
      if (key !== undefined && !folded.job.foreign) this.#jobIdsByKey.set(key, event.job_id);
    }
  }

  /**
   * An event is durable: what it made of its job is forgotten here, unless more was decided on the job since.
   * @returns the job as the event made it, where that is known
   */
  settle({ job_id, seq }: LedgerEvent): Job | undefined {
    const job = this.#jobs.get(job_id);
    if (job === undefined || job.last_seq > seq) return undefined;
    this.#jobs.delete(job_id);
    if (job.idempotency_key !== undefined) this.#jobIdsByKey.delete(job.idempotency_key);
    return job.last_seq === seq ? job : undefined;
  }

  /** Forgets every decision that is not durable. */
  discard(): void {
    this.#jobs.clear();
    this.#jobIdsByKey.clear();
    this.#lastSeq = this.#durable.lastSeq;
  }
}
