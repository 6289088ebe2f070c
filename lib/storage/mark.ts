/** The places in a segment that others go on from, and what a scan of one tells. */
import type { ChainCheckers } from './chain-check.js';
import type { Disk } from './disk.js';
import type { Fault } from './fault.js';
import type { ReplayedEvent } from './ledger.js';
import type { SegmentFacts } from './segment-facts.js';

/** Where another segment goes on from in this one. What is not known stays undefined. */
export interface Want {
  /** Bytes of this segment that count. */
  readonly length: number | undefined;
  /** Hash of the last line that counts. */
  readonly hash: string | undefined;
  /** `seq` of the last event that counts. */
  readonly seq: number | undefined;
}

/** A place that another segment, or the next writer, goes on from. */
export interface Mark {
  readonly toByte: number;
  readonly lineNumber: number;
  readonly hash: string;
  /** The line is a header or ends a batch. */
  readonly committed: boolean;
  /** Of the last event up to here that can be read; undefined where there is none in this segment. */
  readonly lastSeq: number | undefined;
  readonly lastEventId: string | undefined;
  /** The last whole batch up to here, or the header. */
  readonly unit: { readonly fromByte: number; readonly toByte: number };
}

/** A segment whose end was verified at an earlier opening, or written by ourselves: it is not read again for it. */
export interface KnownSegment {
  readonly segment: string;
  /** Where what counts of it ends. */
  readonly end: Mark;
  readonly lineCount: number;
}

export interface SegmentScan {
  readonly sizeBytes: number;
  readonly lineCount: number;
  /** One for each want: where it is met, or the nearest place; undefined when there is none. */
  readonly marks: readonly (Mark | undefined)[];
  /** What counts of it when it is a head. */
  readonly end: Mark;
  /** Where the torn end of a head begins. */
  readonly tornFromByte: number | undefined;
  /** Where the first bytes begin that are no whole batch. */
  readonly wholeToByte: number;
  /** Those of a torn end too: what counts is where a chain says that this segment ends. */
  readonly faults: readonly Fault[];
  /** All of it stands under a mac of ours, without a gap. */
  readonly trusted: boolean;
  /** All events in it that count were told as they were read. */
  readonly told: boolean;
}

export interface ScanTask {
  readonly disk: Disk;
  readonly facts: SegmentFacts;
  readonly key: Uint8Array | undefined;
  readonly wants: readonly Want[];
  readonly isHead: boolean;
  /** `seq` of the last event before this segment, where it is known. */
  readonly seqBefore: number | undefined;
  readonly known?: KnownSegment | undefined;
  /** Is given the events as they are read, while it is not certain yet that they count. */
  readonly eager?: ((events: readonly ReplayedEvent[]) => void) | undefined;
  /** Default: here, beside whatever else. */
  readonly checkers?: ChainCheckers | undefined;
  /** Looks at each batch even where one mac vouches for all. */
  readonly carefully?: boolean;
}

/** The end of the header, or of what stands in its place. */
export function headerMark(facts: SegmentFacts): Mark {
  const toByte = facts.firstLine?.toByte ?? 0;
  return {
    toByte,
    lineNumber: 1,
    hash: facts.firstLine?.hash ?? '',
    committed: true,
    lastSeq: undefined,
    lastEventId: undefined,
    unit: { fromByte: 0, toByte },
  };
}
