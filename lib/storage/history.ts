/**
 * Where each acknowledged event stands, without holding the events: runs of lines that follow each other in one
 * segment, and within each run a sparse index of byte offsets. What is asked for is read from the files, through a
 * descriptor that was opened when the segment was known to be whole: a file that is removed later is still read.
 */
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { DiskFile } from './disk.js';
import type { StoredEvent } from './ledger.js';
import { textOf } from './line.js';
import { readBlocks } from './reader.js';

/** A segment that may be read from. */
export interface HistorySegment {
  readonly name: string;
  /** Bytes from the start that count. */
  readonly countedBytes: () => number;
  /** Gives the descriptor, and whether the caller has to close it. */
  readonly open: () => Promise<{ file: DiskFile; close: boolean }>;
}

/** Lines from `fromLine` on hold the events from `fromSeq` on, one by one. */
interface Run extends Omit<HistoryRun, 'segment' | 'lastSeq' | 'offsets'> {
  readonly segment: HistorySegment;
  lastSeq: number;
  readonly offsets: number[];
}

/** The same as it is kept beside a folded state. */
export interface HistoryRun {
  /** Name of the segment. */
  readonly segment: string;
  readonly ours: boolean;
  readonly fromSeq: number;
  readonly fromLine: number;
  readonly lastSeq: number;
  /** Offset of the first line, and of each `limits.indexStepEvents`-th behind it. */
  readonly offsets: readonly number[];
}

export class History {
  readonly #runs: Run[] = [];

  /**
   * Adds the next event, in the order of the ledger.
   * @param line in the segment, from 1, which starts at `offset`
   */
  add(segment: HistorySegment, seq: number, ours: boolean, line: number, offset: number): void {
    const run = this.#runs.at(-1);
    if (run !== undefined && continues(run, segment, seq, ours, line)) {
      if ((seq - run.fromSeq) % limits.indexStepEvents === 0) run.offsets.push(offset);
      run.lastSeq = seq;
    } else this.#runs.push({ segment, ours, fromSeq: seq, fromLine: line, lastSeq: seq, offsets: [offset] });
  }

  /** As it is at this moment. */
  runs(): HistoryRun[] {
    return this.#runs.map((run) => ({ ...run, segment: run.segment.name, offsets: run.offsets.slice() }));
  }

  /** Puts earlier runs before all others. */
  restore(runs: readonly HistoryRun[], segmentOf: (name: string) => HistorySegment): void {
    this.#runs.unshift(
      ...runs.map((run) => ({ ...run, segment: segmentOf(run.segment), offsets: run.offsets.slice() })),
    );
  }

  /**
   * The events of the span, in order.
   * @throws AgentopsdError `ledger_unreadable` when a line that was whole no longer is; DiskError
   */
  async *read(fromSeq: number, toSeq: number): AsyncGenerator<StoredEvent> {
    for (const run of this.#runs) {
      if (run.lastSeq < fromSeq || run.fromSeq > toSeq) continue;
      yield* readRun(run, Math.max(fromSeq, run.fromSeq), Math.min(toSeq, run.lastSeq));
    }
  }

  /** One event's line as it stands (without newline), and its place; undefined when there is no such event. */
  async line(seq: number): Promise<{ bytes: Buffer; segment: string; line: number } | undefined> {
    const run = this.#runs.find((candidate) => candidate.fromSeq <= seq && seq <= candidate.lastSeq);
    if (run === undefined) return undefined;
    for await (const { bytes, line } of linesOf(run, seq, seq)) return { bytes, segment: run.segment.name, line };
    return undefined;
  }
}

function continues(run: Run, segment: HistorySegment, seq: number, ours: boolean, line: number): boolean {
  return (
    run.segment === segment &&
    run.ours === ours &&
    seq === run.lastSeq + 1 &&
    line === run.fromLine + (seq - run.fromSeq)
  );
}

async function* readRun(run: Run, fromSeq: number, toSeq: number): AsyncGenerator<StoredEvent> {
  for await (const { bytes, line, seq } of linesOf(run, fromSeq, toSeq)) {
    const event = eventIn(bytes);
    if (event?.seq !== seq) throw noLonger(run.segment.name, line);
    yield { event, ours: run.ours, segment: run.segment.name, segmentLine: line };
  }
}

/** Chain and form were verified when the line was replayed or written; here it only has to be that line still. */
function eventIn(bytes: Buffer): StoredEvent['event'] | undefined {
  try {
    return JSON.parse(textOf(bytes)) as StoredEvent['event'];
  } catch {
    return undefined;
  }
}

async function* linesOf(
  run: Run,
  fromSeq: number,
  toSeq: number,
): AsyncGenerator<{ bytes: Buffer; line: number; seq: number }> {
  const step = Math.floor((fromSeq - run.fromSeq) / limits.indexStepEvents);
  const behind = Math.floor((toSeq - run.fromSeq) / limits.indexStepEvents) + 1;
  const from = {
    fromByte: run.offsets[step] ?? 0,
    lineNumber: run.fromLine + step * limits.indexStepEvents,
    toByte: run.offsets[behind] ?? run.segment.countedBytes(),
  };
  const { file, close } = await run.segment.open();
  try {
    let next = fromSeq;
    for await (const block of readBlocks(file, from)) {
      for (const piece of block) {
        const seq = run.fromSeq + (piece.lineNumber - run.fromLine);
        if (seq < fromSeq) continue;
        if (seq > toSeq) return;
        next = seq + 1;
        yield { bytes: piece.bytes, line: piece.lineNumber, seq };
      }
    }
    if (next <= toSeq) throw noLonger(run.segment.name, run.fromLine + (next - run.fromSeq));
  } finally {
    if (close) await file.close();
  }
}

function noLonger(segment: string, line: number): AgentopsdError {
  return new AgentopsdError('ledger_unreadable', `${segment}:${line} no longer holds the event that was there`, {
    hint: 'run `agentopsd verify`',
  });
}
