/** What is found wrong in a segment while it is read, before it has its line number over all segments. */

export interface Fault {
  /** In the segment, from 1. */
  readonly lineNumber: number;
  /** Bytes of the line, its newline included. */
  readonly fromByte: number;
  readonly toByte: number;
  /** `missing`: zero bytes or a line cut short, as a write leaves them that never reached the disk. */
  readonly kind: 'missing' | 'altered';
  readonly error: string;
}

/** The faults of one segment: each line once, with what was found first. */
export class FaultList {
  readonly #byLine = new Map<number, Fault>();

  add(fault: Fault): void {
    if (!this.#byLine.has(fault.lineNumber)) this.#byLine.set(fault.lineNumber, fault);
  }

  /** In the order of lines. */
  all(): Fault[] {
    return [...this.#byLine.values()].sort((a, b) => a.lineNumber - b.lineNumber);
  }
}
