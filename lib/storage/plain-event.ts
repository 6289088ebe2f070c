/**
 * Whether a line is an event beyond doubt, from its bytes alone: every member that it must have and none that it must
 * not, each of its kind, in canonical form (`line.ts`). Nearly every line is written so plainly that one look at each of
 * its bytes tells (`plain-json.ts`); of any other the answer is no, and `decodeLine` takes its time.
 */
import { ascii, isDigit, NO, pastDigits, pastLiteral, pastObject, pastText } from './plain-json.js';

const QUOTE = 0x22;
const POINT = 0x2e;
const ZERO = 0x30;
const CAPITAL_Z = 0x5a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const HASH_DIGITS = 64;
/** A whole number with so many digits is one that a double can tell from its neighbours. */
const COUNT_DIGITS = 15;

const ACTOR = ascii('{"actor":');
const COMMIT = ascii(',"commit":{"from":');
const MAC = ascii(',"mac":"');
const COMMIT_END = ascii('"}');
const EVENT_ID = ascii(',"event_id":');
const EVENT_TYPE = ascii(',"event_type":');
const JOB_ID = ascii(',"job_id":');
const OCCURRED_AT = ascii(',"occurred_at":"');
const TIME = ascii('0000-00-00T00:00:00');
const PAYLOAD = ascii(',"payload":');
const PREV_HASH = ascii(',"prev_hash":"');
const REQUEST_ID = ascii('","request_id":');
const SEQ = ascii(',"schema_version":1,"seq":');

/** @param bytes UTF-8; the line stands in them from `from` to `to`, without its newline */
export function isPlainEvent(bytes: Uint8Array, from: number, to: number): boolean {
  let at = pastWord(bytes, pastLiteral(bytes, from, ACTOR), to);
  const committed = pastLiteral(bytes, at, COMMIT);
  const commitFrom = committed === NO ? 0 : countAt(bytes, committed);
  if (commitFrom < 0) return false;
  if (committed !== NO) at = pastCommit(bytes, committed);
  at = pastWord(bytes, pastLiteral(bytes, at, EVENT_ID), to);
  at = pastWord(bytes, pastLiteral(bytes, at, EVENT_TYPE), to);
  at = pastText(bytes, pastLiteral(bytes, at, JOB_ID), to);
  at = pastTime(bytes, pastLiteral(bytes, at, OCCURRED_AT));
  const payload = pastLiteral(bytes, at, PAYLOAD);
  if (payload !== NO) at = bytes[payload] === OPEN_OBJECT ? pastObject(bytes, payload, to) : NO;
  at = pastHash(bytes, pastLiteral(bytes, at, PREV_HASH));
  at = pastWord(bytes, pastLiteral(bytes, at, REQUEST_ID), to);
  at = pastLiteral(bytes, at, SEQ);
  const seq = at === NO ? NO : countAt(bytes, at);
  if (seq < 1 || commitFrom > seq) return false;
  at = pastDigits(bytes, at);
  return bytes[at] === CLOSE_OBJECT && at + 1 === to;
}

function pastCommit(bytes: Uint8Array, at: number): number {
  return pastLiteral(bytes, pastHash(bytes, pastLiteral(bytes, pastDigits(bytes, at), MAC)), COMMIT_END);
}

/** A text that is not empty. */
function pastWord(bytes: Uint8Array, at: number, to: number): number {
  return at === NO || bytes[at + 1] === QUOTE ? NO : pastText(bytes, at, to);
}

/** The time of an event, behind its opening quote: `2026-01-31T12:00:00.123Z`, with any digits. */
function pastTime(bytes: Uint8Array, from: number): number {
  if (from === NO) return NO;
  let at = from;
  for (let i = 0; i < TIME.length; i++, at++) {
    const byte = bytes[at] as number;
    if (TIME[i] === ZERO ? !isDigit(byte) : byte !== TIME[i]) return NO;
  }
  if (bytes[at] === POINT) {
    const digits = pastDigits(bytes, at + 1);
    if (digits === at + 1) return NO;
    at = digits;
  }
  return bytes[at] === CAPITAL_Z && bytes[at + 1] === QUOTE ? at + 2 : NO;
}

/** 64 hex digits. */
function pastHash(bytes: Uint8Array, from: number): number {
  if (from === NO) return NO;
  for (let at = from; at < from + HASH_DIGITS; at++) {
    const byte = bytes[at] as number;
    if (!isDigit(byte) && !(byte >= 0x61 && byte <= 0x66)) return NO;
  }
  return from + HASH_DIGITS;
}

/** A whole number from 1 on; NO where there is none, or a long one. */
function countAt(bytes: Uint8Array, from: number): number {
  const to = pastDigits(bytes, from);
  if (to === from || to - from > COUNT_DIGITS || bytes[from] === ZERO) return NO;
  let count = 0;
  for (let at = from; at < to; at++) count = count * 10 + (bytes[at] as number) - ZERO;
  return count;
}
