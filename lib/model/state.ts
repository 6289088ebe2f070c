/**
 * What all events so far come to. `State` is the container: it holds immutable job records and the indexes over them;
 * what an event means is `foldJob`'s alone. Two of them exist while the daemon runs: this one, which readers see (only
 * events that are durable and checked), and `PendingState` on top of it, which decisions see.
 */
import { ClaimQueue } from './claim-queue.js';
import type { JobType, LedgerEvent, ProjectionName } from './event.js';
import { type Folded, foldJob, isClaimable } from './fold.js';
import { isTerminal, type Job, type JobState } from './job.js';
import { Jobs, usualShelving } from './jobs.js';
import { readProjectionTargets } from './payloads.js';
import { jobsOf, type StateSnapshot, type StateSummary } from './snapshot.js';
import { Tally } from './tally.js';

/** What `decide` may ask. */
export interface JobLookup {
  job(jobId: string): Job | undefined;
  /** The job of ours that was accepted with this idempotency key. */
  jobIdForKey(idempotencyKey: string): string | undefined;
  /** `seq` of the last event; 0 when there is none. */
  readonly lastSeq: number;
}

export class State implements JobLookup {
  #jobs: Jobs;
  #claimable = new Map<JobType, ClaimQueue>();
  #running = new Set<string>();
  #foreign = new Set<string>();
  #stale = new Set<ProjectionName>();
  #countsByType = new Tally<JobType>();
  #countsByStatus = new Tally<JobState>();
  #lastSeq = 0;
  #eventCount = 0;
  #lastEventId: string | undefined;

