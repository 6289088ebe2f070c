/**
 * The fast way through a segment of our own: hash each line, compare it with the `prev_hash` that the next one holds,
 * and verify the mac of the last. Where that fits, every byte before is what our own writer wrote, and nothing else
 * about the lines needs to be looked at. Where it does not, the answer is undefined, and `walk.ts` finds out why.
 */
import type { DiskFile } from './disk.js';
import type { ReplayedEvent } from './ledger.js';
import type { EventLine } from './line.js';
import { decodeLine, hashOfLine, textOf, verifyEventMac } from './line.js';
import type { Mark, ScanTask, SegmentScan } from './mark.js';
import { headerMark } from './mark.js';
import type { Piece } from './reader.js';
import { readBlocks } from './reader.js';
import type { SegmentFacts } from './segment-facts.js';

const HASH_MEMBER = ',"prev_hash":"';
const HASH_DIGITS = 64;
/** Behind `prev_hash` a line has `request_id` and `seq` alone: this much of its end nearly always holds all three. */
const TAIL_BYTES = 256;

export async function scanTrusted(file: DiskFile, task: ScanTask): Promise<SegmentScan | undefined> {
  const { facts, key, wants, isHead } = task;
  if (task.carefully || key === undefined || !facts.own || facts.firstLine === undefined) return undefined;
  if (wants.some((want) => want.length === undefined || want.hash === undefined)) return undefined;
  const sizeBytes = file.factsSync().sizeBytes;
  const vouchedToByte = isHead ? sizeBytes : Math.max(...wants.map((want) => want.length as number));
  const chain = new TrustedChain(
    headerMark(facts),
    vouchedToByte,
    key,
    new Set(wants.map((want) => want.length as number)),
  );
  for await (const pieces of readBlocks(file, { toByte: sizeBytes })) {
    const events: ReplayedEvent[] = [];
    for (const piece of pieces) {
      const event = task.eager && chain.counts(piece) ? parsed(piece.bytes) : undefined;
      if (!chain.take(piece, event?.prev_hash)) return undefined;
      if (event) events.push(replayed(event, facts, piece));
    }
    task.eager?.(events);
  }
  const end = chain.end();
  if (end === undefined) return undefined;
  const marks = wants.map((want) => chain.marks.get(want.length as number));
  if (marks.some((mark, at) => mark?.hash !== wants[at]?.hash)) return undefined;
  return {
    sizeBytes,
    lineCount: chain.lineCount,
    marks,
    end,
    tornFromByte: undefined,
    wholeToByte: end.toByte,
    faults: [],
    trusted: true,
  };
}

/** Whatever is wrong with it, the hashes or the mac will show it. */
function parsed(bytes: Buffer): EventLine | undefined {
  try {
    return JSON.parse(textOf(bytes)) as EventLine;
  } catch {
    return undefined;
  }
}

function replayed(event: EventLine, facts: SegmentFacts, { lineNumber, offset }: Piece): ReplayedEvent {
  return { event, ours: true, segment: facts.name, segmentLine: lineNumber, offset };
}

class TrustedChain {
  lineCount = 0;
  readonly marks = new Map<number, Mark>();
  readonly #header: Mark;
  readonly #vouchedToByte: number;
  readonly #key: Uint8Array;
  readonly #stops: ReadonlySet<number>;
  /** Byte offset of each line so far, to find where the last batch begins. */
  readonly #offsets: number[] = [];
  #hash: string;
  #end: Mark;

  constructor(header: Mark, vouchedToByte: number, key: Uint8Array, stops: ReadonlySet<number>) {
    this.#header = header;
    this.#vouchedToByte = vouchedToByte;
    this.#key = key;
    this.#stops = stops;
    this.#hash = header.hash;
    this.#end = header;
  }

  /** Whether it is an event's, if it counts at all. */
  counts(piece: Piece): boolean {
    return piece.lineNumber > 1 && piece.offset < this.#vouchedToByte;
  }

  /** Answers false when something does not fit. @param prevHash what the line holds, where it is known */
  take(piece: Piece, prevHash?: string): boolean {
    this.lineCount++;
    if (piece.offset >= this.#vouchedToByte) return true;
    this.#offsets.push(piece.offset);
    const toByte = piece.offset + piece.length;
    if (piece.lineNumber === 1) {
      this.#note(this.#header);
      return toByte === this.#header.toByte;
    }
    if (!piece.complete || (prevHash ?? prevHashIn(piece.bytes)) !== this.#hash) return false;
    this.#hash = hashOfLine(piece.bytes);
    if (!this.#stops.has(toByte) && toByte !== this.#vouchedToByte) return true;
    const mark = this.#markAt(piece, toByte);
    if (mark) this.#note(mark);
    return mark !== undefined;
  }

  /** The end of what is vouched for, when a mac stands there. */
  end(): Mark | undefined {
    return this.#end.toByte === this.#vouchedToByte ? this.#end : undefined;
  }

  #note(mark: Mark): void {
    this.#end = mark;
    if (this.#stops.has(mark.toByte)) this.marks.set(mark.toByte, mark);
  }

  #markAt(piece: Piece, toByte: number): Mark | undefined {
    const decoded = decodeLine(piece.bytes);
    if (decoded.kind !== 'event' || decoded.commit === undefined) return undefined;
    if (!verifyEventMac(piece.bytes, decoded, this.#key)) return undefined;
    const { seq, event_id: lastEventId } = decoded.event;
    const fromByte = this.#offsets[this.#offsets.length - (seq - decoded.commit.from + 1)];
    if (fromByte === undefined || fromByte === 0) return undefined;
    return {
      toByte,
      lineNumber: piece.lineNumber,
      hash: this.#hash,
      committed: true,
      lastSeq: seq,
      lastEventId,
      unit: { fromByte, toByte },
    };
  }
}

/**
 * The `prev_hash` of an event's line. Members are sorted and quotes inside strings are escaped, so the last place with
 * this name is the event's own. Of a line that is no event whatever comes out fits nothing.
 */
function prevHashIn(bytes: Buffer): string {
  const start = Math.max(0, bytes.length - TAIL_BYTES);
  const tail = bytes.toString('latin1', start);
  const at = tail.lastIndexOf(HASH_MEMBER);
  if (at >= 0) return tail.slice(at + HASH_MEMBER.length, at + HASH_MEMBER.length + HASH_DIGITS);
  if (start === 0) return '';
  const found = bytes.lastIndexOf(HASH_MEMBER, undefined, 'latin1');
  return found < 0
    ? ''
    : bytes.toString('latin1', found + HASH_MEMBER.length, found + HASH_MEMBER.length + HASH_DIGITS);
}
