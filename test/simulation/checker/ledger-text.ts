/**
 * The checker's own reading of a whole ledger of one home: the segment with the highest number and a valid header is the
 * head, and from there `after` names how much of the segment before counts, back to the first. Events elsewhere never
 * were acknowledged.
 */
import { type Home, type Line, numberOf, readSegment, type SegmentText } from './segment-text.js';

export interface LedgerText {
  /** Every event that counts, in order. */
  readonly events: readonly Line[];
  /** What no ledger may show that nobody damaged. */
  readonly problems: readonly string[];
  /** Oldest first, with the bytes of each that count. */
  readonly chain: readonly { readonly segment: SegmentText; readonly countedBytes: number }[];
}

/** Content by name. */
export type SegmentFiles = ReadonlyMap<string, Buffer>;

/** Reads ledgers one after the other, most of whose segments it has read before. */
export class LedgerReader {
  readonly #home: Home;
  readonly #read = new Map<string, { bytes: Buffer; text: SegmentText }>();

  constructor(home: Home) {
    this.#home = home;
  }

  segment(name: string, bytes: Buffer): SegmentText {
    const known = this.#read.get(name);
    if (known?.bytes.equals(bytes)) return known.text;
    const text = readSegment(name, bytes, this.#home);
    this.#read.set(name, { bytes, text });
    return text;
  }

  ledger(files: SegmentFiles): LedgerText {
    const segments = new Map<string, SegmentText>();
    for (const [name, bytes] of files) if (numberOf(name) !== undefined) segments.set(name, this.segment(name, bytes));
    const heads = [...segments.values()].filter((one) => one.header !== undefined);
    const head = heads.reduce<SegmentText | undefined>(
      (best, one) => (best === undefined || one.number > best.number ? one : best),
      undefined,
    );
    const problems = twins(heads);
    const chain = head === undefined ? [] : chainFrom(head, segments, problems);
    const events = chain.flatMap(({ segment, countedBytes }) =>
      segment.events.filter((line) => line.toByte <= countedBytes),
    );
    events.forEach((line, at) => {
      if (line.value['seq'] !== at + 1)
        problems.push(`${line.segment}:${line.number} has seq ${line.value['seq']}, not ${at + 1}`);
    });
    return { events, problems, chain };
  }
}

function twins(heads: readonly SegmentText[]): string[] {
  const numbers = new Map<number, string>();
  return heads.flatMap(({ number, name }) => {
    const twin = numbers.get(number);
    numbers.set(number, name);
    return twin === undefined ? [] : [`${twin} and ${name} have one number`];
  });
}

function chainFrom(
  head: SegmentText,
  segments: ReadonlyMap<string, SegmentText>,
  problems: string[],
): { segment: SegmentText; countedBytes: number }[] {
  const chain = [{ segment: head, countedBytes: head.ends.at(-1) ?? 0 }];
  for (let at = head; at.header?.after !== undefined; ) {
    const { after, prevHash } = at.header;
    const before = segments.get(after.segment);
    if (before?.header === undefined) {
      problems.push(`${at.name} goes on from ${after.segment}, which is not there or has no header`);
      break;
    }
    if (before.number >= at.number) problems.push(`${at.name} goes on from ${before.name}, which is no older one`);
    if (!before.ends.includes(after.length))
      problems.push(`${at.name} goes on from byte ${after.length} of ${before.name}, where no batch ends`);
    const last = before.events.findLast((line) => line.toByte <= after.length);
    if (prevHash !== (last?.hash ?? before.header.hash))
      problems.push(`the prev_hash of the header of ${at.name} is not that of what it goes on from`);
    chain.unshift({ segment: before, countedBytes: after.length });
    at = before;
  }
  return chain;
}
