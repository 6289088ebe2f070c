/** What stands up to a commit: the lines of a batch as they are read, and what they come to. */
import type { Fault } from './fault.js';
import type { DecodedEvent, DecodedLine, EventLine } from './line.js';
import { decodeLine, hashOfLine } from './line.js';
import type { Piece } from './reader.js';

/** Where a line ended, for whoever goes on from there. */
export interface LineEnd {
  readonly toByte: number;
  readonly lineNumber: number;
  readonly hash: string;
  readonly seq: number | undefined;
  readonly eventId: string | undefined;
  readonly committed: boolean;
}

export interface WalkedEvent {
  readonly event: EventLine;
  readonly offset: number;
  readonly lineNumber: number;
}

/** What stands up to a commit, or up to the end of what is read. */
export interface LineBatch {
  readonly fromByte: number;
  readonly toByte: number;
  /** The lines of it that can be read. */
  readonly events: readonly WalkedEvent[];
  /** The ends of all its pieces, damaged ones too. */
  readonly ends: readonly LineEnd[];
  /** It ends in a commit; otherwise it is what the last commit leaves over. */
  readonly closed: boolean;
  readonly commitFrom: number | undefined;
  readonly whole: boolean;
  readonly ours: boolean;
  /** The worst that breaks it. */
  readonly broken: Fault['kind'] | undefined;
  /** Damaged lines stand before it that are no part of it: `ends` has them. */
  readonly followsDamage: boolean;
}

export interface ReadLine {
  readonly piece: Piece;
  readonly hash: string;
  readonly decoded: DecodedLine;
  /** Readable and closed by a newline. */
  readonly readable: boolean;
}

export function readLine(piece: Piece): ReadLine {
  const decoded = decodeLine(piece.bytes);
  const readable = piece.complete && (decoded.kind === 'event' || decoded.kind === 'header');
  return { piece, hash: hashOfLine(piece.bytes), decoded, readable };
}

export class OpenBatch {
  readonly #fromByte: number;
  readonly #events: WalkedEvent[] = [];
  readonly #ends: LineEnd[] = [];
  /** What is wrong before its first event, and from there on. */
  #before: Fault['kind'] | undefined;
  #within: Fault['kind'] | undefined;

  constructor(fromByte: number) {
    this.#fromByte = fromByte;
  }

  isEmpty(): boolean {
    return this.#ends.length === 0;
  }

  firstSeq(): number | undefined {
    return this.#events[0]?.event.seq;
  }

  addEvent(line: ReadLine, { event, commit }: DecodedEvent): void {
    const { offset, lineNumber } = line.piece;
    this.#events.push({ event, offset, lineNumber });
    this.#addEnd(line, event, commit !== undefined);
  }

  addPiece(line: ReadLine): void {
    this.#addEnd(line, undefined, false);
    // A piece may be newer rather than damaged, and then the walk ends with that.
    this.#break(this.#breach() ?? 'altered');
  }

  breakIfHolds(offset: number, kind: Fault['kind']): void {
    if (offset >= this.#fromByte) this.#break(kind);
  }

  breakUnlessFirst(kind: Fault['kind']): void {
    if (this.#events.length > 0) this.#break(kind);
  }

  /** Whether it is whole if it begins at `from`: damage before its first event then is none of its own. */
  isWhole(from: number): boolean {
    return this.#within === undefined && this.firstSeq() === from;
  }

  /** What breaks it when it begins where it does. */
  isBroken(): boolean {
    return this.#breach() !== undefined;
  }

  close(commitFrom: number | undefined, ours: boolean): LineBatch {
    const whole = commitFrom !== undefined && this.isWhole(commitFrom);
    const followsDamage = whole && this.#before !== undefined;
    return {
      fromByte: followsDamage ? (this.#events[0] as WalkedEvent).offset : this.#fromByte,
      toByte: this.#ends.at(-1)?.toByte ?? this.#fromByte,
      events: this.#events,
      ends: this.#ends,
      closed: commitFrom !== undefined,
      commitFrom,
      whole,
      ours,
      broken: whole ? undefined : this.#breach(),
      followsDamage,
    };
  }

  #breach(): Fault['kind'] | undefined {
    return worse(this.#before, this.#within);
  }

  #break(kind: Fault['kind']): void {
    if (this.#events.length === 0) this.#before = worse(this.#before, kind);
    else this.#within = worse(this.#within, kind);
  }

  #addEnd({ piece, hash }: ReadLine, event: EventLine | undefined, committed: boolean): void {
    const toByte = piece.offset + piece.length;
    this.#ends.push({
      toByte,
      lineNumber: piece.lineNumber,
      hash,
      seq: event?.seq,
      eventId: event?.event_id,
      committed,
    });
  }
}

function worse(a: Fault['kind'] | undefined, b: Fault['kind'] | undefined): Fault['kind'] | undefined {
  return a === 'altered' || b === 'altered' ? 'altered' : (a ?? b);
}
