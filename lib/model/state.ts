/**
 * What all events so far come to. `State` is the container: it holds immutable job records and the indexes over them;
 * what an event means is `foldJob`'s alone. Two of them exist while the daemon runs: this one, which readers see (only
 * events that are durable and checked), and `PendingState` on top of it, which decisions see.
 */
import { Archive, type NumberedJob } from './archive.js';
import { ClaimQueue } from './claim-queue.js';
import type { JobType, LedgerEvent, ProjectionName } from './event.js';
import { type Folded, foldJob, isClaimable } from './fold.js';
import { isTerminal, type Job, type JobState } from './job.js';
import { readProjectionTargets } from './payloads.js';
import { jobsOf, type Moment, pagesOf, readPage, type StateSnapshot, type StateSummary } from './snapshot.js';

/** What `decide` may ask. */
export interface JobLookup {
  job(jobId: string): Job | undefined;
  /** The job of ours that was accepted with this idempotency key. */
  jobIdForKey(idempotencyKey: string): string | undefined;
  /** `seq` of the last event; 0 when there is none. */
  readonly lastSeq: number;
}

export interface Shelving {
  /** So many of the jobs that ended last stay as objects. Few: what lives longer is dear to the collector in a replay. */
  readonly warmJobs: number;
  /** So many are archived together. */
  readonly atOnce: number;
}
const usualShelving: Shelving = Object.freeze({ warmJobs: 64, atOnce: 64 });

/** The job as it is now: another object after each event. */
interface HeldJob {
  readonly number: number;
  job: Job;
}

export class State implements JobLookup {
  /** The jobs that are objects, in the order of acceptance; all others are in the archive. */
  #live = new Map<string, HeldJob>();
  #archive = new Archive();
  /** The idempotency keys that lead to a job that is an object. */
  #liveIdsByKey = new Map<string, string>();
  #claimable = new Map<JobType, ClaimQueue>();
  #running = new Set<string>();
  #foreign = new Set<string>();
  #stale = new Set<ProjectionName>();
  #countsByType = new Map<JobType, number>();
  #countsByStatus = new Map<JobState, number>();
  /** Ended, and still objects; the oldest first. */
  #warm: string[] = [];
  #lastSeq = 0;
  #eventCount = 0;
  #lastEventId: string | undefined;
  readonly #shelving: Shelving;

