/** Builds segments line by line, as a writer would leave them, so that a test can then damage them. */
import type { LedgerEvent } from '../../lib/model/event.js';
import { eventIdOf } from '../../lib/model/event.js';
import { encodeEventLine, encodeHeaderLine, hashOfLine } from '../../lib/storage/line.js';
import { segmentName } from '../../lib/storage/segment.js';
import type { HomeKey } from '../../lib/storage/segment-facts.js';
import type { MemoryDisk } from './memory-disk.js';

export const LEDGER = '/repository/.agents/daemon/ledger';
export const homeA: HomeKey = { id: 'home-a', key: Buffer.alloc(32, 1) };
export const homeB: HomeKey = { id: 'home-b', key: Buffer.alloc(32, 2) };
const OPENED = '2026-01-01T00:00:00.000Z';

export function sampleEvent(seq: number, more: Partial<LedgerEvent> = {}): LedgerEvent {
  const jobId = more.job_id ?? `job-${seq}`;
  return {
    schema_version: 1,
    event_id: eventIdOf('job.accepted', jobId, seq),
    request_id: `req-${seq}`,
    job_id: jobId,
    event_type: 'job.accepted',
    occurred_at: OPENED,
    actor: 'ao-http:legacy',
    payload: { job_payload: { goal: `goal ${seq}` }, job_type: 'rpi.run', max_attempts: 3, projection_targets: [] },
    seq,
    ...more,
  };
}

/** Where a segment goes on from. */
export interface Place {
  readonly segment: string;
  readonly length: number;
  readonly hash: string;
  readonly seq: number;
}

export class SegmentBuilder {
  readonly name: string;
  readonly home: HomeKey;
  /** Lines without newlines. */
  readonly lines: string[] = [];
  hash: string;
  seq: number;

  constructor(term: number, home: HomeKey, after?: Place, key: Uint8Array = home.key) {
    const writer = term.toString(16).padStart(8, '0');
    this.name = segmentName(term, writer);
    this.home = home;
    const header = {
      term,
      writer,
      home: home.id,
      opened_at: OPENED,
      ...(after && { after: { segment: after.segment, length: after.length } }),
    };
    this.seq = after?.seq ?? 0;
    this.hash = '';
    this.#push(encodeHeaderLine(header, after?.hash, key));
  }

  /** Batches of so many events each. */
  batches(...sizes: readonly number[]): this {
    for (const size of sizes) this.events(...Array.from({ length: size }, (_, at) => sampleEvent(this.seq + 1 + at)));
    return this;
  }

  /** One batch of these events. */
  events(...events: readonly LedgerEvent[]): this {
    const from = events[0]?.seq as number;
    events.forEach((event, at) => {
      this.#push(encodeEventLine(event, this.hash, at === events.length - 1 ? { from } : undefined, this.home.key));
      this.seq = event.seq;
    });
    return this;
  }

  /** The lines of a batch of which only the first `count` are there, without the commit. */
  openBatch(count: number): this {
    for (let at = 0; at < count; at++) {
      this.#push(encodeEventLine(sampleEvent(this.seq + 1), this.hash, undefined, this.home.key));
      this.seq++;
    }
    return this;
  }

  text(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }
  bytes(): Buffer {
    return Buffer.from(this.text(), 'utf8');
  }
  /** Byte offset of a line's start, and of the file's end for the line behind the last. */
  startOf(line: number): number {
    return Buffer.byteLength(
      this.lines
        .slice(0, line - 1)
        .map((one) => `${one}\n`)
        .join(''),
      'utf8',
    );
  }
  place(): Place {
    return { segment: this.name, length: this.bytes().length, hash: this.hash, seq: this.seq };
  }
  plant(disk: MemoryDisk, content: Uint8Array = this.bytes()): this {
    disk.plant(`${LEDGER}/${this.name}`, content);
    return this;
  }

  #push(line: string): void {
    this.lines.push(line);
    this.hash = hashOfLine(Buffer.from(line, 'utf8'));
  }
}

/** A copy with some bytes replaced. */
export function patched(content: Buffer, at: number, bytes: Uint8Array | string): Buffer {
  const copy = Buffer.from(content);
  copy.set(Buffer.from(bytes as Uint8Array), at);
  return copy;
}