  constructor(shelving = usualShelving) {
    this.#jobs = new Jobs(shelving);
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
    return this.#jobs.size;
  }
  /** Jobs that are objects, and those that are kept as bytes. */
  size(): { open: number; ended: number } {
    return { open: this.#jobs.liveCount, ended: this.#jobs.size - this.#jobs.liveCount };
  }
  job(jobId: string): Job | undefined {
    return this.#jobs.job(jobId);
  }
  jobIdForKey(idempotencyKey: string): string | undefined {
    return this.#jobs.jobIdForKey(idempotencyKey);
  }
  /** In the order of acceptance. Ended jobs are made anew as they come: keep what is needed of them, not all of them. */
  jobs(): Generator<Job> {
    return jobsOf(this.#jobs.moment());
  }
  /** The same as of this moment, however long the reader takes and whatever happens meanwhile. Can be read again. */
  jobsNow(): Iterable<Job> {
    const moment = this.#jobs.moment();
    return { [Symbol.iterator]: () => jobsOf(moment) };
  }
  /** How many jobs there are of a type, and in a state by the events alone. */
  countOfType(jobType: JobType): number {
    return this.#countsByType.of(jobType);
  }
  countOfStatus(status: JobState): number {
    return this.#countsByStatus.of(status);
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

  /**
   * Takes one event, in the order of the ledger. Answers what became of it.
   * @param outcome what the event makes of its job, where it was folded before on top of the same events
   */
  apply(event: LedgerEvent, ours: boolean, outcome?: Job): Folded {
    this.#lastSeq = event.seq;
    this.#lastEventId = event.event_id;
    this.#eventCount++;
    const isDecidedNew = outcome?.accepted_seq === event.seq;
    const number = isDecidedNew ? undefined : this.#jobs.numberOf(event.job_id);
    const before = number === undefined ? undefined : this.#jobs.at(number);
    const folded: Folded = outcome === undefined ? foldJob(before, event, ours) : { job: outcome };
    if (folded.ignored === undefined) this.#put(folded.job, before, number, isDecidedNew);
    else if (event.event_type.startsWith('projection.')) this.#markProjections(event);
    return folded;
  }

  /**
   * The one setter of a job: keeps every index in step.
   * @param isDecidedNew it was decided to accept it, after its id and its key were looked for
   */
  #put(job: Job, before: Job | undefined, known: number | undefined, isDecidedNew: boolean): void {
    const { job_id, status } = job;
    const number = known ?? this.#jobs.add(job);
    if (known !== undefined) this.#jobs.replace(known, job);
    // Accepted here or elsewhere, or adopted: only a key of ours leads to its job.
    if (job.foreign !== before?.foreign && !job.foreign) this.#jobs.own(number, job, isDecidedNew);
    // Jobs wait in the order of their last events: so the queue need not be kept anywhere else.
    const place = this.#jobs.placeOf(number);
    if (place !== undefined) this.#queueOf(job.job_type).remove(place);
    this.#jobs.setPlace(number, isClaimable(job) ? this.#queueOf(job.job_type).add(job_id) : undefined);
    if (before === undefined) this.#countsByType.add(job.job_type, 1);
    if (status !== before?.status) {
      this.#countsByStatus.add(status, 1);
      if (before !== undefined) this.#countsByStatus.add(before.status, -1);
      if (status === 'running') this.#running.add(job_id);
      else if (before?.status === 'running') this.#running.delete(job_id);
    }
    if (job.foreign || before?.foreign) keepIn(this.#foreign, job_id, job.foreign && job.result_status === undefined);
    if (isTerminal(job)) this.#jobs.ended(number);
  }

  /** This moment, to be written down while the state goes on. */
  capture(): StateSnapshot {
    const moment = this.#jobs.moment();
    const summary: StateSummary = {
      last_seq: this.#lastSeq,
      event_count: this.#eventCount,
      last_event_id: this.#lastEventId ?? null,
      jobs: moment.size,
      claimable: [...this.#claimable.keys()],
      running: [...this.#running],
      foreign: [...this.#foreign],
      stale: [...this.#stale],
      types: this.#countsByType.entries(),
      statuses: this.#countsByStatus.entries(),
    };
    const jobs = this.#jobs;
    const pages = (): Generator<Buffer> => jobs.pages(moment);
    return { lastSeq: this.#lastSeq, summary: JSON.stringify(summary), pages };
  }

  /**
   * Takes in one page of a snapshot. All its pages go, in order, into a state that holds nothing; then its summary.
   * @throws Error when it is none
   */
  restorePage(page: Buffer): void {
    this.#jobs.restore(page);
  }

  /** @throws Error when it is none, or not that of the pages */
  restoreSummary(text: string): void {
    const summary = JSON.parse(text) as StateSummary;
    if (summary.jobs !== this.#jobs.size) throw new Error('the summary of a state is not that of its jobs');
    this.#lastSeq = summary.last_seq;
    this.#eventCount = summary.event_count;
    this.#lastEventId = summary.last_event_id ?? undefined;
    for (const jobType of summary.claimable) this.#queueOf(jobType);
    const waiting = [...this.#jobs.live()].filter(isClaimable).sort((one, other) => one.last_seq - other.last_seq);
    for (const { job_id, job_type } of waiting)
      this.#jobs.setPlace(this.#jobs.numberOf(job_id) as number, this.#queueOf(job_type).add(job_id));
    this.#running = new Set(summary.running);
    this.#foreign = new Set(summary.foreign);
    this.#stale = new Set(summary.stale);
    this.#countsByType = new Tally(summary.types);
    this.#countsByStatus = new Tally(summary.statuses);
  }

  /** Becomes what `other` is; `other` is not to be used any more. */
  become(other: State): void {
    this.#jobs = other.#jobs;
    this.#claimable = other.#claimable;
    this.#running = other.#running;
    this.#foreign = other.#foreign;
    this.#stale = other.#stale;
    this.#countsByType = other.#countsByType;
    this.#countsByStatus = other.#countsByStatus;
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

function keepIn(set: Set<string>, member: string, belongs: boolean): void {
  if (belongs) set.add(member);
  else set.delete(member);
}
