/**
 * The jobs of a state, each in one of two forms: as an object while something may still change it, and for a short while
 * after; then as bytes in the archive. Whoever asks by id, key or number does not see which.
 */
import { Archive } from './archive.js';
import type { Place } from './claim-queue.js';
import type { Job } from './job.js';
import { JobNumbers } from './job-numbers.js';
import { decodeJob } from './job-text.js';
import { LiveJobs } from './live-jobs.js';
import { type Moment, pagesOf, readPage } from './snapshot.js';

export interface Shelving {
  /** So many of the jobs that ended last stay as objects. Few: what lives longer is dear to the collector in a replay. */
  readonly warmJobs: number;
  /** So many are archived together. */
  readonly atOnce: number;
}
export const usualShelving: Shelving = Object.freeze({ warmJobs: 64, atOnce: 64 });

export class Jobs {
  /** The jobs that are objects; all others are in the archive. */
  readonly #live = new LiveJobs();
  readonly #archive = new Archive();
  readonly #numbers = new JobNumbers({
    idOf: (number) => this.at(number).job_id,
    keyOf: (number) => this.at(number).idempotency_key,
  });
  /** Ended, and still objects; the oldest first. */
  #warm: number[] = [];
  readonly #shelving: Shelving;

  constructor(shelving: Shelving) {
    this.#shelving = shelving;
  }

  get size(): number {
    return this.#numbers.size;
  }

  /** How many are objects. */
  get liveCount(): number {
    return this.#live.size;
  }

  numberOf(jobId: string): number | undefined {
    return this.#numbers.ofId(jobId);
  }

  at(number: number): Job {
    return this.#live.at(number) ?? this.#archive.job(number);
  }

  job(jobId: string): Job | undefined {
    const number = this.#numbers.ofId(jobId);
    return number === undefined ? undefined : this.at(number);
  }

  jobIdForKey(key: string): string | undefined {
    const number = this.#numbers.ofKey(key);
    return number === undefined ? undefined : this.at(number).job_id;
  }

  /** A job of an id that none had before. @returns its number */
  add(job: Job): number {
    const number = this.#numbers.size;
    this.#live.set(number, job);
    this.#numbers.add(job.job_id);
    return number;
  }

  /** What became of a job that has not ended. */
  replace(number: number, job: Job): void {
    this.#live.set(number, job);
  }

  /** Where a job waits for a worker, if it does. */
  placeOf(number: number): Place | undefined {
    return this.#live.placeOf(number);
  }

  /** A job that has not ended waits there from now on, or nowhere. */
  setPlace(number: number, place: Place | undefined): void {
    this.#live.setPlace(number, place);
  }

  /**
   * From now on the idempotency key of this job leads to it, unless it leads to another one already.
   * @param isFree whether it is known that it leads to none
   */
  own(number: number, { idempotency_key: key }: Job, isFree: boolean): void {
    if (key !== undefined && (isFree || this.#numbers.ofKey(key) === undefined)) this.#numbers.lead(key, number);
  }

  /** Nothing changes a job that ended: the older ones go to the archive. */
  ended(number: number): void {
    this.#warm.push(number);
    const { warmJobs, atOnce } = this.#shelving;
    if (this.#warm.length < warmJobs + atOnce) return;
    const ended = this.#warm.slice(0, atOnce).map((one) => ({ number: one, job: this.at(one) }));
    this.#warm = this.#warm.slice(atOnce);
    this.#archive.put(ended);
    for (const one of ended) this.#live.delete(one.number);
  }

  /** The jobs that are objects, in the order of acceptance. */
  live(): Iterable<Job> {
    return this.#live;
  }

  moment(): Moment {
    return { archive: this.#archive, numbers: this.#numbers, size: this.size, live: this.#live.moment() };
  }

  pages(moment: Moment): Generator<Buffer> {
    return pagesOf(moment);
  }

  /** @throws Error when it is no page */
  restore(page: Buffer): void {
    this.#archive.addPage(page);
    readPage(page, ({ idHash, keyHash, from, bytes, isOpen }) => {
      const number = this.#numbers.size;
      if (isOpen) this.#live.set(number, decodeJob(page.toString('utf8', from, from + bytes)));
      else this.#archive.place(number, from, bytes);
      this.#numbers.restore(idHash, keyHash);
    });
  }
}
