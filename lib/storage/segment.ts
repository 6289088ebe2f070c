/**
 * A segment is one file of the ledger: `<term>-<writer>.jsonl`, for example `000043-3f9a2c1b.jsonl`. One writer makes
 * it and writes it; no other process ever appends to it.
 *
 * Its lines are JSON objects in canonical form (`line.ts`), UTF-8, each closed by one `\n`:
 *
 *   line 1     the header   {prev_hash?, schema_version, segment: {term, writer, home, opened_at, after?, mac}}
 *   line 2 …   one event    {…, seq, prev_hash, commit?}
 *
 * `prev_hash` is the SHA-256 of the line before, without its newline, and runs through headers and events alike; the
 * first line of all has none. The last line of each batch carries `commit: {from, mac}`: a batch is there whole or it
 * is not there at all.
 *
 * `after: {segment, length}` in a header names the segment that this one goes on from and how many of its bytes count.
 * Where both are of one home that seals the earlier one: what stands behind `length` was never acknowledged.
 *
 * What a crash leaves behind: a file with no header or half of one (nothing was shown to anyone yet), a header alone,
 * or, behind the last whole batch, a piece of one more batch whose missing bytes are absent or zero.
 *
 * The names sort by term, so that `cat *.jsonl` prints the history oldest first.
 */

export const SEGMENT_SUFFIX = '.jsonl';
const TERM_DIGITS = 6;

export interface SegmentName {
  readonly term: number;
  /** Eight lower-case hex digits. */
  readonly writer: string;
}

export function segmentName(term: number, writer: string): string {
  return `${String(term).padStart(TERM_DIGITS, '0')}-${writer}${SEGMENT_SUFFIX}`;
}

/** What a file name says, or undefined when no segment is named like that. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = /^(\d{6,15})-([0-9a-f]{8})\.jsonl$/.exec(name);
  if (!match) return undefined;
  const term = Number(match[1]);
  const writer = match[2] as string;
  return segmentName(term, writer) === name ? { term, writer } : undefined;
}

/** Oldest first: by term, then by writer. */
export function compareSegmentNames(a: string, b: string): number {
  const termOf = (name: string): number => parseSegmentName(name)?.term ?? 0;
  return termOf(a) - termOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}
