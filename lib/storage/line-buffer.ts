/**
 * The bytes of lines that are written together, in one piece of memory that is used again and again: a buffer for each
 * line, and one more for all of them, would be thrown away thousands of times a second.
 */
const NEWLINE = 0x0a;
const USUAL_BYTES = 65_536;
/** Above this much, what a large batch took is given back. */
const KEPT_BYTES = 1_048_576;
/** One UTF-16 unit takes at most so many bytes of UTF-8. */
const BYTES_PER_UNIT = 3;

export class LineBuffer {
  #buffer = Buffer.allocUnsafeSlow(USUAL_BYTES);
  #length = 0;

  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(USUAL_BYTES);
  }

  /** Adds a line and its newline. @returns the line's bytes, without it; good until the next one is added */
  add(line: string): Buffer {
    const from = this.#length;
    this.#makeRoom(from, line);
    const end = from + this.#buffer.write(line, from, 'utf8');
    this.#buffer[end] = NEWLINE;
    this.#length = end + 1;
    return this.#buffer.subarray(from, end);
  }

  /** All lines so far, each with its newline; good until the buffer is cleared or another line is added. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #makeRoom(from: number, line: string): void {
    if (from + line.length * BYTES_PER_UNIT + 1 <= this.#buffer.length) return;
    const size = from + Buffer.byteLength(line, 'utf8') + 1;
    if (size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(size, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, from);
    this.#buffer = larger;
  }
}
