/**
 * A cheap look at a line that was parsed: is it in canonical form, beyond doubt? Nearly every line is, and holds nothing
 * that could be written in two ways: no escape, no sign beyond ASCII, no white space between tokens, no number but a
 * short count. Of such a line only the order of the names is left to ask for. All others are for the slow way.
 */
const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LAST_ASCII = 0x7e;
const ZERO = 0x30;
const NINE = 0x39;
/** A whole number with so many digits is one that is written in one way alone. */
const DIGITS = 15;

/** @param value what `bytes` was parsed to */
export function isPlainlyCanonical(value: unknown, bytes: Uint8Array): boolean {
  // A name that stands twice is there once in the value, and counts twice in the bytes.
  return plainNames(bytes) === sortedNames(value);
}

/** How many names of members the text has; -1 where it is not plain. */
function plainNames(bytes: Uint8Array): number {
  let names = 0;
  let digits = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at = endOfText(bytes, at + 1);
      if (at < 0) return -1;
      digits = 0;
    } else if (byte >= ZERO && byte <= NINE) {
      if (++digits > DIGITS) return -1;
    } else {
      if (isOfNumber(byte, digits) || byte <= SPACE) return -1;
      if (byte === COLON) names++;
      digits = 0;
    }
  }
  return names;
}

/** Where the closing quote stands; -1 where something within can be written in two ways. */
function endOfText(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH || byte < SPACE || byte > LAST_ASCII) return -1;
  }
  return -1;
}

/** `-`, `+`, `.`, `E`, and an `e` behind a digit: all of a number that is not its digits. */
function isOfNumber(byte: number, digitsBefore: number): boolean {
  return byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x45 || (byte === 0x65 && digitsBefore > 0);
}

/** How many names all objects within have; not a number where some are not in order, or the engine may have moved them. */
function sortedNames(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let names = 0;
  if (Array.isArray(value)) {
    for (const one of value) names += sortedNames(one);
    return names;
  }
  let before: string | undefined;
  for (const name of Object.keys(value)) {
    if (before !== undefined && before >= name) return Number.NaN;
    const first = name.charCodeAt(0);
    // Names that are whole numbers come first, whatever the text says.
    if (first >= ZERO && first <= NINE) return Number.NaN;
    names += 1 + sortedNames((value as Record<string, unknown>)[name]);
    before = name;
  }
  return names;
}
