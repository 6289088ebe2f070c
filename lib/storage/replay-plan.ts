/** What a replay is asked, and what it finds before it reads any event. */
import type { DamageRecord } from '../model/health.js';
import type { ChainCheckers } from './chain-check.js';
import type { Disk } from './disk.js';
import type { ReplayedEvent } from './ledger.js';
import type { KnownSegment, Mark } from './mark.js';
import type { HomeKey } from './segment-facts.js';

export interface ReplayOptions {
  readonly disk: Disk;
  /** Absolute path of the folder that holds the segments. */
  readonly ledgerFolder: string;
  /** Our own home, to tell our batches by; undefined where there is none (all is foreign then). */
  readonly home: HomeKey | undefined;
  /**
   * The segments to read, as listed by the caller. A writer that opens gives what it listed: a file of it that is gone
   * by now is an error (`DiskError` ENOENT). Without it the folder is listed here, and anew when a file vanishes.
   */
  readonly names?: readonly string[];
  /** Segments whose end need not be verified, by name. Only where exactly that end is asked for they are not read. */
  readonly known?: ReadonlyMap<string, KnownSegment>;
  /** Called when a segment is verified, oldest first. */
  readonly onScanned?: (segment: string) => void;
  readonly eager?: EagerSink;
  /** Who compares the hashes of our own segments; default: this thread. */
  readonly checkers?: ChainCheckers;
}

/**
 * Takes the events while they are being verified, so that all is read once. What it was given counts only if nothing
 * was spoiled and the plan shows no damage and one head.
 */
export interface EagerSink {
  /** Whether it wants the events of this segment. */
  wants(segment: string): boolean;
  take(events: readonly ReplayedEvent[]): void;
  /** Something was given that may not count, or left out that counts. */
  spoil(): void;
}

/** One segment of the chain, and how much of it counts. */
export interface ChainLink {
  readonly segment: string;
  readonly path: string;
  /** Bytes from the start that count, damaged lines among them included. */
  readonly countedBytes: number;
  /** The home that its header names; `forged:<id>` where it claims ours but its mac fails; `unknown:<name>` without a header. */
  readonly home: string;
  /** Whether the header's mac verifies with our key. Whether an event is ours its own batch decides. */
  readonly ours: boolean;
  /** Line number of its first line over all segments. */
  readonly firstLineNumber: number;
  /** `seq` of its first and last counted event; undefined when it has none. */
  readonly firstSeq: number | undefined;
  readonly lastSeq: number | undefined;
  /** `trusted`: one unbroken chain up to a mac of ours: every batch is ours. `checked`: read it batch by batch. */
  readonly reading: 'trusted' | 'checked';
  /** The end of what counts, and the lines of the whole file. */
  readonly end: Mark;
  readonly lineCount: number;
}

/** Bytes behind the last whole batch that were never acknowledged. */
export interface TornEnd {
  readonly segment: string;
  readonly fromByte: number;
  /** The size of the file as it was read. */
  readonly toByte: number;
  /** The header's mac verifies: only then may it be cut (and only once the segment is sealed). */
  readonly ours: boolean;
}

export interface ReplayPlan {
  readonly status: 'complete' | 'corrupt';
  readonly twoHeads: boolean;
  /** Why the ledger is degraded apart from damage: two heads. */
  readonly reasons: readonly string[];
  readonly damage: readonly DamageRecord[];
  /** Oldest first. Header-only segments at the end are left out: the next writer goes on from the last link. */
  readonly chain: readonly ChainLink[];
  readonly torn: readonly TornEnd[];
  /** Segments without events, ours or without a valid header, that the chain passes by: may go to quarantine. */
  readonly orphans: readonly string[];
  /** All segments that were read, oldest first. */
  readonly segments: readonly string[];
  /** 0 when there is no segment. */
  readonly highestSegmentNumber: number;
  /** `seq` of the last counted event, 0 when there is none. */
  readonly lastSeq: number;
  readonly lastEventId: string | undefined;
  /** Hash of the last counted line: `prev_hash` of whatever comes next. Undefined for an empty ledger. */
  readonly lastHash: string | undefined;
  /** Last whole batch of the head, or its header where it has none: an opener writes it again in place and syncs it. */
  readonly lastUnit: { readonly segment: string; readonly fromByte: number; readonly toByte: number } | undefined;
  /** What the next header names. Undefined for an empty ledger. */
  readonly after: { readonly segment: string; readonly length: number } | undefined;
  /** With corruption: lastSeq; otherwise 0. */
  readonly claimsHeldThroughSeq: number;
}
