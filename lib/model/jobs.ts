/**
 * The jobs of a state, each in one of two forms: as an object while something may still change it, and for a short while
 * after; then as bytes in the archive. Whoever asks by id or by key does not see which.
 */
import { Archive, type NumberedJob } from './archive.js';
import type { Place } from './claim-queue.js';
import type { Job } from './job.js';
import { LiveJobs } from './live-jobs.js';
import { PassingMap } from './passing-map.js';
import { type Moment, pagesOf, readPage } from './snapshot.js';

export interface Shelving {
  /** So many of the jobs that ended last stay as objects. Few: what lives longer is dear to the collector in a replay. */
  readonly warmJobs: number;
  /** So many are archived together. */
  readonly atOnce: number;
}
export const usualShelving: Shelving = Object.freeze({ warmJobs: 64, atOnce: 64 });

/** The job as it is now: another object after each event. */
export interface HeldJob {
  readonly number: number;
  job: Job;
  /** Where it waits for a worker, if it does. */
  place: Place | undefined;
}

export class Jobs {
  /** The jobs that are objects; all others are in the archive. */
  readonly #held = new PassingMap<HeldJob>();
  /** The same, by number. */
  readonly #live = new LiveJobs();
  readonly #archive = new Archive();
  /** The idempotency keys that lead to a job that is an object. */
  readonly #liveIdsByKey = new Map<string, string>();
  /** Ended, and still objects; the oldest first. */
  #warm: string[] = [];
  readonly #shelving: Shelving;

  constructor(shelving: Shelving) {
    this.#shelving = shelving;
  }

  get size(): number {
    return this.#archive.size;
  }

  /** How many are objects. */
  get heldCount(): number {
    return this.#held.size;
  }

  /** Only a job that is an object: nothing changes any other. */
  held(jobId: string): HeldJob | undefined {
    return this.#held.get(jobId);
  }

  job(jobId: string): Job | undefined {
    return this.#held.get(jobId)?.job ?? this.#archive.jobOf(jobId);
  }

  archived(jobId: string): Job | undefined {
    return this.#archive.jobOf(jobId);
  }

  jobIdForKey(key: string): string | undefined {
    return this.#liveIdsByKey.get(key) ?? this.#archive.jobIdForKey(key);
  }

  /** @param held the job so far, where it is held */
  put(job: Job, held: HeldJob | undefined): HeldJob {
    if (held === undefined) return this.#hold(this.#archive.number(), job);
    held.job = job;
    this.#live.set(held.number, job);
    return held;
  }

  /**
   * From now on its idempotency key leads to this job, unless another one had it first.
   * @param isFree whether it is known that no other one had it
   */
  own({ job_id, idempotency_key: key }: Job, isFree: boolean): void {
    if (key !== undefined && (isFree || this.jobIdForKey(key) === undefined)) this.#liveIdsByKey.set(key, job_id);
  }

  /** Nothing changes a job that ended: the older ones go to the archive. */
  ended(jobId: string): void {
    this.#warm.push(jobId);
    const { warmJobs, atOnce } = this.#shelving;
    if (this.#warm.length < warmJobs + atOnce) return;
    const ended = this.#warm.slice(0, atOnce).map((id) => this.#held.get(id) as HeldJob);
    this.#warm = this.#warm.slice(atOnce);
    this.#archive.put(ended, (one) => this.#leadsByKey(one));
    for (const { number, job } of ended) {
      this.#held.delete(job.job_id);
      this.#live.delete(number);
      const { idempotency_key: key } = job;
      if (key !== undefined && this.#liveIdsByKey.get(key) === job.job_id) this.#liveIdsByKey.delete(key);
    }
  }

  /** The jobs that are objects, in the order of acceptance. */
  live(): Iterable<Job> {
    return this.#live;
  }

  moment(): Moment {
    return { archive: this.#archive, size: this.#archive.size, live: this.#live.moment() };
  }

  pages(moment: Moment): Generator<Buffer> {
    return pagesOf(moment, (one) => this.#leadsByKey(one));
  }

  /** @throws Error when it is no page */
  restore(page: Buffer): void {
    readPage(page, this.#archive, (open, leadsByKey) => {
      const { job_id, idempotency_key: key } = open.job;
      this.#hold(open.number, open.job);
      if (leadsByKey && key !== undefined) this.#liveIdsByKey.set(key, job_id);
    });
  }

  #hold(number: number, job: Job): HeldJob {
    const made = { number, job, place: undefined };
    this.#held.set(job.job_id, made);
    this.#live.set(number, job);
    return made;
  }

  /** @param one as it was at some moment, perhaps archived since */
  #leadsByKey({ number, job: { job_id, idempotency_key: key, foreign } }: NumberedJob): boolean {
    if (key === undefined || foreign) return false;
    return this.#archive.holds(number)
      ? this.#archive.shelved(number).keyHash !== 0
      : this.#liveIdsByKey.get(key) === job_id;
  }
}
