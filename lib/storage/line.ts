/**
 * One line of a segment: the encoder beside the decoder. A line is one JSON object in canonical form
 * (`lib/base/canonical.ts`): keys sorted, no white space, UTF-8, no newline inside. `segment.ts` tells what lines mean.
 *
 * The mac of a line (`commit.mac` of an event, `segment.mac` of a header) is an HMAC-SHA-256 with the home's key over
 * the same line without that member. The line holds `prev_hash`, so the mac vouches for all lines before it as well.
 *
 * Every member is known here: a line with one that is not is damaged, so that a flipped bit in a name can't turn a
 * member into an unknown one that nobody looks at. What grows, grows with `schema_version`.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import * as crypto from 'node:crypto';
import { canonicalJson, holdsTerminalControls, isSorted } from '../base/canonical.js';
import { isJsonObject, isPlainText } from '../base/json.js';
import { limits } from '../base/limits.js';
import type { LedgerEvent } from '../model/event.js';
import { whyNoEvent, whyNoHeader } from './line-members.js';
import { isPlainEvent } from './plain-event.js';

export const SCHEMA_VERSION = 1;

export interface Commit {
  /** `seq` of the batch's first event. */
  readonly from: number;
  /** 64 hex digits. */
  readonly mac: string;
}

/** An event as its line has it. */
export type EventLine = LedgerEvent & { readonly prev_hash?: string; readonly commit?: Commit };

export interface SegmentHeader {
  readonly term: number;
  /** Eight hex digits. */
  readonly writer: string;
  /** Public id of the writer's home. */
  readonly home: string;
  /** RFC 3339 in UTC. */
  readonly opened_at: string;
  readonly after?: { readonly segment: string; readonly length: number };
}
export type SignedHeader = SegmentHeader & { readonly mac: string };

export interface DecodedEvent {
  readonly kind: 'event';
  readonly event: EventLine;
  readonly commit: Commit | undefined;
  readonly prevHash: string | undefined;
}
export interface DecodedHeader {
  readonly kind: 'header';
  readonly header: SignedHeader;
  readonly prevHash: string | undefined;
}
export interface NewerLine {
  readonly kind: 'newer';
  readonly schemaVersion: number;
}
export interface DamagedLine {
  readonly kind: 'damaged';
  readonly error: string;
  /** It holds zero bytes: a write that never reached the disk looks like that. */
  readonly missingBytes: boolean;
}
export type DecodedLine = DecodedEvent | DecodedHeader | NewerLine | DamagedLine;

// ------------------------------------------------------------------------------------------------------ hash and mac

type OneShotHash = (algorithm: string, data: Uint8Array | string, encoding: 'hex') => string;
const oneShot = (crypto as { hash?: OneShotHash }).hash;

/** Hex SHA-256 of a line without its newline. */
export const hashOfLine: (bytes: Uint8Array) => string = oneShot
  ? (bytes) => oneShot('sha256', bytes, 'hex')
  : (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

const HASH_DIGITS = 64;

function macOf(text: string, key: Uint8Array): string {
  return crypto.createHmac('sha256', key).update(text, 'utf8').digest('hex');
}

/** Whether `mac`, which stands in `bytes`, is that of the line without it. */
function verifyMac(bytes: Uint8Array, mac: string, key: Uint8Array): boolean {
  const text = textOf(bytes);
  // Quotes inside strings are escaped, so this can match a member alone; no earlier object has one of this name.
  const member = `,"mac":"${mac}"`;
  const at = text.indexOf(member);
  if (at < 0 || mac.length !== HASH_DIGITS) return false;
  const expected = macOf(text.slice(0, at) + text.slice(at + member.length), key);
  return crypto.timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(mac, 'latin1'));
}

/** Whether the batch that ends in this line was written with `key`. `bytes`: the line without its newline. */
export function verifyEventMac(bytes: Uint8Array, { commit }: Pick<EventLine, 'commit'>, key: Uint8Array): boolean {
  return commit !== undefined && verifyMac(bytes, commit.mac, key);
}

/** Whether the header was written with `key`. `bytes`: the line without its newline. */
export function verifyHeaderMac(bytes: Uint8Array, decoded: DecodedHeader, key: Uint8Array): boolean {
  return verifyMac(bytes, decoded.header.mac, key);
}

// ------------------------------------------------------------------------------------------------------------ encode

