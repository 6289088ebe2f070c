/**
 * One segment, read once: where its lines end that others go on from, what counts were it a head, what is damaged.
 *
 * A torn end is what a write leaves that was never acknowledged: at most one batch, behind the last whole one, and
 * nothing but missing bytes in it. Its commit may stand already; then its `from` shows that no other batch is lost in
 * between.
 */
import type { Disk, DiskFile } from './disk.js';
import type { Fault } from './fault.js';
import { FaultList } from './fault.js';
import type { LineBatch, LineEnd } from './line-batch.js';
import type { Mark, ScanTask, SegmentScan, Want } from './mark.js';
import { headerMark } from './mark.js';
import { readBlocks } from './reader.js';
import type { SegmentFacts } from './segment-facts.js';
import { scanTrusted } from './trusted.js';
import { walkBatches } from './walk.js';
import { scanWhole } from './whole.js';

/** @throws AgentopsdError `ledger_newer`; DiskError */
export async function scanSegment(task: ScanTask): Promise<SegmentScan> {
  const file = await task.disk.open(task.facts.path, 'read');
  try {
    return scanKnown(file, task) ?? (await scanAtOnce(file, task)) ?? (await scanCarefully(file, task));
  } finally {
    await file.close();
  }
}

/** Undefined where something is not as it should be. */
async function scanAtOnce(file: DiskFile, task: ScanTask): Promise<SegmentScan | undefined> {
  return (await scanTrusted(file, task)) ?? (await scanWhole(file, task));
}

/** What is known already, where nothing else is asked for than what is known. */
function scanKnown(file: DiskFile, { known, wants, isHead, carefully }: ScanTask): SegmentScan | undefined {
  if (known === undefined || carefully) return undefined;
  const { end, lineCount } = known;
  const { sizeBytes } = file.factsSync();
  if (sizeBytes < end.toByte || (isHead && sizeBytes > end.toByte)) return undefined;
  if (wants.some((want) => want.length !== end.toByte || want.hash !== end.hash)) return undefined;
  return {
    sizeBytes,
    lineCount,
    marks: wants.map(() => end),
    end,
    tornFromByte: undefined,
    wholeToByte: end.toByte,
    faults: [],
    trusted: true,
    told: false,
  };
}

/** How many lines a segment has, for one that nothing goes on from. */
export async function countLines(disk: Disk, path: string): Promise<number> {
  const file = await disk.open(path, 'read');
  try {
    let count = 0;
    for await (const pieces of readBlocks(file)) count += pieces.length;
    return count;
  } finally {
    await file.close();
  }
}

export async function scanCarefully(file: DiskFile, task: ScanTask): Promise<SegmentScan> {
  const { facts, key } = task;
  const sizeBytes = file.factsSync().sizeBytes;
  const faults = new FaultList();
  const tally = new Tally(facts, task);
  const source = {
    file,
    segment: facts.name,
    toByte: sizeBytes,
    key,
    ownHeader: facts.own,
    hasHeader: facts.header !== undefined,
  };
  for await (const batch of walkBatches(source, faults)) tally.take(batch);
  const { end, tornFromByte } = tally.judgeEnd(faults.all(), sizeBytes);
  return {
    sizeBytes,
    lineCount: tally.lineCount,
    marks: tally.marks(),
    end,
    tornFromByte,
    wholeToByte: tally.wholeToByte,
    faults: faults.all(),
    trusted: false,
    told: false,
  };
}

/** What the batches of a segment add up to. */
class Tally {
  lineCount: number;
  wholeToByte: number;
  readonly #seqBefore: number | undefined;
  readonly #picks: Pick[];
  /** Where the last line ended; before the last batch; before that batch's `seq`. */
  #end: Mark;
  #endBefore: Mark;
  #last: LineBatch | undefined;
  #allWhole = true;

