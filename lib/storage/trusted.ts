/**
 * The fast way through a segment of our own: hash each line, compare it with the `prev_hash` that the next one holds,
 * and verify the mac of the last. Where that fits, every byte before is what our own writer wrote, and nothing else
 * about the lines needs to be looked at. Where it does not, the answer is undefined, and `walk.ts` finds out why.
 *
 * The hashes are compared elsewhere (`chain-check.ts`), in large blocks and perhaps by another thread, while the events
 * are parsed here.
 */
import { takeChecked } from './checked-blocks.js';
import type { DiskFile } from './disk.js';
import { decodeLine, hashOfLine, verifyEventMac } from './line.js';
import type { LineBlock, LineOffsets } from './line-block.js';
import type { Mark, ScanTask, SegmentScan } from './mark.js';
import { headerMark } from './mark.js';
import { replayedEvents } from './replay-events.js';

export async function scanTrusted(file: DiskFile, task: ScanTask): Promise<SegmentScan | undefined> {
  const { facts, key, wants, isHead } = task;
  if (task.carefully || key === undefined || !facts.own || facts.firstLine === undefined) return undefined;
  if (wants.some((want) => want.length === undefined || want.hash === undefined)) return undefined;
  const sizeBytes = file.factsSync().sizeBytes;
  const stops = wants.map((want) => want.length as number);
  if (isHead) stops.push(sizeBytes);
  const header = headerMark(facts);
  const marks = new Marks(header, stops, key);
  const blocks = { sizeBytes, header, toByte: marks.vouchedToByte, looking: 'chain' } as const;
  const take = (block: LineBlock): boolean =>
    marks.take(block) && (task.eager === undefined || tellEvents(block, facts.name, task.eager));
  const lineCount = await takeChecked(file, task, blocks, take);
  const end = marks.end();
  if (lineCount === undefined || end === undefined) return undefined;
  const found = wants.map((want) => marks.at(want.length as number));
  if (found.some((mark, at) => mark?.hash !== wants[at]?.hash)) return undefined;
  return {
    sizeBytes,
    lineCount,
    marks: found,
    end,
    tornFromByte: undefined,
    wholeToByte: end.toByte,
    faults: [],
    trusted: true,
    told: task.eager !== undefined && new Set(stops).size === 1,
  };
}

/** Answers false for what is no JSON, whatever the hashes say: somebody has to look at it line by line. */
function tellEvents(block: LineBlock, segment: string, tell: NonNullable<ScanTask['eager']>): boolean {
  for (let line = block.firstLine === 1 ? 1 : 0; line < block.countedLines; ) {
    const events = replayedEvents(block, line, segment);
    if (events === undefined) return false;
    tell(events);
    line += events.length;
  }
  return true;
}

/** The places that others go on from, each the end of a batch with a mac of ours. */
class Marks {
  readonly vouchedToByte: number;
  readonly #header: Mark;
  readonly #key: Uint8Array;
  readonly #stops: ReadonlySet<number>;
  readonly #marks = new Map<number, Mark>();
  /** The lines so far, to find where a batch begins. */
  readonly #lines: LineOffsets[] = [];

  constructor(header: Mark, stops: readonly number[], key: Uint8Array) {
    this.vouchedToByte = Math.max(...stops);
    this.#header = header;
    this.#key = key;
    this.#stops = new Set(stops);
  }

  at(toByte: number): Mark | undefined {
    return this.#marks.get(toByte);
  }

  /** The end of what is vouched for, when a mac stands there. */
  end(): Mark | undefined {
    return this.#marks.get(this.vouchedToByte);
  }

  /** Answers false when something does not fit. */
  take(block: LineBlock): boolean {
    this.#lines.push(block.offsets());
    if (block.firstLine === 1) {
      if (block.ends[0] !== this.#header.toByte - 1) return false;
      if (this.#stops.has(this.#header.toByte)) this.#marks.set(this.#header.toByte, this.#header);
    }
    for (const toByte of this.#stops) {
      const line = toByte > this.#header.toByte ? block.lineEndingAt(toByte) : undefined;
      if (line === undefined) continue;
      const mark = this.#markAt(block, line, toByte);
      if (mark === undefined) return false;
      this.#marks.set(toByte, mark);
    }
    return true;
  }

  #markAt(block: LineBlock, line: number, toByte: number): Mark | undefined {
    const bytes = block.bytesOf(line);
    const decoded = decodeLine(bytes);
    if (decoded.kind !== 'event' || decoded.commit === undefined) return undefined;
    if (!verifyEventMac(bytes, decoded, this.#key)) return undefined;
    const { seq, event_id: lastEventId } = decoded.event;
    const lineNumber = block.firstLine + line;
    const fromByte = this.#offsetOf(lineNumber - (seq - decoded.commit.from));
    if (fromByte === undefined || fromByte === 0) return undefined;
    return {
      toByte,
      lineNumber,
      hash: hashOfLine(bytes),
      committed: true,
      lastSeq: seq,
      lastEventId,
      unit: { fromByte, toByte },
    };
  }

  #offsetOf(lineNumber: number): number | undefined {
    const lines = this.#lines.findLast(({ firstLine }) => firstLine <= lineNumber);
    return lines?.offsetOf(lineNumber - lines.firstLine);
  }
}