/**
 * The line of an event, without newline. The envelope is written in key order by hand: the general stringifier takes
 * three times as long for the same bytes.
 * @param prevHash hash of the line before; undefined only on the very first line of a ledger
 * @param commit given on the last line of a batch
 */
export function encodeEventLine(
  event: LedgerEvent,
  prevHash: string | undefined,
  commit: { readonly from: number } | undefined,
  key: Uint8Array,
): string {
  const opening = `{"actor":${quoted(event.actor)}`;
  const rest = eventRest(event, prevHash);
  if (commit === undefined) return opening + rest;
  const marked = `${opening},"commit":{"from":${commit.from}`;
  return `${marked},"mac":"${macOf(`${marked}}${rest}`, key)}"}${rest}`;
}

function eventRest(event: LedgerEvent, prevHash: string | undefined): string {
  return (
    `,"event_id":${quoted(event.event_id)},"event_type":${quoted(event.event_type)}` +
    `,"job_id":${quoted(event.job_id)},"occurred_at":${quoted(event.occurred_at)}` +
    (event.payload === undefined ? '' : `,"payload":${canonicalJson(event.payload)}`) +
    (prevHash === undefined ? '' : `,"prev_hash":"${prevHash}"`) +
    `,"request_id":${quoted(event.request_id)},"schema_version":${event.schema_version},"seq":${event.seq}}`
  );
}

/** Looked through piece by piece: a line that was just put together would have to be copied for that. */
function quoted(text: string): string {
  return isPlainText(text) ? `"${text}"` : canonicalJson(text);
}

/** The header line of a segment, without newline. */
export function encodeHeaderLine(header: SegmentHeader, prevHash: string | undefined, key: Uint8Array): string {
  const line = (mac: { mac?: string }): string =>
    canonicalJson({
      ...(prevHash === undefined ? {} : { prev_hash: prevHash }),
      schema_version: SCHEMA_VERSION,
      segment: { ...header, ...mac },
    });
  return line({ mac: macOf(line({}), key) });
}

// ------------------------------------------------------------------------------------------------------------ decode

/** The text of a line; bytes that are no UTF-8 come out as replacement characters. */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString(isAscii(buffer) ? 'latin1' : 'utf8');
}

/** Reads one line, without its newline; everything about it that can be told from the line alone is checked. */
export function decodeLine(bytes: Uint8Array): DecodedLine {
  const damaged = (error: string): DamagedLine => ({ kind: 'damaged', error, missingBytes: bytes.includes(0) });
  if (bytes.length > limits.ledgerLineBytes) return damaged(`longer than ${limits.ledgerLineBytes} bytes`);
  if (!isUtf8(bytes)) return damaged('not UTF-8');
  const text = textOf(bytes);
  if (isPlainEvent(bytes, 0, bytes.length)) return accepted(JSON.parse(text) as Record<string, unknown>);
  const value = parse(text);
  if (value === undefined) return damaged('not JSON');
  if (!isJsonObject(value)) return damaged('not a JSON object');
  const version = value.schema_version;
  if (typeof version === 'number' && Number.isSafeInteger(version) && version > SCHEMA_VERSION) {
    return { kind: 'newer', schemaVersion: version };
  }
  const why = isCanonical(value, text) ? whyWrong(value) : 'not in canonical form';
  return why === undefined ? accepted(value) : damaged(why);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function whyWrong(value: Record<string, unknown>): string | undefined {
  return 'segment' in value ? whyNoHeader(value) : whyNoEvent(value);
}

function accepted(value: Record<string, unknown>): DecodedEvent | DecodedHeader {
  const prevHash = value.prev_hash as string | undefined;
  if ('segment' in value) return { kind: 'header', header: value.segment as SignedHeader, prevHash };
  const event = value as unknown as EventLine;
  return { kind: 'event', event, commit: event.commit, prevHash };
}

/**
 * Whether `text` is the canonical form of `value`, which was parsed from it. The engine's own stringifier keeps the
 * order of members as they stood, so a text that it gives back unchanged is canonical if its members are sorted and
 * nothing in it steers a terminal; only where it differs (an escaped control, a name that is a number) the slow
 * stringifier decides.
 */
function isCanonical(value: unknown, text: string): boolean {
  if (JSON.stringify(value) === text && !holdsTerminalControls(text) && isSorted(value)) return true;
  return canonicalJson(value) === text;
}
