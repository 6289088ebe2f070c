/**
 * Reads a segment line by line and believes nothing: splits it into batches, and finds each line that is damaged. The
 * careful way, for whatever is not vouched for by an unbroken chain up to a mac of ours (`trusted.ts`).
 *
 * A batch is whole when its lines stand without a gap, `seq` goes up by one, each `prev_hash` is the hash of the line
 * before, and the `from` of its commit is the `seq` of its first line. It is ours when it is whole and its mac verifies.
 *
 * A readable line whose bytes do not hash to its successor's `prev_hash` is the damaged one. Only where the successor
 * would fit with nothing but that hash corrected, the successor is (`Suspicion`).
 */
import { canonicalJson } from '../base/canonical.js';
import type { DiskFile } from './disk.js';
import type { Fault, FaultList } from './fault.js';
import type { DecodedEvent } from './line.js';
import { hashOfLine, verifyEventMac } from './line.js';
import type { LineBatch, ReadLine } from './line-batch.js';
import { OpenBatch, readLine } from './line-batch.js';
import { newerThanKnown } from './newer.js';
import type { Piece } from './reader.js';
import { readPieces } from './reader.js';
import { whyPieceIsMissingBytes, withoutLeadingZeros } from './unwritten.js';

export interface WalkSource {
  readonly file: DiskFile;
  readonly segment: string;
  readonly toByte: number;
  readonly key: Uint8Array | undefined;
  /** The header's mac verifies with `key`: then every batch's must too. */
  readonly ownHeader: boolean;
  /** The first line is a header, and that of this file. */
  readonly hasHeader: boolean;
}

/** Two readable neighbours that do not fit, until the line behind them tells which of the two is altered. */
interface Suspicion {
  readonly earlier: ReadLine;
  readonly later: ReadLine;
  /** Hash of `later`, had it the `prev_hash` that fits. */
  readonly correctedHash: string;
}

/** The header is line 1 and no batch; the first batch begins behind it. Faults go to `faults` as they are found. */
export async function* walkBatches(source: WalkSource, faults: FaultList): AsyncGenerator<LineBatch> {
  const walk = new Walk(source, faults);
  for await (const read of readPieces(source.file, { toByte: source.toByte })) {
    for (const piece of withoutLeadingZeros(read)) {
      const batch = walk.take(piece);
      if (batch) yield batch;
    }
  }
  const rest = walk.end();
  if (rest) yield rest;
}

class Walk {
  readonly #source: WalkSource;
  readonly #faults: FaultList;
  #before: ReadLine | undefined;
  #seqBefore: number | undefined;
  #suspicion: Suspicion | undefined;
  #newer: ReadLine | undefined;
  #batch = new OpenBatch(0);

  constructor(source: WalkSource, faults: FaultList) {
    this.#source = source;
    this.#faults = faults;
  }

  take(piece: Piece): LineBatch | undefined {
    const line = readLine(piece);
    this.#settleNewer(line);
    this.#settleSuspicion(line);
    if (piece.lineNumber === 1) return this.#takeHeader(line);
    if (line.readable && line.decoded.kind === 'event') return this.#takeEvent(line, line.decoded);
    if (line.decoded.kind === 'newer') this.#newer = line;
    else this.#fault(line, ...this.#whyUnreadable(line));
    this.#batch.addPiece(line);
    this.#before = line;
    return undefined;
  }

  end(): LineBatch | undefined {
    this.#settleNewer(undefined);
    this.#settleSuspicion(undefined);
    return this.#batch.isEmpty() ? undefined : this.#batch.close(undefined, false);
  }

  #takeHeader(line: ReadLine): LineBatch | undefined {
    const { decoded } = line;
    if (decoded.kind === 'newer') throw newerThanKnown(this.#source.segment, decoded.schemaVersion, 1);
    if (line.readable && decoded.kind === 'event') {
      const batch = this.#takeEvent(line, decoded);
      this.#fault(line, 'altered', 'an event stands where the header must stand');
      return batch && { ...batch, whole: false, ours: false, broken: 'altered' };
    }
    if (!line.readable) this.#fault(line, ...this.#whyUnreadable(line));
    else if (!this.#source.hasHeader) this.#fault(line, 'altered', 'the header is that of another file');
    this.#before = line;
    this.#batch = new OpenBatch(line.piece.offset + line.piece.length);
    return undefined;
  }

  #takeEvent(line: ReadLine, decoded: DecodedEvent): LineBatch | undefined {
    this.#compareWithBefore(line, decoded);
    this.#batch.addEvent(line, decoded);
    this.#before = line;
    this.#seqBefore = decoded.event.seq;
    if (decoded.commit === undefined) return undefined;
    return this.#closeBatch(line, decoded, decoded.commit.from);
  }

