/**
 * The way through a segment of another home, where all is as it should be: nothing vouches for it but its own chain, so
 * each line is looked at, but once, and its events are told as they are read. Anything else than whole batches, one
 * after the other up to where it has to end, is not for here: the answer is undefined, and `walk.ts` finds out why.
 *
 * Whether the lines are events at all is asked elsewhere, together with the chain (`chain-check.ts`), perhaps later than
 * they are parsed here: what they hold may be anything until the end of it.
 */
import { isJsonObject } from '../base/json.js';
import { takeChecked } from './checked-blocks.js';
import type { DiskFile } from './disk.js';
import type { ReplayedEvent } from './ledger.js';
import { type Commit, type EventLine, hashOfLine, verifyEventMac } from './line.js';
import type { LineBlock } from './line-block.js';
import type { Mark, ScanTask, SegmentScan } from './mark.js';
import { headerMark } from './mark.js';

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
  const blocks = { sizeBytes, header, toByte, looking: 'events' } as const;
  const lineCount = await takeChecked(file, task, blocks, (block) => batches.take(block));
  const end = batches.marks.get(toByte);
  if (lineCount === undefined || end === undefined) return undefined;
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

/** Line after line, batch after batch. */
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
    for (let line = block.firstLine === 1 ? 1 : 0; line < block.countedLines; ) {
      const events = block.events(line);
      if (events === undefined) return false;
      for (const event of events) if (!this.#add(event, block, line++)) return false;
    }
    return true;
  }

  #add(event: EventLine, block: LineBlock, line: number): boolean {
    if (!isJsonObject(event) || (this.#lastSeq !== undefined && event.seq !== this.#lastSeq + 1)) return false;
    this.#lastSeq = event.seq;
    const segmentLine = block.firstLine + line;
    this.#open.push({ event, ours: false, segment: this.#task.facts.name, segmentLine, offset: block.offsetOf(line) });
    return event.commit === undefined || this.#close(event, block, line);
  }

  #close(event: EventLine, block: LineBlock, line: number): boolean {
    const { key, eager } = this.#task;
    const [events, first] = [this.#open, this.#open[0] as ReplayedEvent];
    if (!isCommit(event.commit) || first.event.seq !== event.commit.from) return false;
    this.#open = [];
    const bytes = block.bytesOf(line);
    // Ours may stand there too, as after a merge.
    const ours = key !== undefined && verifyEventMac(bytes, event, key);
    eager?.(ours ? events.map((one) => ({ ...one, ours })) : events);
    const toByte = block.offsetOf(line) + bytes.length + 1;
    if (this.#stops.has(toByte)) {
      const { seq: lastSeq, event_id: lastEventId } = event;
      const [lineNumber, hash] = [block.firstLine + line, hashOfLine(bytes)];
      const unit = { fromByte: first.offset, toByte };
      this.marks.set(toByte, { toByte, lineNumber, hash, committed: true, lastSeq, lastEventId, unit });
    }
    return true;
  }
}

function isCommit(commit: EventLine['commit']): commit is Commit {
  return isJsonObject(commit) && typeof commit.mac === 'string';
}
