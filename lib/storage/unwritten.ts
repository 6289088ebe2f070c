/**
 * Tells bytes that never reached the disk from bytes that were altered. A crash leaves an unacknowledged write missing
 * from some byte on, or with whole sectors of it zero. An acknowledged line with one flipped bit must not pass for that,
 * or it would be cut off as a torn end.
 */
import { decodeLine } from './line.js';
import type { Piece } from './reader.js';

const SECTOR_BYTES = 512;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/**
 * Why `piece`, which can't be read or lacks its newline, looks like bytes that never reached the disk; or undefined.
 * @param endByte where the file ends
 */
export function whyPieceIsMissingBytes(piece: Piece, endByte: number): string | undefined {
  if (holdsLostZeros(piece, endByte)) return 'holds zero bytes';
  if (!piece.complete && isCutShort(piece.bytes)) return 'is cut short';
  return undefined;
}

/** Zeros count when there are two together, or when the one touches the edge of a sector, of the piece or of the file. */
function holdsLostZeros({ bytes, offset, length }: Piece, endByte: number): boolean {
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) {
    const position = offset + at;
    const atEdge = position % SECTOR_BYTES === 0 || (position + 1) % SECTOR_BYTES === 0;
    if (bytes[at + 1] === 0 || atEdge || at === 0 || (position + 1 === endByte && length > 0)) return true;
  }
  return false;
}

/**
 * Whether more of the same line could have followed: it begins as every line does, and its object is not closed before
 * its last byte. A whole line whose newline was altered has something behind its end.
 */
function isCutShort(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x7b) return false;
  const end = endOfObject(bytes);
  return end === undefined || end === bytes.length;
}

/** The byte behind the bracket that closes the first one, or undefined where nothing closes it. */
function endOfObject(bytes: Uint8Array): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPENING.has(byte)) depth++;
    else if (CLOSING.has(byte) && --depth === 0) return at + 1;
  }
  return undefined;
}

/**
 * Zeros that ran over a newline stand before a line which is itself whole: two pieces then, under one line number, so
 * that the line is kept, and its commit can tell what was lost before it.
 */
export function withoutLeadingZeros(piece: Piece): readonly Piece[] {
  const zeroBytes = piece.bytes.lastIndexOf(0) + 1;
  if (zeroBytes === 0 || !piece.complete || decodeLine(piece.bytes.subarray(zeroBytes)).kind !== 'event')
    return [piece];
  return [
    { ...piece, bytes: piece.bytes.subarray(0, zeroBytes), length: zeroBytes, complete: false },
    {
      ...piece,
      bytes: piece.bytes.subarray(zeroBytes),
      offset: piece.offset + zeroBytes,
      length: piece.length - zeroBytes,
    },
  ];
}
