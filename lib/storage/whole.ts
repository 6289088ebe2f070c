/**
 * The way through a segment of another home, where all is as it should be: nothing vouches for it but its own chain, so
 * each line is looked at, but once, and its events are told as they are read. Anything else than whole batches, one
 * after the other up to where it has to end, is not for here: the answer is undefined, and `walk.ts` finds out why.
 */
import { checkersFor } from './chain-check.js';
import type { DiskFile } from './disk.js';
import type { ReplayedEvent } from './ledger.js';
import { type DecodedEvent, decodeLine, hashOfLine, verifyEventMac } from './line.js';
import { LineBlock } from './line-block.js';
import type { Mark, ScanTask, SegmentScan } from './mark.js';
import { headerMark } from './mark.js';
import { readLines } from './reader.js';

export async function scanWhole(file: DiskFile, task: ScanTask): Promise<SegmentScan | undefined> {
  const { facts, wants, isHead } = task;
  if (task.carefully || facts.own || facts.header === undefined) return undefined;
  if (wants.some((want) => want.length === undefined || want.hash === undefined)) return undefined;
  const sizeBytes = file.factsSync().sizeBytes;
  const stops = wants.map((want) => want.length as number);
  if (isHead) stops.push(sizeBytes);
  const batches = new WholeBatches(task, new Set(stops));
  const toByte = Math.max(...stops);
  const header = headerMark(facts);
  const checkers = checkersFor(task, toByte);
  const checker = checkers.begin(header.hash);
  let lineCount = 0;
  for await (const lines of readLines(file, sizeBytes)) {
    const block = new LineBlock(lines, lineCount + 1, toByte);
    lineCount += block.lineCount;
    const from = Math.max(0, header.toByte - lines.offset);
    const check = (): Promise<void> | undefined =>
      from < block.countedBytes ? checker.take(lines.bytes.subarray(from, block.countedBytes)) : undefined;
    if (!checkers.handsOver) await check();
    if (checker.isBroken || !batches.take(block)) return undefined;
    if (checkers.handsOver) await check();
  }
  const end = batches.marks.get(toByte);
  if (!(await checker.fits()) || end === undefined) return undefined;
  const marks = wants.map((want) => batches.marks.get(want.length as number));
  if (marks.some((mark, at) => mark?.hash !== wants[at]?.hash)) return undefined;
  return {
    sizeBytes,
    lineCount,
    marks,
    end,
    tornFromByte: undefined,
    wholeToByte: end.toByte,
    faults: [],
    trusted: false,
    told: task.eager !== undefined && new Set(stops).size === 1,
  };
}

/** Line after line, batch after batch. Whether the chain holds is asked elsewhere. */
class WholeBatches {
  readonly marks = new Map<number, Mark>();
  readonly #task: ScanTask;
  readonly #stops: ReadonlySet<number>;
  #open: ReplayedEvent[] = [];
  #lastSeq: number | undefined;

  constructor(task: ScanTask, stops: ReadonlySet<number>) {
    this.#task = task;
    this.#stops = stops;
    const header = headerMark(task.facts);
    if (stops.has(header.toByte)) this.marks.set(header.toByte, header);
  }

  /** Answers false when something is not as it should be. */
  take(block: LineBlock): boolean {
    for (let line = block.firstLine === 1 ? 1 : 0; line < block.countedLines; line++) {
      const bytes = block.bytesOf(line);
      const decoded = decodeLine(bytes);
      if (decoded.kind !== 'event' || !this.#follows(decoded)) return false;
      this.#lastSeq = decoded.event.seq;
      this.#open.push({
        event: decoded.event,
        ours: false,
        segment: this.#task.facts.name,
        segmentLine: block.firstLine + line,
        offset: block.offsetOf(line),
      });
      if (decoded.commit !== undefined && !this.#close(bytes, decoded, block.offsetOf(line) + bytes.length + 1))
        return false;
    }
    return true;
  }

  #follows({ event }: DecodedEvent): boolean {
    return this.#lastSeq === undefined || event.seq === this.#lastSeq + 1;
  }

  #close(bytes: Buffer, decoded: DecodedEvent, toByte: number): boolean {
    const { key, eager } = this.#task;
    const [events, first] = [this.#open, this.#open[0] as ReplayedEvent];
    if (first.event.seq !== decoded.commit?.from) return false;
    this.#open = [];
    // Ours may stand there too, as after a merge.
    const ours = key !== undefined && verifyEventMac(bytes, decoded, key);
    eager?.(ours ? events.map((event) => ({ ...event, ours })) : events);
    if (this.#stops.has(toByte)) {
      const { seq: lastSeq, event_id: lastEventId } = decoded.event;
      const [lineNumber, hash] = [(events.at(-1) as ReplayedEvent).segmentLine, hashOfLine(bytes)];
      const unit = { fromByte: first.offset, toByte };
      this.marks.set(toByte, { toByte, lineNumber, hash, committed: true, lastSeq, lastEventId, unit });
    }
    return true;
  }
}