  constructor(shelving = usualShelving) {
    this.#shelving = shelving;
  }

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
    return this.#archive.size;
  }
  job(jobId: string): Job | undefined {
    return this.#live.get(jobId)?.job ?? this.#archive.jobOf(jobId);
  }
  jobIdForKey(idempotencyKey: string): string | undefined {
    return this.#liveIdsByKey.get(idempotencyKey) ?? this.#archive.jobIdForKey(idempotencyKey);
  }
  /** In the order of acceptance. Ended jobs are made anew as they come: keep what is needed of them, not all of them. */
  jobs(): Generator<Job> {
    return jobsOf(this.#moment());
  }
  /** The same as of this moment, however long the reader takes and whatever happens meanwhile. Can be read again. */
  jobsNow(): Iterable<Job> {
    const moment = this.#moment();
    return { [Symbol.iterator]: () => jobsOf(moment) };
  }
  /** How many jobs there are of a type, and in a state by the events alone. */
  countOfType(jobType: JobType): number {
    return this.#countsByType.get(jobType) ?? 0;
  }
  countOfStatus(status: JobState): number {
    return this.#countsByStatus.get(status) ?? 0;
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
    const live = this.#live.get(event.job_id);
    const before = live?.job ?? this.#archive.jobOf(event.job_id);
    const folded = foldJob(before, event, ours);
    if (folded.ignored === undefined) this.#put(folded.job, before, live);
    return folded;
  }

  /** The one setter of a job: keeps every index in step. */
  #put(job: Job, before: Job | undefined, live: HeldJob | undefined): void {
    const { job_id, status } = job;
    if (live !== undefined) live.job = job;
    else this.#live.set(job_id, { number: this.#archive.number(), job });
    if (job.foreign !== before?.foreign) this.#owned(job);
    const claimable = isClaimable(job);
    if (before === undefined || claimable !== isClaimable(before)) {
      const queue = this.#queueOf(job.job_type);
      if (claimable) queue.add(job_id);
      else queue.remove(job_id);
    }
    if (before === undefined) count(this.#countsByType, job.job_type, 1);
    if (status !== before?.status) {
      count(this.#countsByStatus, status, 1);
      if (before !== undefined) count(this.#countsByStatus, before.status, -1);
      keepIn(this.#running, job_id, status === 'running');
    }
    if (job.foreign || before?.foreign) keepIn(this.#foreign, job_id, job.foreign && job.result_status === undefined);
    if (isTerminal(job)) this.#cool(job_id);
  }

  /** Accepted here or elsewhere, or adopted: only a key of ours leads to its job, and the first one that had it. */
  #owned({ job_id, idempotency_key: key, foreign }: Job): void {
    if (key !== undefined && !foreign && this.jobIdForKey(key) === undefined) this.#liveIdsByKey.set(key, job_id);
  }

  /** Nothing changes a job that ended: the older ones go to the archive. */
  #cool(jobId: string): void {
    this.#warm.push(jobId);
    const { warmJobs, atOnce } = this.#shelving;
    if (this.#warm.length < warmJobs + atOnce) return;
    const ended = this.#warm.slice(0, atOnce).map((id) => this.#live.get(id) as HeldJob);
    this.#warm = this.#warm.slice(atOnce);
    this.#archive.put(ended, (one) => this.#leadsByKey(one));
    for (const { job } of ended) {
      this.#live.delete(job.job_id);
      const { idempotency_key: key } = job;
      if (key !== undefined && this.#liveIdsByKey.get(key) === job.job_id) this.#liveIdsByKey.delete(key);
    }
  }

  /** @param one as it was at some moment, perhaps archived since */
  #leadsByKey({ number, job: { job_id, idempotency_key: key, foreign } }: NumberedJob): boolean {
    if (key === undefined || foreign) return false;
    return this.#archive.holds(number)
      ? this.#archive.shelved(number).keyHash !== 0
      : this.#liveIdsByKey.get(key) === job_id;
  }

  #moment(): Moment {
    return {
      archive: this.#archive,
      size: this.#archive.size,
      live: Array.from(this.#live.values(), ({ number, job }) => ({ number, job })),
    };
  }

  /** This moment, to be written down while the state goes on. */
  capture(): StateSnapshot {
    const moment = this.#moment();
    const summary: StateSummary = {
      last_seq: this.#lastSeq,
      event_count: this.#eventCount,
      last_event_id: this.#lastEventId ?? null,
      jobs: moment.size,
      claimable: [...this.#claimable].map(([jobType, queue]) => [jobType, [...queue]]),
      running: [...this.#running],
      foreign: [...this.#foreign],
      stale: [...this.#stale],
      types: [...this.#countsByType].sort(),
      statuses: [...this.#countsByStatus].filter(([, jobs]) => jobs > 0).sort(),
    };
    const pages = (): Generator<Buffer> => pagesOf(moment, (one) => this.#leadsByKey(one));
    return { lastSeq: this.#lastSeq, summary: JSON.stringify(summary), pages };
  }

  /**
   * Takes in one page of a snapshot. All its pages go, in order, into a state that holds nothing; then its summary.
   * @throws Error when it is none
   */
  restorePage(page: Buffer): void {
    readPage(page, this.#archive, (open, leadsByKey) => {
      const { job_id, idempotency_key: key } = open.job;
      this.#live.set(job_id, { ...open });
      if (leadsByKey && key !== undefined) this.#liveIdsByKey.set(key, job_id);
    });
  }

  /** @throws Error when it is none, or not that of the pages */
  restoreSummary(text: string): void {
    const summary = JSON.parse(text) as StateSummary;
    if (summary.jobs !== this.#archive.size) throw new Error('the summary of a state is not that of its jobs');
    this.#lastSeq = summary.last_seq;
    this.#eventCount = summary.event_count;
    this.#lastEventId = summary.last_event_id ?? undefined;
    for (const [jobType, ids] of summary.claimable) {
      const queue = this.#queueOf(jobType);
      for (const id of ids) queue.add(id);
    }
    this.#running = new Set(summary.running);
    this.#foreign = new Set(summary.foreign);
    this.#stale = new Set(summary.stale);
    this.#countsByType = new Map(summary.types);
    this.#countsByStatus = new Map(summary.statuses);
  }

  /** Becomes what `other` is; `other` is not to be used any more. */
  become(other: State): void {
    this.#live = other.#live;
    this.#archive = other.#archive;
    this.#liveIdsByKey = other.#liveIdsByKey;
    this.#claimable = other.#claimable;
    this.#running = other.#running;
    this.#foreign = other.#foreign;
    this.#stale = other.#stale;
    this.#countsByType = other.#countsByType;
    this.#countsByStatus = other.#countsByStatus;
    this.#warm = other.#warm;
    this.#lastSeq = other.#lastSeq;
    this.#eventCount = other.#eventCount;
    this.#lastEventId = other.#lastEventId;
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

function count<Name>(counts: Map<Name, number>, name: Name, more: number): void {
  counts.set(name, (counts.get(name) ?? 0) + more);
}

function keepIn(set: Set<string>, member: string, belongs: boolean): void {
  if (belongs) set.add(member);
  else set.delete(member);
}