  #closeBatch(line: ReadLine, decoded: DecodedEvent, from: number): LineBatch {
    const firstSeq = this.#batch.firstSeq();
    if (!this.#batch.isBroken() && firstSeq !== from) {
      this.#fault(line, 'altered', `its commit is from seq ${from}, but the batch begins at ${firstSeq}`);
    }
    const whole = this.#batch.isWhole(from);
    const { key, ownHeader } = this.#source;
    const ours = whole && key !== undefined && verifyEventMac(line.piece.bytes, decoded, key);
    if (whole && ownHeader && !ours) this.#fault(line, 'altered', 'its mac does not verify: the line was altered');
    const batch = this.#batch.close(from, ours);
    this.#batch = new OpenBatch(batch.toByte);
    return batch;
  }

  /** The chain and the order, where the line before can be read. */
  #compareWithBefore(line: ReadLine, decoded: DecodedEvent): void {
    const before = this.#before;
    if (before === undefined || !before.readable) return;
    if (decoded.prevHash !== before.hash) {
      // Inside a batch this breaks it. At its first line it breaks nothing of it: what is altered may be the line before.
      this.#batch.breakUnlessFirst('altered');
      this.#suspicion = { earlier: before, later: line, correctedHash: correctedHashOf(decoded, before.hash) };
    } else if (this.#seqBefore !== undefined && decoded.event.seq !== this.#seqBefore + 1) {
      this.#fault(line, 'altered', `its seq is ${decoded.event.seq}, the one before is ${this.#seqBefore}`);
    }
  }

  #settleSuspicion(next: ReadLine | undefined): void {
    const suspicion = this.#suspicion;
    if (suspicion === undefined) return;
    this.#suspicion = undefined;
    const { earlier, later } = suspicion;
    if (!this.#isLaterAltered(suspicion, next)) {
      this.#fault(
        earlier,
        'altered',
        `its bytes do not hash to the prev_hash of the line behind it${this.#gapText(suspicion)}`,
      );
      return;
    }
    this.#fault(later, 'altered', 'its prev_hash is altered: with that of the line before, all fits');
    // Judged already: the next line need not be compared with it.
    this.#before = { ...later, readable: false };
  }

  #isLaterAltered({ later, correctedHash }: Suspicion, next: ReadLine | undefined): boolean {
    if (next?.readable && next.decoded.kind === 'event') return next.decoded.prevHash === correctedHash;
    const { key, ownHeader } = this.#source;
    // Nothing behind it to ask: its own mac vouches for its prev_hash.
    if (key === undefined || !ownHeader || later.decoded.kind !== 'event' || later.decoded.commit === undefined)
      return false;
    return !verifyEventMac(later.piece.bytes, later.decoded, key);
  }

  #gapText({ earlier, later }: Suspicion): string {
    if (earlier.decoded.kind !== 'event' || later.decoded.kind !== 'event') return '';
    const [from, to] = [earlier.decoded.event.seq, later.decoded.event.seq];
    return to === from + 1 ? '' : ` (seq ${from} is followed by ${to})`;
  }

  /** A newer line that its successor contradicts is an altered one; otherwise it really is newer. */
  #settleNewer(next: ReadLine | undefined): void {
    const newer = this.#newer;
    if (newer === undefined || newer.decoded.kind !== 'newer') return;
    this.#newer = undefined;
    const version = newer.decoded.schemaVersion;
    const contradicted = next?.readable && next.decoded.kind === 'event' && next.decoded.prevHash !== newer.hash;
    if (!contradicted) throw newerThanKnown(this.#source.segment, version, newer.piece.lineNumber);
    this.#fault(
      newer,
      'altered',
      `its schema_version is ${version}, and its bytes do not hash to the prev_hash of the line behind it`,
    );
  }

  #whyUnreadable(line: ReadLine): [Fault['kind'], string] {
    const missing = whyPieceIsMissingBytes(line.piece, this.#source.toByte);
    if (missing !== undefined) return ['missing', missing];
    if (line.decoded.kind === 'damaged') return ['altered', line.decoded.error];
    return ['altered', line.piece.complete ? 'a header in the midst of events' : 'its newline is missing'];
  }

  #fault(line: ReadLine, kind: Fault['kind'], error: string): void {
    const { lineNumber, offset, length } = line.piece;
    this.#faults.add({ lineNumber, fromByte: offset, toByte: offset + length, kind, error });
    this.#batch.breakIfHolds(offset, kind);
  }
}

function correctedHashOf(decoded: DecodedEvent, prevHash: string): string {
  return hashOfLine(Buffer.from(canonicalJson({ ...decoded.event, prev_hash: prevHash }), 'utf8'));
}
