/**
 * Ended jobs, kept as bytes: nothing changes them any more and few are asked for, but there are many. A job here takes a
 * third of the room of one in objects, and neither it nor the way to it costs the collector anything.
 *
 * Every job of a state has a number, in the order of acceptance, whether it is here or not yet. What is here stays as it
 * is: whoever noted which jobs were not here at some moment can read that moment later on.
 */
import type { Job } from './job.js';
import { decodeJob, encodeJob } from './job-text.js';
import { hashOfText, TextIndex } from './text-index.js';

/** A row of numbers for each job. */
const PAGE = 0;
const FROM = 1;
const BYTES = 2;
const ID_HASH = 3;
const KEY_HASH = 4;
const ROW = 5;
const FIRST_ROWS = 64;

/** Where the bytes of a job stand, and how it is found. */
export interface Shelved {
  readonly page: Buffer;
  readonly from: number;
  readonly bytes: number;
  readonly idHash: number;
  /** Of the idempotency key that leads to it; 0 where none does. */
  readonly keyHash: number;
}

export interface NumberedJob {
  readonly number: number;
  readonly job: Job;
}

export class Archive {
  #rows = new Uint32Array(FIRST_ROWS * ROW);
  /** The first stands for none. */
  readonly #pages: (Buffer | undefined)[] = [undefined];
  readonly #byId = new TextIndex();
  readonly #byKey = new TextIndex();
  #size = 0;

  /** How many numbers there are. */
  get size(): number {
    return this.#size;
  }

  /** The number of the next job. */
  number(): number {
    if ((this.#size + 1) * ROW > this.#rows.length) {
      const rows = new Uint32Array(this.#rows.length * 2);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    return this.#size++;
  }

  holds(number: number): boolean {
    return this.#rows[number * ROW + PAGE] !== 0;
  }

  /** Made anew at each call. The number has to be held. */
  job(number: number): Job {
    const { page, from, bytes } = this.shelved(number);
    return decodeJob(page.toString('utf8', from, from + bytes));
  }

  shelved(number: number): Shelved {
    const [rows, at] = [this.#rows, number * ROW];
    return {
      page: this.#pages[rows[at + PAGE] as number] as Buffer,
      from: rows[at + FROM] as number,
      bytes: rows[at + BYTES] as number,
      idHash: rows[at + ID_HASH] as number,
      keyHash: rows[at + KEY_HASH] as number,
    };
  }

  /** Made anew at each call. */
  jobOf(jobId: string): Job | undefined {
    return this.#meant(this.#byId, jobId, ({ job_id }) => job_id === jobId);
  }

  jobIdForKey(key: string): string | undefined {
    return this.#meant(this.#byKey, key, ({ idempotency_key }) => idempotency_key === key)?.job_id;
  }

  /** Shelves jobs together, on one page. @param leadsByKey whether its idempotency key leads to a job */
  put<One extends NumberedJob>(jobs: readonly One[], leadsByKey: (one: One) => boolean): void {
    const texts = jobs.map(({ job }) => encodeJob(job));
    const text = texts.join('');
    const page = Buffer.from(text, 'utf8');
    const isAscii = page.length === text.length;
    this.addPage(page);
    let from = 0;
    for (let at = 0; at < jobs.length; at++) {
      const [one, record] = [jobs[at] as One, texts[at] as string];
      const bytes = isAscii ? record.length : Buffer.byteLength(record, 'utf8');
      const keyHash = leadsByKey(one) ? hashOfText(one.job.idempotency_key as string) : 0;
      this.place(one.number, from, bytes, hashOfText(one.job.job_id), keyHash);
      from += bytes;
    }
  }

  /** What is placed from now on stands on it. */
  addPage(page: Buffer): void {
    this.#pages.push(page);
  }

  /** Where on the last page a job stands: what `encodeJob` answered, in UTF-8. */
  place(number: number, from: number, bytes: number, idHash: number, keyHash: number): void {
    const [rows, at] = [this.#rows, number * ROW];
    rows[at + PAGE] = this.#pages.length - 1;
    rows[at + FROM] = from;
    rows[at + BYTES] = bytes;
    rows[at + ID_HASH] = idHash;
    rows[at + KEY_HASH] = keyHash;
    this.#byId.add(idHash, number, this.#idOf);
    if (keyHash !== 0) this.#byKey.add(keyHash, number, this.#keyOf);
  }

  #meant(index: TextIndex, text: string, isMeant: (job: Job) => boolean): Job | undefined {
    let seen: Job | undefined;
    const number = index.find(text, (candidate) => {
      seen = this.job(candidate);
      return isMeant(seen);
    });
    if (number === undefined) return undefined;
    return seen !== undefined && isMeant(seen) ? seen : this.job(number);
  }

  readonly #idOf = (number: number): string => this.job(number).job_id;
  readonly #keyOf = (number: number): string => this.job(number).idempotency_key as string;
}
