/**
 * The one reader of segments: whoever reads a ledger, reads it through here. It splits a file into pieces at newlines
 * and judges nothing; what a piece means `line.ts` and `walk.ts` say.
 */
import { limits } from '../base/limits.js';
import type { DiskFile } from './disk.js';

/** What stands between two newlines. */
export interface Piece {
  /** Without the newline. Of a piece that is longer than any line may be only the start, one byte over the limit. */
  readonly bytes: Buffer;
  /** Where it starts in the file. */
  readonly offset: number;
  /** Bytes it takes in the file, its newline included. */
  readonly length: number;
  /** In the file, from 1. */
  readonly lineNumber: number;
  /** Whether a newline closes it. */
  readonly complete: boolean;
}

export interface ReadFrom {
  /** Byte offset of a line's start; default 0. */
  readonly fromByte?: number;
  /** Number of the line at `fromByte`; default 1. */
  readonly lineNumber?: number;
  /** Reads no further than this; default: the size that the file has now. */
  readonly toByte?: number;
  readonly blockBytes?: number;
}

const NEWLINE = 0x0a;
/** So few at once that what is made of them dies young. */
const PIECES_AT_ONCE = 64;

/** All pieces, one at a time. */
export async function* readPieces(file: DiskFile, from: ReadFrom = {}): AsyncGenerator<Piece> {
  for await (const block of readBlocks(file, from)) yield* block;
}

/** All pieces, in short arrays: the fast way through a whole file. */
export async function* readBlocks(file: DiskFile, from: ReadFrom = {}): AsyncGenerator<Piece[]> {
  const toByte = from.toByte ?? file.factsSync().sizeBytes;
  // Who looks for a few lines finds them in a small first block; who reads on reads much.
  let blockBytes = from.blockBytes ?? limits.firstReadBlockBytes;
  const splitter = new Splitter(from.fromByte ?? 0, from.lineNumber ?? 1);
  const read = (position: number): Promise<Buffer> => file.read(position, Math.min(blockBytes, toByte - position));
  let ahead: Promise<Buffer> | undefined;
  for (let position = from.fromByte ?? 0, first = true; position < toByte; first = false) {
    const block = await (ahead ?? read(position));
    if (block.length === 0) break;
    position += block.length;
    blockBytes = from.blockBytes ?? limits.readBlockBytes;
    // Behind the first one, the next comes while this one is looked at.
    ahead = first || position >= toByte ? undefined : read(position);
    // Who stops early does not ask for it.
    ahead?.catch(() => undefined);
    yield* splitter.take(block);
  }
  const rest = splitter.rest();
  if (rest) yield [rest];
}

/** Lines that follow each other in a file, each with its newline; only at the end of what is read the last may lack it. */
export interface Lines {
  readonly bytes: Buffer;
  /** Where the first of them starts in the file. */
  readonly offset: number;
}

/** Whole lines in large blocks, uncut. Each block's memory is its own: the reader keeps nothing of it. */
export async function* readLines(file: DiskFile, toByte: number): AsyncGenerator<Lines> {
  const read = (position: number): Promise<Buffer> =>
    file.read(position, Math.min(limits.readBlockBytes, toByte - position));
  let offset = 0;
  let ahead: Promise<Buffer> | undefined;
  while (offset < toByte) {
    let block = await (ahead ?? read(offset));
    // A line that is longer than a block.
    while (block.length > 0 && !block.includes(NEWLINE) && offset + block.length < toByte) {
      const more = await read(offset + block.length);
      if (more.length === 0) break;
      block = Buffer.concat([block, more]);
    }
    if (block.length === 0) return;
    const lines = offset + block.length < toByte ? block.subarray(0, block.lastIndexOf(NEWLINE) + 1) : block;
    // Cut short under our eyes: what is left is all that comes.
    const bytes = lines.length > 0 ? lines : block;
    const next = offset + bytes.length;
    ahead = next < toByte ? read(next) : undefined;
    ahead?.catch(() => undefined);
    yield { bytes, offset };
    offset = next;
  }
}

/** Cuts blocks at newlines and carries over what a block leaves open. */
class Splitter {
  #offset: number;
  #lineNumber: number;
  #open: Buffer[] = [];
  /** Bytes of the open piece in the file, and how many of them `#open` keeps. */
  #openBytes = 0;
  #keptBytes = 0;

  constructor(offset: number, lineNumber: number) {
    this.#offset = offset;
    this.#lineNumber = lineNumber;
  }

  *take(block: Buffer): Generator<Piece[]> {
    let pieces: Piece[] = [];
    let at = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, at)) {
      if (this.#openBytes === 0) pieces.push(this.#piece(block.subarray(at, end), end - at + 1, true));
      else {
        this.#keep(block.subarray(at, end));
        pieces.push(this.#piece(this.#joined(), this.#openBytes + 1, true));
      }
      at = end + 1;
      if (pieces.length < PIECES_AT_ONCE) continue;
      yield pieces;
      pieces = [];
    }
    if (at < block.length) this.#keep(block.subarray(at));
    if (pieces.length > 0) yield pieces;
  }

  /** What the last newline leaves open. */
  rest(): Piece | undefined {
    return this.#openBytes === 0 ? undefined : this.#piece(this.#joined(), this.#openBytes, false);
  }

  #keep(bytes: Buffer): void {
    const room = limits.ledgerLineBytes + 1 - this.#keptBytes;
    if (room > 0) this.#open.push(bytes.subarray(0, room));
    this.#keptBytes += Math.min(bytes.length, Math.max(room, 0));
    this.#openBytes += bytes.length;
  }

  #joined(): Buffer {
    return this.#open.length === 1 ? (this.#open[0] as Buffer) : Buffer.concat(this.#open);
  }

  #piece(bytes: Buffer, length: number, complete: boolean): Piece {
    const piece = { bytes, offset: this.#offset, length, lineNumber: this.#lineNumber, complete };
    this.#offset += length;
    this.#lineNumber += 1;
    this.#open = [];
    this.#openBytes = 0;
    this.#keptBytes = 0;
    return piece;
  }
}
