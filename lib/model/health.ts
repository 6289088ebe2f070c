/** What storage knows about the ledger's condition: data that the views put into Ready, Status and Events. */

/** One line, or the place where a line is missing, that can't be believed. */
export interface DamageRecord {
  /** Over all segments, from the oldest; at least 1. */
  readonly line_number: number;
  /** File name of the segment, and the line within it; at least 1. */
  readonly segment: string;
  readonly segment_line: number;
  /** What is wrong with it, in words. */
  readonly error: string;
  /** Where recovery kept a copy, relative to the root. */
  readonly quarantine_path?: string;
}

export interface LedgerHealth {
  readonly damage: readonly DamageRecord[];
  /** False once the writer stopped for good: no acknowledgement comes from it any more. */
  readonly writable: boolean;
  /** Why the ledger is not to be trusted or not written: two heads, a stopped writer. Damage is told by its records. */
  readonly reasons: readonly string[];
  /** Jobs accepted at or before this seq may have lost an event: they are not claimed. 0 when there is no damage. */
  readonly claimsHeldThroughSeq: number;
  /** While older events are still being verified: up to which one they are. Missing when all are. */
  readonly verifiedThroughSeq?: number;
}

export const healthyLedger: LedgerHealth = Object.freeze({
  damage: [],
  writable: true,
  reasons: [],
  claimsHeldThroughSeq: 0,
});
