/** A block of whole lines: where each stands, and the events in them, parsed many at once. */
import { isAscii } from 'node:buffer';
import type { EventLine } from './line.js';
import type { Lines } from './reader.js';

const NEWLINE = 0x0a;
const COMMA = 0x2c;
const OPENING = 0x5b;
const CLOSING = 0x5d;
/** So few that what is made of them dies young. */
const LINES_AT_ONCE = 64;

/** Where the lines of a block start. */
export interface LineOffsets {
  /** Number of the first line in the file, from 1. */
  readonly firstLine: number;
  /** In the file. @param line in the block, from 0 */
  offsetOf(line: number): number;
}

export class LineBlock implements LineOffsets {
  /** Number of the first line in the file, from 1. */
  readonly firstLine: number;
  /** Where in the block each newline stands. */
  readonly ends: readonly number[];
  /** Lines, a last one without newline among them. */
  readonly lineCount: number;
  /** Whole lines that start before the end of what counts, and the bytes before that end. */
  readonly countedLines: number;
  readonly countedBytes: number;
  readonly #bytes: Buffer;
  readonly #offset: number;
  #isAscii: boolean | undefined;

  /** @param toByte of the file: the end of what counts */
  constructor({ bytes, offset }: Lines, firstLine: number, toByte: number) {
    const ends: number[] = [];
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, end + 1)) ends.push(end);
    this.firstLine = firstLine;
    this.ends = ends;
    this.#bytes = bytes;
    this.#offset = offset;
    this.lineCount = ends.length + ((ends.at(-1) ?? -1) + 1 < bytes.length ? 1 : 0);
    this.countedBytes = Math.max(0, Math.min(bytes.length, toByte - offset));
    this.countedLines =
      this.countedBytes === bytes.length ? ends.length : ends.findIndex((_, line) => this.offsetOf(line) >= toByte);
    if (this.countedLines < 0) this.countedLines = ends.length;
  }

  /** Where a line starts in the file. @param line in the block, from 0 */
  offsetOf(line: number): number {
    return this.#offset + this.#startOf(line);
  }

  /** The same for whoever asks later, without the bytes. */
  offsets(): LineOffsets {
    const { firstLine, ends } = this;
    const offset = this.#offset;
    return { firstLine, offsetOf: (line) => offset + startIn(ends, line) };
  }

  bytesOf(line: number): Buffer {
    return this.#bytes.subarray(this.#startOf(line), this.ends[line]);
  }

  /** The line whose newline is the last byte before `toByte` of the file. */
  lineEndingAt(toByte: number): number | undefined {
    const end = toByte - 1 - this.#offset;
    if (end < 0 || end >= this.#bytes.length || this.#bytes[end] !== NEWLINE) return undefined;
    let [low, high] = [0, this.ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ends[middle] as number) < end) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The next events from a line on, of those that count: one text and one call for all of them. Undefined when they are
   * no JSON. For the time of the call the newlines before, between and behind them are what an array has there.
   */
  events(fromLine: number): EventLine[] | undefined {
    const { toLine, encoding } = this.#alike(fromLine, Math.min(fromLine + LINES_AT_ONCE, this.countedLines));
    if (toLine <= fromLine) return [];
    // Before the first line of a block stands nothing that could be another sign.
    const text =
      fromLine === 0 ? `[${this.#arrayText(0, toLine, encoding)}` : this.#arrayText(fromLine, toLine, encoding);
    try {
      const events = JSON.parse(text) as EventLine[];
      return events.length === toLine - fromLine ? events : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * How far lines go that are read in one way: a few signs beyond ASCII in one line would make the text of all of them
   * take twice the room and twice the time.
   */
  #alike(fromLine: number, toLine: number): { toLine: number; encoding: 'latin1' | 'utf8' } {
    this.#isAscii ??= isAscii(this.#bytes);
    if (this.#isAscii || toLine <= fromLine) return { toLine, encoding: 'latin1' };
    const isPlain = isAscii(this.bytesOf(fromLine));
    let to = fromLine + 1;
    while (to < toLine && isAscii(this.bytesOf(to)) === isPlain) to++;
    return { toLine: to, encoding: isPlain ? 'latin1' : 'utf8' };
  }

  #arrayText(fromLine: number, toLine: number, encoding: 'latin1' | 'utf8'): string {
    const [bytes, ends] = [this.#bytes, this.ends];
    const [from, to] = [fromLine === 0 ? 0 : (ends[fromLine - 1] as number), ends[toLine - 1] as number];
    for (let line = fromLine; line < toLine - 1; line++) bytes[ends[line] as number] = COMMA;
    if (fromLine > 0) bytes[from] = OPENING;
    bytes[to] = CLOSING;
    const text = bytes.toString(encoding, from, to + 1);
    for (let line = Math.max(0, fromLine - 1); line < toLine; line++) bytes[ends[line] as number] = NEWLINE;
    return text;
  }

  #startOf(line: number): number {
    return startIn(this.ends, line);
  }
}

function startIn(ends: readonly number[], line: number): number {
  return line === 0 ? 0 : (ends[line - 1] as number) + 1;
}
