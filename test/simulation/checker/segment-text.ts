/**
 * The checker's own reading of one segment. It shares no code with what it checks: the format is written down here a
 * second time, as short as it can be.
 *
 * A segment is lines of JSON. The first is its header, `{prev_hash?, schema_version, segment: {term, writer, home,
 * opened_at, after?: {segment, length}, mac}}`; every other line is an event with a `seq`. `prev_hash` is the SHA-256 of
 * the line before. A batch is the lines up to one with `commit: {from, mac}`; the mac is made over the line without it.
 */
import { createHash, createHmac } from 'node:crypto';

export interface Home {
  readonly id: string;
  readonly key: Uint8Array;
}

export type Value = Readonly<Record<string, unknown>>;

export interface Line {
  readonly segment: string;
  /** In the segment, from 1. */
  readonly number: number;
  readonly fromByte: number;
  /** Behind its newline. */
  readonly toByte: number;
  readonly hash: string;
  readonly value: Value;
}

export interface Header {
  readonly term: number;
  readonly hash: string;
  readonly prevHash: string | undefined;
  readonly toByte: number;
  readonly after: { readonly segment: string; readonly length: number } | undefined;
}

export interface SegmentText {
  readonly name: string;
  readonly number: number;
  /** Undefined where it is not readable, not of this home, or its mac does not verify. */
  readonly header: Header | undefined;
  /** The events of whole batches, up to the first byte that belongs to none. */
  readonly events: readonly Line[];
  /** Where each whole batch ends; the header's end is the first of them. */
  readonly ends: readonly number[];
  readonly sizeBytes: number;
}

const NEWLINE = 0x0a;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function numberOf(name: string): number | undefined {
  const digits = /^(\d{6,})-[0-9a-f]{8}\.jsonl$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function isValue(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readSegment(name: string, bytes: Buffer, home: Home): SegmentText {
  const lines = linesOf(name, bytes);
  const header = headerOf(lines[0], bytes, home);
  const whole = header === undefined ? { events: [], ends: [] } : wholeBatches(lines.slice(1), header, bytes, home);
  return { name, number: numberOf(name) ?? 0, header, sizeBytes: bytes.length, ...whole };
}

/** Up to the first that is not JSON or not closed. */
function linesOf(segment: string, bytes: Buffer): Line[] {
  const lines: Line[] = [];
  let fromByte = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, fromByte)) {
    const line = bytes.subarray(fromByte, end);
    const value = parse(line.toString('utf8'));
    if (value === undefined) return lines;
    lines.push({ segment, number: lines.length + 1, fromByte, toByte: end + 1, hash: sha256(line), value });
    fromByte = end + 1;
  }
  return lines;
}

function parse(text: string): Value | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isValue(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function headerOf(line: Line | undefined, bytes: Buffer, home: Home): Header | undefined {
  const segment = line?.value['segment'];
  if (line === undefined || !isValue(segment) || segment['home'] !== home.id) return undefined;
  if (!macHolds(line, bytes, String(segment['mac']), home)) return undefined;
  const after = isValue(segment['after']) ? segment['after'] : undefined;
  return {
    term: Number(segment['term']),
    hash: line.hash,
    prevHash: line.value['prev_hash'] as string | undefined,
    toByte: line.toByte,
    after: after && { segment: String(after['segment']), length: Number(after['length']) },
  };
}

function wholeBatches(
  lines: readonly Line[],
  header: Header,
  bytes: Buffer,
  home: Home,
): { events: Line[]; ends: number[] } {
  const events: Line[] = [];
  const ends = [header.toByte];
  let open: Line[] = [];
  let hash = header.hash;
  for (const line of lines) {
    if (line.value['prev_hash'] !== hash || !isNext(open.at(-1) ?? events.at(-1), line)) break;
    hash = line.hash;
    open.push(line);
    const commit = line.value['commit'];
    if (!isValue(commit)) continue;
    if (commit['from'] !== open[0]?.value['seq'] || !macHolds(line, bytes, String(commit['mac']), home)) break;
    events.push(...open);
    ends.push(line.toByte);
    open = [];
  }
  return { events, ends };
}

function isNext(before: Line | undefined, line: Line): boolean {
  const seq = line.value['seq'];
  return Number.isSafeInteger(seq) && (before === undefined || seq === Number(before.value['seq']) + 1);
}

function macHolds(line: Line, bytes: Buffer, mac: string, home: Home): boolean {
  if (!/^[0-9a-f]{64}$/.test(mac)) return false;
  const text = bytes.toString('utf8', line.fromByte, line.toByte - 1);
  return (
    createHmac('sha256', home.key)
      .update(text.replace(`,"mac":"${mac}"`, ''), 'utf8')
      .digest('hex') === mac
  );
}
