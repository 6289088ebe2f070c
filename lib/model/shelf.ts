/**
 * Ended jobs, kept as bytes: nothing changes them any more and few are asked for, but there are many. A shelved job
 * takes a third of the room of one in objects, and the collector never walks through it.
 */
import type { Job } from './job.js';
import { decodeJob, encodeJob } from './job-text.js';

export class ShelvedJob {
  /** The idempotency key that leads to it, if one does. */
  readonly key: string | undefined;
  readonly #page: Buffer;
  readonly #from: number;
  readonly #to: number;

  /** @param page holds what `encodeJob` answered, in UTF-8, from `from` to before `to` */
  constructor(page: Buffer, from: number, to: number, key: string | undefined) {
    this.key = key;
    this.#page = page;
    this.#from = from;
    this.#to = to;
  }

  /** Made anew at each call. */
  job(): Job {
    return decodeJob(this.#page.toString('utf8', this.#from, this.#to));
  }

  bytes(): Buffer {
    return this.#page.subarray(this.#from, this.#to);
  }
}

/** Shelves jobs together, on one page. @param keyOf the key that leads to a job, if one does */
export function shelve(jobs: readonly Job[], keyOf: (job: Job) => string | undefined): ShelvedJob[] {
  const texts = jobs.map(encodeJob);
  const page = Buffer.from(texts.join(''), 'utf8');
  let at = 0;
  return jobs.map((job, index) => {
    const from = at;
    at += Buffer.byteLength(texts[index] as string, 'utf8');
    return new ShelvedJob(page, from, at, keyOf(job));
  });
}
