/**
 * The folded state as bytes: pages of jobs in the order of acceptance, and a summary of everything else. The same state
 * comes to the same bytes, however it came about: all at once, in turns, or from such bytes.
 *
 *   page      count | count rows | records
 *   row       hash of the job's id | hash of the key that leads to it, or 0 | bytes of its record, and `OPEN` where it
 *             has not ended
 *   record    `encodeJob`, in UTF-8
 *   summary   JSON: `StateSummary`
 *
 * Counts and the members of a row take 4 bytes each, little endian. Nothing in a record is read to take in a page, but
 * for jobs that have not ended.
 */
import type { Archive } from './archive.js';
import type { JobType, ProjectionName } from './event.js';
import { isTerminal, type Job, type JobState } from './job.js';
import type { JobNumbers } from './job-numbers.js';
import { encodeJob } from './job-text.js';
import type { LiveMoment } from './live-jobs.js';

export interface StateSummary {
  readonly last_seq: number;
  readonly event_count: number;
  readonly last_event_id: string | null;
  /** How many jobs the pages hold. */
  readonly jobs: number;
  /** Types of which some job waited for a worker at some time, in the order in which they first did. */
  readonly claimable: readonly JobType[];
  readonly running: readonly string[];
  readonly foreign: readonly string[];
  readonly stale: readonly ProjectionName[];
  /** How many jobs there are. */
  readonly types: readonly (readonly [JobType, number])[];
  readonly statuses: readonly (readonly [JobState, number])[];
}

/** What a moment holds, to be written while the state goes on. */
export interface StateSnapshot {
  readonly lastSeq: number;
  /** The text of a `StateSummary`. */
  readonly summary: string;
  /** Made one by one as they are asked for. */
  pages(): Generator<Buffer>;
}

/** The jobs of a moment: those that stood as objects then; all others are in the archive. */
export interface Moment {
  readonly archive: Archive;
  readonly numbers: JobNumbers;
  readonly size: number;
  readonly live: LiveMoment;
}

const JOBS_PER_PAGE = 1_024;
const WORD = 4;
const ROW_BYTES = 3 * WORD;
/** A record is shorter than this: a line of the ledger is. */
const OPEN = 0x8000_0000;

/** In the order of acceptance. Archived jobs are made anew as they come. */
export function* jobsOf({ archive, size, live }: Moment): Generator<Job> {
  for (let number = 0; number < size; number++) yield live.at(number) ?? archive.job(number);
}

export function* pagesOf(moment: Moment): Generator<Buffer> {
  const { archive, numbers, size, live } = moment;
  for (let first = 0; first < size; first += JOBS_PER_PAGE) {
    const page = new PageWriter(Math.min(JOBS_PER_PAGE, size - first));
    for (let number = first; number < Math.min(first + JOBS_PER_PAGE, size); number++) {
      const job = live.at(number);
      const record = job === undefined ? archive.bytesOf(number) : Buffer.from(encodeJob(job), 'utf8');
      // It may have been adopted since: no key led to it then.
      const keyHash = job?.foreign ? 0 : numbers.keyHash(number);
      page.add(record, numbers.idHash(number), keyHash, isOpen(job));
    }
    yield page.bytes();
  }
}

function isOpen(job: Job | undefined): boolean {
  return job !== undefined && !isTerminal(job);
}

class PageWriter {
  readonly #head: Buffer;
  readonly #records: Buffer[] = [];
  #at = WORD;

  constructor(count: number) {
    this.#head = Buffer.alloc(WORD + count * ROW_BYTES);
    this.#head.writeUInt32LE(count);
  }

  add(record: Buffer, idHash: number, keyHash: number, open: boolean): void {
    for (const word of [idHash, keyHash, record.length + (open ? OPEN : 0)])
      this.#at = this.#head.writeUInt32LE(word, this.#at);
    this.#records.push(record);
  }

  bytes(): Buffer {
    return Buffer.concat([this.#head, ...this.#records]);
  }
}

/** One job of a page. */
export interface PageRow {
  readonly idHash: number;
  /** 0 where no key leads to it. */
  readonly keyHash: number;
  /** Where its record stands on the page. */
  readonly from: number;
  readonly bytes: number;
  /** Whether it has not ended. */
  readonly isOpen: boolean;
}

/** Reads the rows of a page, in order. @throws Error when it is none */
export function readPage(page: Buffer, take: (row: PageRow) => void): void {
  const count = page.readUInt32LE(0);
  const recordsAt = WORD + count * ROW_BYTES;
  const end = count <= JOBS_PER_PAGE && recordsAt <= page.length ? endOf(page, count, recordsAt) : -1;
  if (end !== page.length) throw new Error('a page of jobs does not end where its rows say');
  let from = recordsAt;
  for (let at = WORD; at < recordsAt; at += ROW_BYTES) {
    const word = page.readUInt32LE(at + 2 * WORD);
    const bytes = lengthIn(word);
    const [idHash, keyHash] = [page.readUInt32LE(at), page.readUInt32LE(at + WORD)];
    take({ idHash, keyHash, from, bytes, isOpen: word >= OPEN });
    from += bytes;
  }
}

function endOf(page: Buffer, count: number, recordsAt: number): number {
  let end = recordsAt;
  for (let row = 0; row < count; row++) end += lengthIn(page.readUInt32LE(WORD + row * ROW_BYTES + 2 * WORD));
  return end;
}

function lengthIn(word: number): number {
  return word >= OPEN ? word - OPEN : word;
}
