/**
 * What all events so far come to. `State` is the container: it holds immutable job records and the indexes over them;
 * what an event means is `foldJob`'s alone. Two of them exist while the daemon runs: this one, which readers see (only
 * events that are durable and checked), and `PendingState` on top of it, which decisions see.
 */
import { ClaimQueue } from './claim-queue.js';
import type { JobType, LedgerEvent, ProjectionName } from './event.js';
import { type Folded, foldJob, isClaimable } from './fold.js';
import type { Job } from './job.js';
import { readProjectionTargets } from './payloads.js';

/** What `decide` may ask. */
export interface JobLookup {
  job(jobId: string): Job | undefined;
  /** The job of ours that was accepted with this idempotency key. */
  jobIdForKey(idempotencyKey: string): string | undefined;
  /** `seq` of the last event; 0 when there is none. */
  readonly lastSeq: number;
}

export class State implements JobLookup {
  readonly #jobs = new Map<string, Job>();
  readonly #jobIdsByKey = new Map<string, string>();
  readonly #claimable = new Map<JobType, ClaimQueue>();
  readonly #running = new Set<string>();
  readonly #foreign = new Set<string>();
  readonly #stale = new Set<ProjectionName>();
  #lastSeq = 0;
  #eventCount = 0;
  #lastEventId: string | undefined;

  get lastSeq(): number {
    return this.#lastSeq;
  }
  get eventCount(): number {
    return this.#eventCount;
  }
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }
  get jobCount(): number {
    return this.#jobs.size;
  }
  job(jobId: string): Job | undefined {
    return this.#jobs.get(jobId);
  }
  jobIdForKey(idempotencyKey: string): string | undefined {
    return this.#jobIdsByKey.get(idempotencyKey);
  }
  /** In the order of acceptance. */
  jobs(): IterableIterator<Job> {
    return this.#jobs.values();
  }
  /** Jobs of ours of this type that wait for a worker, first in first out. */
  claimable(jobType: JobType): Iterable<string> {
    return this.#claimable.get(jobType) ?? [];
  }
  /** Types with at least one claimable job. */
  *claimableTypes(): Generator<JobType> {
    for (const [jobType, queue] of this.#claimable) if (queue.size > 0) yield jobType;
  }
  claimableCount(jobType: JobType): number {
    return this.#claimable.get(jobType)?.size ?? 0;
  }
  /** Jobs under a lease, by the events: foreign ones too. */
  running(): ReadonlySet<string> {
    return this.#running;
  }
  /** Jobs that were accepted elsewhere, are not adopted, and have not ended. */
  foreign(): ReadonlySet<string> {
    return this.#foreign;
  }
  isMarkedStale(projection: ProjectionName): boolean {
    return this.#stale.has(projection);
  }

  /** Takes one event, in the order of the ledger. Answers what became of it. */
  apply(event: LedgerEvent, ours: boolean): Folded {
    this.#lastSeq = event.seq;
    this.#lastEventId = event.event_id;
    this.#eventCount++;
    if (event.event_type.startsWith('projection.')) this.#markProjections(event);
    const before = this.#jobs.get(event.job_id);
    const folded = foldJob(before, event, ours);
    if (folded.ignored === undefined) this.#put(folded.job);
    return folded;
  }

  /** The one setter of a job: keeps every index in step. */
  #put(job: Job): void {
    this.#jobs.set(job.job_id, job);
    const key = job.idempotency_key;
    if (key !== undefined && !job.foreign && !this.#jobIdsByKey.has(key)) this.#jobIdsByKey.set(key, job.job_id);
    const queue = this.#queueOf(job.job_type);
    if (isClaimable(job)) queue.add(job.job_id);
    else queue.remove(job.job_id);
    keepIn(this.#running, job.job_id, job.status === 'running');
    keepIn(this.#foreign, job.job_id, job.foreign && job.result_status === undefined);
  }

  #queueOf(jobType: JobType): ClaimQueue {
    let queue = this.#claimable.get(jobType);
    if (queue === undefined) {
      queue = new ClaimQueue();
      this.#claimable.set(jobType, queue);
    }
    return queue;
  }

  #markProjections(event: LedgerEvent): void {
    for (const projection of readProjectionTargets(event)) {
      if (event.event_type === 'projection.marked_stale') this.#stale.add(projection);
      if (event.event_type === 'projection.rebuilt') this.#stale.delete(projection);
    }
  }
}

function keepIn(set: Set<string>, member: string, belongs: boolean): void {
  if (belongs) set.add(member);
  else set.delete(member);
}


/**
 * The state that decisions see: the durable one and, on top, what was decided and is on its way to the disk. So two
 * submits with one key in one batch make one job.
 */
export class PendingState implements JobLookup {
  readonly #durable: State;
  readonly #jobs = new Map<string, Job>();
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

  /** Forgets what the durable state holds by now. */
  settled(events: readonly LedgerEvent[]): void {
    for (const { job_id, seq } of events) {
      const job = this.#jobs.get(job_id);
      if (job === undefined || job.last_seq > seq) continue;
      this.#jobs.delete(job_id);
      if (job.idempotency_key !== undefined) this.#jobIdsByKey.delete(job.idempotency_key);
    }
  }

  /** Forgets every decision that is not durable. */
  discard(): void {
    this.#jobs.clear();
    this.#jobIdsByKey.clear();
    this.#lastSeq = this.#durable.lastSeq;
  }
}
