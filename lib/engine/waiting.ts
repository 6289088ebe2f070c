/** How long decisions have been waiting for the disk, without a note for each: one stands for those of a short while. */

/** Decisions closer together than this share a note; by so much the answer may be too high. */
const NOTE_MS = 25;

export class Waiting {
  /** The last `seq` of each note, and when its first decision was made; the oldest first. */
  #notes: { lastSeq: number; readonly sinceMs: number }[] = [];

  /** @param seq of the last event decided */
  decided(seq: number, nowMs: number): void {
    const last = this.#notes.at(-1);
    if (last !== undefined && nowMs - last.sinceMs < NOTE_MS) last.lastSeq = seq;
    else this.#notes.push({ lastSeq: seq, sinceMs: nowMs });
  }

  /** @param seq of the last event that is durable */
  durable(seq: number): void {
    const rest = this.#notes.findIndex(({ lastSeq }) => lastSeq > seq);
    if (rest !== 0) this.#notes = rest === -1 ? [] : this.#notes.slice(rest);
  }

  /** Nothing waits any more: what was decided and is not durable was dropped. */
  discard(): void {
    this.#notes = [];
  }

  /** Milliseconds; 0 when nothing waits. */
  sinceMs(nowMs: number): number {
    const [oldest] = this.#notes;
    return oldest === undefined ? 0 : nowMs - oldest.sinceMs;
  }
}
