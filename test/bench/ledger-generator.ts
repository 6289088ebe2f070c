/**
 * Writes a valid ledger of many events, fast: jobs that were accepted, claimed and completed, in batches and segments
 * as a busy daemon would have left them. What comes out is what its own writer would have written, byte for byte the
 * same for the same options.
 */
import { join } from 'node:path';
import { timestamp } from '../../lib/base/clock.js';
import { limits } from '../../lib/base/limits.js';
import { eventIdOf, type JobType, type LedgerEvent } from '../../lib/model/event.js';
import { projectionTargetsOf } from '../../lib/model/payloads.js';
import { writeWhole } from '../../lib/storage/atomic-file.js';
import type { Disk, DiskFile } from '../../lib/storage/disk.js';
import { makeFolderDurably } from '../../lib/storage/folder.js';
import { encodeEventLine, encodeHeaderLine, hashOfLine } from '../../lib/storage/line.js';
import { segmentName } from '../../lib/storage/segment.js';
import type { HomeKey } from '../../lib/storage/segment-facts.js';

export interface GeneratorOptions {
  readonly disk: Disk;
  /** Real path of the repository. */
  readonly root: string;
  readonly ledgerFolder: string;
  readonly home: HomeKey;
  /** Rounded up to whole jobs. */
  readonly events: number;
  /** Default: three short events a job. */
  readonly lives?: Lives;
  /** Default 32. */
  readonly eventsPerBatch?: number;
  /** Default `limits.segmentBytes`. */
  readonly segmentBytes?: number;
}

/** The events of so many jobs, in the order of the ledger. */
export interface Lives {
  readonly eventsPerJob: number;
  of(jobs: number): Generator<LedgerEvent>;
}

export interface GeneratedLedger {
  readonly events: number;
  readonly jobs: number;
  readonly bytes: number;
  readonly segments: readonly string[];
}

const shortLives: Lives = { eventsPerJob: 3, of: lifeOfJobs };
const BEGIN_MS = Date.UTC(2026, 0, 1);
const WRITER = '0000beef';
const SEGMENT_FILE = 0o644;
const SHARED_FOLDER = 0o755;
/** Jobs that are under way at once: their events stand mixed, as of many workers. */
const LANES = 8;
const types: readonly JobType[] = ['rpi.run', 'wiki.build', 'dream.run', 'eval.suite'];

export async function generateLedger(options: GeneratorOptions): Promise<GeneratedLedger> {
  const { disk, root, ledgerFolder, lives = shortLives } = options;
  await makeFolderDurably(disk, { path: ledgerFolder, permissions: SHARED_FOLDER, durableFrom: root });
  const writer = new SegmentsWriter(options);
  const jobs = Math.ceil(options.events / lives.eventsPerJob);
  let batch: LedgerEvent[] = [];
  for (const event of lives.of(jobs)) {
    batch.push(event);
    if (batch.length < (options.eventsPerBatch ?? 32)) continue;
    await writer.write(batch);
    batch = [];
  }
  if (batch.length > 0) await writer.write(batch);
  await writer.finish();
  return { events: jobs * lives.eventsPerJob, jobs, bytes: writer.bytes, segments: writer.names };
}

/** The events of so many jobs, in the order of the ledger. */
export function* lifeOfJobs(jobs: number): Generator<LedgerEvent> {
  let seq = 0;
  for (let first = 0; first < jobs; first += LANES) {
    const lanes = Array.from({ length: Math.min(LANES, jobs - first) }, (_, at) => first + at);
    for (const make of [accepted, claimed, completed]) for (const job of lanes) yield make(job, ++seq);
  }
}

function accepted(job: number, seq: number): LedgerEvent {
  const job_type = types[job % types.length] as JobType;
  return eventOf('job.accepted', job, seq, {
    idempotency_key: `key-${job}`,
    job_payload: { goal: `do the thing that was asked for in request ${job}`, number: job },
    job_type,
    max_attempts: 3,
    projection_targets: projectionTargetsOf(job_type),
  });
}

function claimed(job: number, seq: number): LedgerEvent {
  return eventOf('job.claimed', job, seq, {
    ...leaseOf(job),
    lease_expires_at: timestamp(BEGIN_MS + 60_000 + seq),
    attempt: 1,
  });
}

function completed(job: number, seq: number): LedgerEvent {
  return eventOf('job.completed', job, seq, {
    ...leaseOf(job),
    result_status: 'succeeded',
    artifacts: { output: `.agents/runs/job_${job}/attempt-1/output.log` },
  });
}

function leaseOf(job: number): { claim_token: string; lease_epoch: number } {
  return { claim_token: `claim_${job.toString(16).padStart(16, '0')}`, lease_epoch: 1 };
}

/** One event of the job of this number. */
export function eventOf(
  event_type: string,
  job: number,
  seq: number,
  payload: NonNullable<LedgerEvent['payload']>,
): LedgerEvent {
  const job_id = `job_${job.toString(36).padStart(12, '0')}`;
  return {
    schema_version: 1,
    event_id: eventIdOf(event_type, job_id, seq),
    request_id: `req_${job}`,
    job_id,
    event_type,
    occurred_at: timestamp(BEGIN_MS + seq),
    actor: 'ao-http:legacy',
    payload,
    seq,
  };
}

class SegmentsWriter {
  readonly names: string[] = [];
  bytes = 0;
  readonly #options: GeneratorOptions;
  #file: DiskFile | undefined;
  #sizeBytes = 0;
  #lastHash: string | undefined;

  constructor(options: GeneratorOptions) {
    this.#options = options;
  }

  async write(events: readonly LedgerEvent[]): Promise<void> {
    const { home, segmentBytes = limits.segmentBytes } = this.#options;
    if (this.#file === undefined || this.#sizeBytes >= segmentBytes) await this.#nextSegment();
    const from = events[0]?.seq as number;
    const lines = events.map((event, at) => {
      const line = encodeEventLine(event, this.#lastHash, at === events.length - 1 ? { from } : undefined, home.key);
      this.#lastHash = hashOfLine(Buffer.from(line, 'utf8'));
      return `${line}\n`;
    });
    this.#put(lines.join(''));
  }

  async finish(): Promise<void> {
    await this.#file?.datasync();
    await this.#file?.close();
    await this.#options.disk.syncFolder(this.#options.ledgerFolder);
  }

  async #nextSegment(): Promise<void> {
    const { disk, ledgerFolder, home } = this.#options;
    const before = this.names.at(-1);
    const term = this.names.length + 1;
    const name = segmentName(term, WRITER);
    const after = before === undefined ? undefined : { segment: before, length: this.#sizeBytes };
    const header = { term, writer: WRITER, home: home.id, opened_at: timestamp(BEGIN_MS), ...(after && { after }) };
    const line = encodeHeaderLine(header, this.#lastHash, home.key);
    await this.finish();
    this.#file = await disk.open(join(ledgerFolder, name), 'create', SEGMENT_FILE);
    this.#sizeBytes = 0;
    this.names.push(name);
    this.#lastHash = hashOfLine(Buffer.from(line, 'utf8'));
    this.#put(`${line}\n`);
  }

  #put(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    writeWhole(this.#file as DiskFile, bytes, this.#sizeBytes);
    this.#sizeBytes += bytes.length;
    this.bytes += bytes.length;
  }
}
