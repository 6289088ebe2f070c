/**
 * The folded state as bytes: pages of jobs in the order of acceptance, and a summary of everything else. The same state
 * comes to the same bytes, however it came about: all at once, in turns, or from such bytes.
 *
 *   page      index length (4 bytes, little endian) | index | records
 *   index     JSON: [ids, keys, lengths, open]
 *               keys      per job the idempotency key that leads to it, or 0
 *               lengths   per job the bytes of its record
 *               open      places of those that have not ended
 *   record    `encodeJob`, in UTF-8
 *   summary   JSON: `StateSummary`
 */
import type { JobType, ProjectionName } from './event.js';
import { isTerminal, type Job, type JobState } from './job.js';
import { decodeJob, encodeJob } from './job-text.js';
import { ShelvedJob } from './shelf.js';

export interface StateSummary {
  readonly last_seq: number;
  readonly event_count: number;
  readonly last_event_id: string | null;
  /** How many jobs the pages hold. */
  readonly jobs: number;
  /** Jobs that wait for a worker, by type, first in first out. */
  readonly claimable: readonly (readonly [JobType, readonly string[]])[];
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

export type HeldJob = Job | ShelvedJob;

const JOBS_PER_PAGE = 1_024;
const INDEX_LENGTH_BYTES = 4;

type PageIndex = readonly [
  ids: readonly string[],
  keys: readonly (string | 0)[],
  lengths: readonly number[],
  open: readonly number[],
];

/** @param keyOf the key that leads to a job, if one does */
export function* pagesOf(
  ids: readonly string[],
  held: readonly HeldJob[],
  keyOf: (job: Job) => string | undefined,
): Generator<Buffer> {
  for (let at = 0; at < held.length; at += JOBS_PER_PAGE) {
    yield encodePage(ids.slice(at, at + JOBS_PER_PAGE), held.slice(at, at + JOBS_PER_PAGE), keyOf);
  }
}

function encodePage(ids: readonly string[], held: readonly HeldJob[], keyOf: (job: Job) => string | undefined): Buffer {
  const records = held.map((one) => (one instanceof ShelvedJob ? one.bytes() : Buffer.from(encodeJob(one), 'utf8')));
  const index: PageIndex = [
    ids,
    held.map((one) => (one instanceof ShelvedJob ? one.key : keyOf(one)) ?? 0),
    records.map((record) => record.length),
    held.flatMap((one, at) => (one instanceof ShelvedJob || isTerminal(one) ? [] : [at])),
  ];
  const text = Buffer.from(JSON.stringify(index), 'utf8');
  const length = Buffer.alloc(INDEX_LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...records]);
}

/** Hands out the jobs of a page, in order. `page` is kept: its ended jobs stay in it. */
export function readPage(page: Buffer, take: (jobId: string, key: string | undefined, job: HeldJob) => void): void {
  const indexEnd = INDEX_LENGTH_BYTES + page.readUInt32LE(0);
  const [ids, keys, lengths, open] = JSON.parse(page.toString('utf8', INDEX_LENGTH_BYTES, indexEnd)) as PageIndex;
  let from = indexEnd;
  let nextOpen = 0;
  for (let at = 0; at < ids.length; at++) {
    const to = from + (lengths[at] as number);
    const isOpen = open[nextOpen] === at;
    if (isOpen) nextOpen++;
    const key = keys[at] || undefined;
    const job = isOpen ? decodeJob(page.toString('utf8', from, to)) : new ShelvedJob(page, from, to, key);
    take(ids[at] as string, key, job);
    from = to;
  }
  if (from !== page.length) throw new Error('a page of jobs does not end where its index says');
}
