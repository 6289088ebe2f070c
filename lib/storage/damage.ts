/** The records of damage: each line once, in the order of the ledger, with its number over all segments. */
import type { DamageRecord } from '../model/health.js';

export class DamageBook {
  readonly #firstLineNumbers: ReadonlyMap<string, number>;
  readonly #records = new Map<string, DamageRecord>();

  /** @param firstLineNumbers of each segment, the number of its first line over all segments */
  constructor(firstLineNumbers: ReadonlyMap<string, number>) {
    this.#firstLineNumbers = firstLineNumbers;
  }

  add(segment: string, segmentLine: number, error: string): void {
    this.#put(segment, segmentLine, (this.#firstLineNumbers.get(segment) ?? 1) + segmentLine - 1, error);
  }

  /** A segment that is not there: it stands where the one that goes on from it begins. */
  addMissing(segment: string, namedBy: string, error: string): void {
    this.#put(segment, 1, this.#firstLineNumbers.get(namedBy) ?? 1, error);
  }

  records(): DamageRecord[] {
    return [...this.#records.values()].sort(
      (a, b) => a.line_number - b.line_number || (a.segment < b.segment ? -1 : 1),
    );
  }

  #put(segment: string, segmentLine: number, lineNumber: number, error: string): void {
    const name = `${segment}:${segmentLine}`;
    if (!this.#records.has(name))
      this.#records.set(name, { line_number: lineNumber, segment, segment_line: segmentLine, error });
  }
}
