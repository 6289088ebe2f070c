/**
 * `output.log` of an attempt: what its processes print, as it comes, and never larger than its limit.
 *
 * The file is one head and one tail. The first half of the limit is written and stays. What follows is appended too, so
 * that `tail -f` sees it, until the file is full; then the older part of the tail gives way to one line that tells how
 * many bytes are left out there, and the newer part moves up behind it. Each such step drops about a quarter of the
 * limit, so however much is printed, every byte is moved a few times at most.
 *
 * Only then does the file become shorter: a reader that follows it goes on from the new end. Writing is synchronous: a
 * process that prints faster than the disk takes it has to wait in its pipe, and nothing piles up in memory.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

export interface OutputLog {
  /** Appends. Never throws: when the disk refuses, the bytes are counted as left out. */
  write(bytes: Uint8Array | string): void;
  /** All bytes that were given to `write`. */
  writtenBytes(): number;
  /** Bytes that the file does not hold. */
  omittedBytes(): number;
  /** Why bytes could not be written, if so. */
  problem(): string | undefined;
  /** Idempotent. */
  close(): void;
}

/** Under this a head, a tail and the line between them have no room. */
export const MIN_OUTPUT_BYTES = 1024;
const NOTE_BYTES = 96;
/** How far back from the end of the head, and on from the start of the tail, a line's end is looked for. */
const LINE_SEARCH_BYTES = 4096;
const NEWLINE = 0x0a;

/**
 * @param path a file that is made, or emptied; a link there is refused
 * @param maxBytes the most that the file ever holds; at least `MIN_OUTPUT_BYTES`
 * @throws the system's error when the file can't be opened
 */
export function createOutputLog(path: string, maxBytes: number): OutputLog {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return new BoundedLog(openSync(path, flags, 0o600), Math.max(MIN_OUTPUT_BYTES, maxBytes));
}

class BoundedLog implements OutputLog {
  readonly #descriptor: number;
  readonly #maxBytes: number;
  #open = true;
  #sizeBytes = 0;
  #writtenBytes = 0;
  #omittedBytes = 0;
  /** Where the head ends, once the first byte was left out. */
  #headBytes: number | undefined;
  /** Where the tail begins, behind the note; the same as the head's end before there is one. */
  #tailStart: number;
  #problem: string | undefined;

  constructor(descriptor: number, maxBytes: number) {
    this.#descriptor = descriptor;
    this.#maxBytes = maxBytes;
    this.#tailStart = Math.floor(maxBytes / 2);
  }

  write(bytes: Uint8Array | string): void {
    const given = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    this.#writtenBytes += given.length;
    if (!this.#open || this.#problem !== undefined) {
      this.#omittedBytes += given.length;
      return;
    }
    let at = 0;
    try {
      while (at < given.length) {
        if (this.#sizeBytes === this.#maxBytes) this.#makeRoom();
        at += this.#append(given.subarray(at, at + this.#maxBytes - this.#sizeBytes));
      }
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      this.#omittedBytes += given.length - at;
    }
  }

  writtenBytes(): number {
    return this.#writtenBytes;
  }

  omittedBytes(): number {
    return this.#omittedBytes;
  }

  problem(): string | undefined {
    return this.#problem;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#descriptor);
  }

  #append(bytes: Uint8Array): number {
    const taken = writeSync(this.#descriptor, bytes, 0, bytes.length, this.#sizeBytes);
    this.#sizeBytes += taken;
    return taken;
  }

  /** Drops the older half of the tail: the newer half is written over it, behind the note, before the file is cut. */
  #makeRoom(): void {
    this.#headBytes ??= this.#endOfHead();
    const headBytes = this.#headBytes;
    const kept = this.#newerHalf();
    this.#omittedBytes = this.#writtenBytesInFile() - headBytes - kept.length;
    const note = Buffer.from(`\n[agentopsd: ${this.#omittedBytes} bytes left out here]\n`, 'utf8');
    this.#sizeBytes = headBytes;
    this.#appendAll(note);
    this.#tailStart = this.#sizeBytes;
    this.#appendAll(kept);
    ftruncateSync(this.#descriptor, this.#sizeBytes);
  }

  /** Bytes that went into the file so far, those left out since included. */
  #writtenBytesInFile(): number {
    const headAndTail = (this.#headBytes ?? 0) + this.#sizeBytes - this.#tailStart;
    return this.#omittedBytes === 0 ? this.#sizeBytes : headAndTail + this.#omittedBytes;
  }

  #appendAll(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += this.#append(bytes.subarray(at));
  }

  #endOfHead(): number {
    const full = this.#tailStart;
    const end = this.#read(Math.max(0, full - LINE_SEARCH_BYTES), full);
    const newline = end.lastIndexOf(NEWLINE);
    return newline === -1 ? full - brokenTailBytes(end) : full - end.length + newline + 1;
  }

  #newerHalf(): Buffer {
    const keptBytes = Math.floor((this.#maxBytes - this.#tailStart - NOTE_BYTES) / 2);
    const kept = this.#read(this.#sizeBytes - keptBytes, this.#sizeBytes);
    const newline = kept.subarray(0, LINE_SEARCH_BYTES).indexOf(NEWLINE);
    if (newline !== -1 && newline + 1 < kept.length) return kept.subarray(newline + 1);
    let at = 0;
    while (at < 3 && isContinuation(kept[at])) at++;
    return kept.subarray(at);
  }

  #read(from: number, to: number): Buffer {
    const bytes = Buffer.alloc(to - from);
    let at = 0;
    while (at < bytes.length) {
      const got = readSync(this.#descriptor, bytes, at, bytes.length - at, from + at);
      if (got === 0) throw new Error(`the log was cut to ${fstatSync(this.#descriptor).size} bytes by somebody else`);
      at += got;
    }
    return bytes;
  }
}

/** Bytes at the end that begin a character of UTF-8 and do not finish it. */
function brokenTailBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if (isContinuation(byte)) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? back : 0;
  }
  return 0;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
