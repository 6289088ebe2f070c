/**
 * Canonical JSON, told from its bytes alone, as long as it is written plainly. Not plain, though perhaps canonical, are:
 * escapes of code units, names that hold more than ASCII or begin with a digit, numbers that are not short or have an
 * exponent, and nesting deeper than anything usual. What would steer a terminal is not canonical at all.
 */
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;
const DELETE = 0x7f;

/** Of a number: with so many digits each decimal is a double of its own. */
const DIGITS = 15;
/** Behind more zeros than this a small number is written with an exponent. */
const ZEROS_BEHIND_POINT = 5;
const DEPTH = 32;
/** Where nothing of the kind stands. */
export const NO = -1;

export const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const [TRUE, FALSE, NULL] = ['true', 'false', 'null'].map(ascii) as [Uint8Array, Uint8Array, Uint8Array];

// Each of these answers where what it looks for ends, or NO; asked from NO on, it answers NO.

export function pastLiteral(bytes: Uint8Array, at: number, literal: Uint8Array): number {
  if (at === NO) return NO;
  for (let i = 0; i < literal.length; i++) if (bytes[at + i] !== literal[i]) return NO;
  return at + literal.length;
}

/** A text with its quotes. */
export function pastText(bytes: Uint8Array, from: number, to: number): number {
  if (from === NO || bytes[from] !== QUOTE) return NO;
  for (let at = from + 1; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) {
      if (!isShortEscape(bytes[++at])) return NO;
    } else if (byte < SPACE || byte === DELETE || (byte > DELETE && isSteering(bytes, at))) return NO;
  }
  return NO;
}

/** What stands behind the backslash of `\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`: those have no other form. */
function isShortEscape(byte: number | undefined): boolean {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    default:
      return false;
  }
}

/** Whether a sign begins here that canonical form escapes: the C1 controls and those that turn the writing direction. */
function isSteering(bytes: Uint8Array, at: number): boolean {
  const [first, second, third] = [bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number];
  if (first === 0xc2) return second < 0xa0;
  if (first === 0xd8) return second === 0x9c;
  if (first !== 0xe2) return false;
  if (second === 0x80) return third === 0x8e || third === 0x8f || (third >= 0xaa && third <= 0xae);
  return second === 0x81 && third >= 0xa6 && third <= 0xa9;
}

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

export function pastDigits(bytes: Uint8Array, from: number): number {
  if (from === NO) return NO;
  let at = from;
  while (isDigit(bytes[at] as number)) at++;
  return at;
}

function pastValue(bytes: Uint8Array, at: number, to: number, depth: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return pastText(bytes, at, to);
    case OPEN_OBJECT:
      return pastObject(bytes, at, to, depth);
    case OPEN_ARRAY:
      return pastArray(bytes, at, to, depth);
    case TRUE[0]:
      return pastLiteral(bytes, at, TRUE);
    case FALSE[0]:
      return pastLiteral(bytes, at, FALSE);
    case NULL[0]:
      return pastLiteral(bytes, at, NULL);
    default:
      return pastNumber(bytes, at);
  }
}

function pastNumber(bytes: Uint8Array, from: number): number {
  const whole = bytes[from] === MINUS ? from + 1 : from;
  const point = pastDigits(bytes, whole);
  if (point === whole || point - whole > DIGITS) return NO;
  const isZero = bytes[whole] === ZERO;
  if (isZero && point - whole > 1) return NO;
  if (bytes[point] !== POINT) return isEndOfNumber(bytes[point]) && !(isZero && whole > from) ? point : NO;
  const end = pastDigits(bytes, point + 1);
  if (end === point + 1 || end - whole - 1 > DIGITS || bytes[end - 1] === ZERO || !isEndOfNumber(bytes[end])) return NO;
  return isZero && end - point > ZEROS_BEHIND_POINT && hasZeros(bytes, point + 1) ? NO : end;
}

/** Nothing of a number goes on here: no exponent. */
function isEndOfNumber(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY;
}

function hasZeros(bytes: Uint8Array, from: number): boolean {
  for (let at = from; at <= from + ZEROS_BEHIND_POINT; at++) if (bytes[at] !== ZERO) return false;
  return true;
}

function pastArray(bytes: Uint8Array, from: number, to: number, depth: number): number {
  if (depth === 0) return NO;
  if (bytes[from + 1] === CLOSE_ARRAY) return from + 2;
  for (let at = from; ; ) {
    at = pastValue(bytes, at + 1, to, depth - 1);
    if (at === NO) return NO;
    if (bytes[at] === CLOSE_ARRAY) return at + 1;
    if (bytes[at] !== COMMA) return NO;
  }
}

export function pastObject(bytes: Uint8Array, from: number, to: number, depth = DEPTH): number {
  if (depth === 0) return NO;
  if (bytes[from + 1] === CLOSE_OBJECT) return from + 2;
  let [nameBefore, endBefore] = [NO, NO];
  for (let at = from; ; ) {
    const name = at + 1;
    const end = pastName(bytes, name, to);
    if (end === NO || bytes[end] !== COLON) return NO;
    if (nameBefore !== NO && !isBefore(bytes, nameBefore, endBefore, name, end)) return NO;
    at = pastValue(bytes, end + 1, to, depth - 1);
    if (at === NO) return NO;
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    if (bytes[at] !== COMMA) return NO;
    [nameBefore, endBefore] = [name, end];
  }
}

/** Names that are whole numbers come first in an object, whatever the text says: none that begins like one is plain. */
function pastName(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] !== QUOTE || isDigit(bytes[from + 1] as number)) return NO;
  for (let at = from + 1; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte < SPACE || byte === BACKSLASH || byte >= DELETE) return NO;
  }
  return NO;
}

/** Whether one name stands before another in the order of names; both with their quotes. */
function isBefore(bytes: Uint8Array, one: number, oneEnd: number, other: number, otherEnd: number): boolean {
  const [length, otherLength] = [oneEnd - one - 1, otherEnd - other - 1];
  for (let i = 1; i < length && i < otherLength; i++) {
    const [byte, otherByte] = [bytes[one + i] as number, bytes[other + i] as number];
    if (byte !== otherByte) return byte < otherByte;
  }
  return length < otherLength;
}
