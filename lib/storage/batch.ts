/**
 * One batch: groups of events that become durable together. Lines are encoded as the groups come, while the batch
 * before is being synced; only the last event waits for `finish`, because its line carries the commit mark.
 */
import { AgentopsdError, invariant } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { LedgerEvent } from '../model/event.js';
import { encodeEventLine, hashOfLine } from './line.js';
import { LineBuffer } from './line-buffer.js';

export interface Waiter {
  readonly events: readonly LedgerEvent[];
  readonly resolve: (span: { firstSeq: number; lastSeq: number }) => void;
  readonly reject: (error: Error) => void;
}

export interface Batch {
  /** Good until the draft behind the next one begins. */
  readonly bytes: Buffer;
  readonly events: readonly LedgerEvent[];
  /** Bytes of each event's line with its newline. */
  readonly lineBytes: readonly number[];
  readonly waiters: readonly Waiter[];
  readonly lastHash: string;
}

/** What the envelope, the hashes and the commit mark take at most beside the caller's texts. */
const ENVELOPE_BYTES = 1_024;
/** One UTF-16 unit becomes at most `\uXXXX`. */
const BYTES_PER_UNIT = 6;

export class BatchDraft {
  readonly #key: Uint8Array;
  readonly #lines: LineBuffer;
  readonly #others: LineBuffer;
  #prevHash: string;
  #waiters: Waiter[] = [];
  #events: LedgerEvent[] = [];
  #lineBytes: number[] = [];
  #held: LedgerEvent | undefined;

  /** @param prevHash hash of the line that the batch follows */
  constructor(key: Uint8Array, prevHash: string, lines = new LineBuffer(), others = new LineBuffer()) {
    this.#key = key;
    this.#prevHash = prevHash;
    this.#lines = lines;
    this.#others = others;
    lines.clear();
  }

  /** The next draft. While the batch of this one is in flight its lines stay: the two take turns. */
  next(prevHash: string): BatchDraft {
    return new BatchDraft(this.#key, prevHash, this.#others, this.#lines);
  }

  get isEmpty(): boolean {
    return this.#waiters.length === 0;
  }

  get waiters(): readonly Waiter[] {
    return this.#waiters;
  }

  add(waiter: Waiter): void {
    this.#waiters.push(waiter);
    for (const event of waiter.events) {
      this.#events.push(event);
      if (this.#held !== undefined) this.#encode(this.#held, undefined);
      this.#held = event;
    }
  }

  /** The same groups behind another line; this draft is not to be used any more. */
  moveBehind(prevHash: string): BatchDraft {
    const moved = new BatchDraft(this.#key, prevHash, this.#lines, this.#others);
    for (const waiter of this.#waiters) moved.add(waiter);
    return moved;
  }

  finish(): Batch {
    const events = this.#events;
    const [first] = events;
    invariant(first !== undefined && this.#held !== undefined, 'a batch holds an event');
    this.#encode(this.#held, { from: first.seq });
    return {
      bytes: this.#lines.bytes(),
      events,
      lineBytes: this.#lineBytes,
      waiters: this.#waiters,
      lastHash: this.#prevHash,
    };
  }

  #encode(event: LedgerEvent, commit: { from: number } | undefined): void {
    const line = this.#lines.add(encodeEventLine(event, this.#prevHash, commit, this.#key));
    this.#lineBytes.push(line.length + 1);
    this.#prevHash = hashOfLine(line);
  }
}

/**
 * Refuses an event whose line might pass the limit, before anything is decided on it. An upper bound is compared
 * first, so that the usual event is not encoded twice.
 * @throws AgentopsdError `body_too_large`
 */
export function refuseLongLine(event: LedgerEvent, key: Uint8Array): void {
  if (upperBoundBytes(event) <= limits.ledgerLineBytes) return;
  const hash = '0'.repeat(64);
  const bytes = Buffer.byteLength(encodeEventLine(event, hash, { from: event.seq }, key), 'utf8');
  if (bytes <= limits.ledgerLineBytes) return;
  throw new AgentopsdError('body_too_large', `the event ${event.event_id} takes ${bytes} bytes in the ledger`, {
    hint: `a line of the ledger holds at most ${limits.ledgerLineBytes} bytes: put large data into a file and name it`,
    details: { max_bytes: limits.ledgerLineBytes, got_bytes: bytes },
  });
}

function upperBoundBytes(event: LedgerEvent): number {
  const texts =
    event.actor.length +
    event.event_id.length +
    event.event_type.length +
    event.job_id.length +
    event.request_id.length;
  return ENVELOPE_BYTES + BYTES_PER_UNIT * (texts + unitsOf(event.payload));
}

/** Letters of all texts and names within, and a generous width for everything else. */
function unitsOf(value: unknown): number {
  const other = 8;
  if (typeof value === 'string') return value.length + other;
  if (typeof value !== 'object' || value === null) return other;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + unitsOf(item), other);
  let sum = other;
  for (const name in value) sum += name.length + other + unitsOf((value as Record<string, unknown>)[name]);
  return sum;
}
