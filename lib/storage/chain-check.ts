/**
 * Whether each line holds the hash of the one before, and, where no mac vouches for them, whether each is an event: the
 * part of the verification that looks at every byte, and at nothing else. It needs no state but one hash, so a second
 * thread can do it (`node-chain-thread.ts`) while this one parses the same bytes.
 */
import { isUtf8 } from 'node:buffer';
import { limits } from '../base/limits.js';
import { decodeLine, hashOfLine } from './line.js';
import { isPlainEvent } from './plain-event.js';

/** What is looked at: the chain alone, or the lines as well, which all have to be events in canonical form. */
export type Looking = 'chain' | 'events';

/** One run of lines, checked piece by piece in order. */
export interface ChainChecker {
  /**
   * Takes the next lines, each with its newline. Where it `handsOver`, whoever gives `bytes` does not look at it again.
   * What comes back is to be waited for before more is given.
   */
  take(bytes: Buffer): Promise<void> | undefined;
  /** Something did not fit, as far as it is known yet. */
  readonly isBroken: boolean;
  /** Whether everything fitted. Ends the run. */
  fits(): Promise<boolean>;
}

export interface ChainCheckers {
  /** Whether bytes are given away to be checked: then whatever else is to be done with them comes first. */
  readonly handsOver: boolean;
  /** @param hash of the line before the first; one run at a time. */
  begin(hash: string, looking: Looking): ChainChecker;
}

const NEWLINE = 0x0a;
const HASH_MEMBER = ',"prev_hash":"';
const HASH_DIGITS = 64;
/** Behind `prev_hash` a line has `request_id` and `seq` alone: this much of its end nearly always holds all three. */
const TAIL_BYTES = 256;

export class ChainCheck implements ChainChecker {
  readonly #looking: Looking;
  #hash: string;
  isBroken = false;

  constructor(hash: string, looking: Looking) {
    this.#hash = hash;
    this.#looking = looking;
  }

  take(bytes: Buffer): undefined {
    const eventsOnly = this.#looking === 'events';
    if (eventsOnly && !isUtf8(bytes)) this.isBroken = true;
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0 && !this.isBroken; end = bytes.indexOf(NEWLINE, at)) {
      this.isBroken = prevHashIn(bytes, at, end) !== this.#hash || (eventsOnly && !isEvent(bytes, at, end));
      this.#hash = hashOfLine(bytes.subarray(at, end));
      at = end + 1;
    }
    if (at < bytes.length) this.isBroken = true;
  }

  async fits(): Promise<boolean> {
    return !this.isBroken;
  }
}

/** Beside whatever else this thread does. */
export const checksInPlace: ChainCheckers = {
  handsOver: false,
  begin: (hash, looking) => new ChainCheck(hash, looking),
};

/** Who compares the hashes of so many bytes: a second thread has to start first. */
export function checkersFor(
  { checkers }: { readonly checkers?: ChainCheckers | undefined },
  bytes: number,
): ChainCheckers {
  return bytes < limits.secondThreadBytes ? checksInPlace : (checkers ?? checksInPlace);
}

/** @param bytes UTF-8 */
function isEvent(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > limits.ledgerLineBytes) return false;
  return isPlainEvent(bytes, from, to) || decodeLine(bytes.subarray(from, to)).kind === 'event';
}

/**
 * The `prev_hash` of an event's line. Members are sorted and quotes inside strings are escaped, so the last place with
 * this name is the event's own. Of a line that is no event whatever comes out fits nothing.
 */
function prevHashIn(bytes: Buffer, from: number, to: number): string {
  const start = Math.max(from, to - TAIL_BYTES);
  const tail = bytes.toString('latin1', start, to);
  const at = tail.lastIndexOf(HASH_MEMBER);
  if (at >= 0) return tail.slice(at + HASH_MEMBER.length, at + HASH_MEMBER.length + HASH_DIGITS);
  const found = bytes.subarray(from, to).lastIndexOf(HASH_MEMBER, undefined, 'latin1');
  const digitsAt = from + found + HASH_MEMBER.length;
  return found < 0 ? '' : bytes.toString('latin1', digitsAt, Math.min(to, digitsAt + HASH_DIGITS));
}