  constructor(facts: SegmentFacts, task: ScanTask) {
    const header = headerMark(facts);
    this.lineCount = facts.firstLine === undefined ? 0 : 1;
    this.wholeToByte = header.toByte;
    this.#seqBefore = task.seqBefore;
    this.#end = header;
    this.#endBefore = header;
    this.#picks = task.wants.map((want) => new Pick(want));
    for (const pick of this.#picks) pick.offer(header);
  }

  take(batch: LineBatch): void {
    this.#endBefore = this.#end;
    this.#last = batch;
    for (const end of batch.ends) this.#step(end, batch);
    this.#allWhole &&= batch.whole && !batch.followsDamage;
    if (this.#allWhole) this.wholeToByte = batch.toByte;
  }

  marks(): (Mark | undefined)[] {
    // A sealed segment that lost its end counts with all that is left of it.
    return this.#picks.map((pick) => pick.best ?? (pick.isSealed ? this.#end : undefined));
  }

  /** What counts if this is a head, and where its torn end begins. */
  judgeEnd(faults: readonly Fault[], sizeBytes: number): { end: Mark; tornFromByte: number | undefined } {
    const last = this.#last;
    if (last === undefined || last.whole) return { end: this.#end, tornFromByte: undefined };
    if (this.#isTorn(last)) return { end: this.#endBefore, tornFromByte: last.fromByte };
    if (last.closed) return { end: this.#end, tornFromByte: undefined };
    // Damage, and behind it perhaps lines that were never committed: all counts up to the last damaged line.
    const altered = faults.filter((fault) => fault.kind === 'altered' && fault.fromByte >= last.fromByte).at(-1);
    const through = last.ends.findIndex((one) => one.toByte === altered?.toByte);
    const counted = through < 0 ? last.ends : last.ends.slice(0, through + 1);
    // Line by line: the last one may have no `seq` that can be read, those before it count all the same.
    const mark = counted.reduce((before, end) => this.#markOf(end, before), this.#endBefore);
    return { end: mark, tornFromByte: mark.toByte < sizeBytes ? mark.toByte : undefined };
  }

  #isTorn(last: LineBatch): boolean {
    if (last.broken === 'altered') return false;
    if (!last.closed) return true;
    const seqBefore = this.#endBefore.lastSeq ?? this.#seqBefore;
    return seqBefore === undefined || last.commitFrom === seqBefore + 1;
  }

  #step(end: LineEnd, batch: LineBatch): void {
    this.lineCount = end.lineNumber;
    this.#end = this.#markOf(end, this.#end);
    if (batch.whole && end.committed)
      this.#end = { ...this.#end, unit: { fromByte: batch.fromByte, toByte: batch.toByte } };
    for (const pick of this.#picks) pick.offer(this.#end);
  }

  #markOf(end: LineEnd, before: Mark): Mark {
    return {
      toByte: end.toByte,
      lineNumber: end.lineNumber,
      hash: end.hash,
      committed: end.committed,
      lastSeq: end.seq ?? before.lastSeq,
      lastEventId: end.eventId ?? before.lastEventId,
      unit: before.unit,
    };
  }
}

/**
 * Finds the place of a want. Where damage has shifted the bytes, the hash of the last line tells it still; where that
 * line itself is altered, its `seq`; and at last the line that holds the byte.
 */
class Pick {
  readonly #want: Want;
  best: Mark | undefined;
  #rank = 0;

  constructor(want: Want) {
    this.#want = want;
  }

  get isSealed(): boolean {
    return this.#want.length !== undefined;
  }

  offer(mark: Mark): void {
    const rank = this.#rankOf(mark);
    if (rank <= this.#rank) return;
    this.#rank = rank;
    this.best = mark;
  }

  #rankOf(mark: Mark): number {
    const { length, hash, seq } = this.#want;
    if (hash !== undefined && mark.hash === hash) return mark.toByte === length ? 5 : 4;
    if (length !== undefined && mark.toByte === length) return 3;
    if (seq !== undefined && mark.lastSeq === seq) return 2;
    return length !== undefined && mark.toByte > length ? 1 : 0;
  }
}
