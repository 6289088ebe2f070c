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
/** One UTF-16 unit takes at most so many bytes of UTF-8. */
const BYTES_PER_UNIT = 3;
/** What large jobs took more of is given back. */
const DRAFT_KEPT_BYTES = 1_048_576;

export interface NumberedJob {
  readonly number: number;
  readonly job: Job;
}

export class Archive {
  #rows = new Uint32Array(FIRST_ROWS * ROW);
  /** The first stands for none. */
  readonly #pages: (Buffer | undefined)[] = [undefined];
  /** Where a page is put together, again and again. */
  #draft = Buffer.alloc(0);
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
    const texts = jobs.map(({ job }) => encodeJob(job));
    // One by one: in one text of all of them, a few signs beyond ASCII would make every sign of it take twice the room.
    const most = texts.reduce((sum, text) => sum + text.length * BYTES_PER_UNIT, 0);
    if (this.#draft.length < most) this.#draft = Buffer.allocUnsafeSlow(most);
    const ends: number[] = [];
    for (const text of texts) ends.push((ends.at(-1) ?? 0) + this.#draft.write(text, ends.at(-1) ?? 0, 'utf8'));
    this.addPage(Buffer.from(this.#draft.subarray(0, ends.at(-1))));
    for (const [at, { number }] of jobs.entries()) {
      const from = ends[at - 1] ?? 0;
      this.place(number, from, (ends[at] as number) - from);
    }
    if (this.#draft.length > DRAFT_KEPT_BYTES) this.#draft = Buffer.alloc(0);
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
