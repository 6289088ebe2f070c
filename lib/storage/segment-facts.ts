/** What the first lines of a segment tell: whose it is, and what it goes on from. */
import { join } from 'node:path';
import type { Disk } from './disk.js';
import type { SignedHeader } from './line.js';
import { decodeLine, hashOfLine, verifyHeaderMac } from './line.js';
import { newerThanKnown } from './newer.js';
import type { Piece } from './reader.js';
import { readPieces } from './reader.js';
import { compareSegmentNames, parseSegmentName } from './segment.js';

const FIRST_BLOCK_BYTES = 65_536;

export interface SegmentFacts {
  readonly name: string;
  readonly path: string;
  /** The term in its name. */
  readonly number: number;
  /** Undefined where the first line is no header. */
  readonly header: SignedHeader | undefined;
  readonly prevHash: string | undefined;
  /** The header's mac verifies with our key. */
  readonly own: boolean;
  /**
   * Whose segment it is: the home that the header names. Who names ours without our mac is a home of its own, and so
   * can neither seal ours nor be its head; so is each segment that lost its header.
   */
  readonly home: string;
  /** Undefined in an empty file. */
  readonly firstLine: { readonly toByte: number; readonly hash: string } | undefined;
  /** The first event that can be read, committed or not. */
  readonly firstEvent:
    | { readonly seq: number; readonly prevHash: string | undefined; readonly lineNumber: number }
    | undefined;
}

export interface HomeKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Names of the segments in a folder, oldest first; none when there is no folder. */
export async function listSegments(disk: Disk, ledgerFolder: string): Promise<string[]> {
  const names = (await disk.list(ledgerFolder)) ?? [];
  return names.filter((name) => parseSegmentName(name) !== undefined).sort(compareSegmentNames);
}

/** @throws AgentopsdError `ledger_newer`; DiskError */
export async function readSegmentFacts(
  disk: Disk,
  folder: string,
  name: string,
  home: HomeKey | undefined,
): Promise<SegmentFacts> {
  const path = join(folder, name);
  const file = await disk.open(path, 'read');
  try {
    let first: Piece | undefined;
    let firstEvent: SegmentFacts['firstEvent'];
    for await (const piece of readPieces(file, { blockBytes: FIRST_BLOCK_BYTES })) {
      first ??= piece;
      const decoded = piece.complete ? decodeLine(piece.bytes) : undefined;
      if (decoded?.kind !== 'event') continue;
      firstEvent = { seq: decoded.event.seq, prevHash: decoded.prevHash, lineNumber: piece.lineNumber };
      break;
    }
    return { name, path, number: parseSegmentName(name)?.term ?? 0, ...headerFacts(name, first, home), firstEvent };
  } finally {
    await file.close();
  }
}

type HeaderFacts = Pick<SegmentFacts, 'header' | 'prevHash' | 'own' | 'home' | 'firstLine'>;

function headerFacts(name: string, first: Piece | undefined, home: HomeKey | undefined): HeaderFacts {
  const decoded = first?.complete ? decodeLine(first.bytes) : undefined;
  const firstLine = first && { toByte: first.length, hash: hashOfLine(first.bytes) };
  if (decoded?.kind === 'newer') throw newerThanKnown(name, decoded.schemaVersion, 1);
  if (decoded?.kind !== 'header' || !standsInItsFile(name, decoded.header)) {
    return { header: undefined, prevHash: undefined, own: false, home: `unknown:${name}`, firstLine };
  }
  const { header, prevHash } = decoded;
  const claimed = home !== undefined && header.home === home.id;
  const own = claimed && verifyHeaderMac((first as Piece).bytes, decoded, home.key);
  return { header, prevHash, own, home: claimed && !own ? `forged:${header.home}` : header.home, firstLine };
}

/** A header names the file that it heads: a segment under another's name is none. */
function standsInItsFile(name: string, header: SignedHeader): boolean {
  const parsed = parseSegmentName(name);
  return parsed?.term === header.term && parsed.writer === header.writer;
}
