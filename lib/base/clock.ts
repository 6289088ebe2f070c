/**
 * Time comes in through this seam. Durations are measured on the monotonic clock, timestamps are taken from the wall
 * clock; the two may drift apart (suspend, a corrected clock), and whoever compares them says so.
 */
export interface Clock {
  /** Milliseconds since 1970 in UTC, as the wall clock has it: may jump in either direction. */
  wallMs(): number;
  /** Milliseconds since some fixed moment: never jumps; stands still while the machine sleeps. */
  monotonicMs(): number;
  /** Runs `work` once after `delayMs`; the answer cancels it. Never keeps the process alive by itself. */
  after(delayMs: number, work: () => void): () => void;
}

/** RFC 3339 in UTC with milliseconds, as every timestamp of the ledger is written. */
export function timestamp(wallMs: number): string {
  // Many events come within one millisecond.
  if (wallMs !== lastMs) {
    lastText = new Date(wallMs).toISOString();
    lastMs = wallMs;
  }
  return lastText;
}

let lastMs = Number.NaN;
let lastText = '';
