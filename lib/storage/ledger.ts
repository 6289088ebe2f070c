/**
 * The ledger as a port: the kernel knows this and nothing of files. `file-ledger.ts` is the one implementation.
 *
 * The promise: `append` resolves only when its events are on the disk and it is certain that no other writer took over
 * (write, sync, check, `onDurable`, then resolve). A group is there whole or not at all.
 */
import type { LedgerEvent } from '../model/event.js';
import type { LedgerHealth } from '../model/health.js';

/** An event read back: with what its line adds, and where it stands. */
export interface StoredEvent {
  /** The line as it stands, parsed: the event's members with `seq`, `prev_hash` and, on a batch's last, `commit`. */
  readonly event: LedgerEvent & {
    readonly prev_hash?: string;
    readonly commit?: { readonly from: number; readonly mac: string };
  };
  /** Whether the batch it stands in is of this home: its `mac` verifies. */
  readonly ours: boolean;
  /** File name of the segment, and the line in it, from 1. */
  readonly segment: string;
  readonly segmentLine: number;
}

/** The same, with the byte offset of its line in the segment. */
export type ReplayedEvent = StoredEvent & { readonly offset: number };

export interface Ledger {
  /**
   * Takes events whose `seq` go on from the last appended one, and whose decisions were made in the order of the calls.
   * Groups given while a batch is in flight go into the next one together.
   * @throws AgentopsdError `outcome_unknown` (this group may or may not survive) or `writer_stopped` (it was not written);
   *   `writer_stopped` or `body_too_large` at the call itself where the group is not even taken: the next `seq` is the same
   */
  append(events: readonly LedgerEvent[]): Promise<{ firstSeq: number; lastSeq: number }>;
  /** Acknowledged events with fromSeq ≤ seq ≤ toSeq (default: to the last one acknowledged at the call), in order. */
  read(fromSeq: number, toSeq?: number): AsyncIterable<StoredEvent>;
  /** The same, and then each event as it is acknowledged, until `signal` aborts. */
  tail(fromSeq: number, signal: AbortSignal): AsyncIterable<StoredEvent>;
  /** `seq` of the last acknowledged event; 0 when there is none. */
  lastSeq(): number;
  health(): LedgerHealth;
  /** Waits for the batch in flight, then lets go of everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Whoever folds the events and can give and take the folded state as bytes, so that an opening need not fold everything
 * anew. The ledger keeps those bytes and understands nothing of them.
 */
export interface StateKeeper {
  /** Names the meaning of events and bytes: a state of another reducer is never restored. */
  readonly reducer: string;
  /** The state at this moment: all that `onReplayed` and `onDurable` told so far. */
  capture(): { readonly summary: string; pages(): Iterable<Buffer> };
  /** What a capture holds: jobs that are written and read back one by one, and ended ones, whose bytes are there already. */
  size(): { readonly open: number; readonly ended: number };
  /** Room for a state beside the present one, which does not change before `become`. */
  restoring(): StateRestoring;
}

export interface StateRestoring {
  /** Pages in order, then the summary. @throws Error when they are none */
  page(bytes: Buffer): void;
  finish(summary: string): void;
  /** The state is from now on what was restored; without pages and summary that is the empty one. */
  become(): void;
}

/** What the opener of a ledger wants to be told, in order and synchronously. */
export interface LedgerObserver {
  /** Without it every opening tells every event. */
  readonly keeper?: StateKeeper;
  /** Each event of the replay, before `open` answers. */
  onReplayed(event: LedgerEvent, ours: boolean): void;
  /** The events of one batch once they are durable and checked, before any of its `append` calls resolves. */
  onDurable(events: readonly LedgerEvent[]): void;
  /**
   * All that was given to `append` and is not acknowledged is dropped: decisions built on it are void, and the next
   * `seq` is the last acknowledged one plus one. Comes before those `append` calls reject, and before `onStopped`.
   */
  onDiscarded(): void;
  /** The writer stopped for good, with the reason: nothing is acknowledged any more; work under leases has to end. */
  onStopped(reason: string): void;
}
