/**
 * Ended jobs, kept as bytes: nothing changes them any more and few are asked for, but there are many. A job here takes a
 * third of the room of one in objects, and it costs the collector nothing.
 *
 * What is here stays as it is: whoever noted which jobs were not here at some moment can read that moment later on.
 */
import type { Job } from './job.js';
import { decodeJob, encodeJob } from './job-text.js';

/** A row of words for each job, by its number. */
const PAGE = 0;
const FROM = 1;
const BYTES = 2;
const ROW = 3;
const FIRST_ROWS = 64;

export interface NumberedJob {
  readonly number: number;
  readonly job: Job;
}

export class Archive {
  #rows = new Uint32Array(FIRST_ROWS * ROW);
  /** The first stands for none. */
  readonly #pages: (Buffer | undefined)[] = [undefined];
  /** Whoever looks for a job asks for it several times in a row. */
  #last: NumberedJob | undefined;

  /** The number has to be that of a job which is here. */
  job(number: number): Job {
    if (this.#last?.number === number) return this.#last.job;
    const job = decodeJob(this.bytesOf(number).toString('utf8'));
    this.#last = { number, job };
    return job;
  }

  /** The same as `encodeJob` answered, in UTF-8. */
  bytesOf(number: number): Buffer {
    const [rows, at] = [this.#rows, number * ROW];
    const [page, from] = [this.#pages[rows[at + PAGE] as number] as Buffer, rows[at + FROM] as number];
    return page.subarray(from, from + (rows[at + BYTES] as number));
  }

  /** Shelves jobs together, on one page. */
  put(jobs: readonly NumberedJob[]): void {
    // One by one: in one text of all of them, a few signs beyond ASCII would make every sign of it take twice the room.
    const records = jobs.map(({ job }) => Buffer.from(encodeJob(job), 'utf8'));
    this.addPage(Buffer.concat(records));
    let from = 0;
    for (let at = 0; at < jobs.length; at++) {
      const bytes = (records[at] as Buffer).length;
      this.place((jobs[at] as NumberedJob).number, from, bytes);
      from += bytes;
    }
  }

  /** What is placed from now on stands on it. */
  addPage(page: Buffer): void {
    this.#pages.push(page);
  }

  /** Where on the last page a job stands: what `encodeJob` answered, in UTF-8. */
  place(number: number, from: number, bytes: number): void {
    if ((number + 1) * ROW > this.#rows.length) this.#growFor(number);
    const [rows, at] = [this.#rows, number * ROW];
    rows[at + PAGE] = this.#pages.length - 1;
    rows[at + FROM] = from;
    rows[at + BYTES] = bytes;
  }

  #growFor(number: number): void {
    const rows = new Uint32Array(Math.max(this.#rows.length * 2, (number + 1) * ROW));
    rows.set(this.#rows);
    this.#rows = rows;
  }
}
