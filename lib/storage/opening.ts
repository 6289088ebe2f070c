/** What opening takes in: the counted events, where they stand, and whether what this home acknowledged is there. */
import type { DamageRecord } from '../model/health.js';
import type { Anchor } from './anchor.js';
import { readAnchor } from './anchor.js';
import type { Condition } from './condition.js';
import type { Disk } from './disk.js';
import type { History, HistorySegment } from './history.js';
import type { Home } from './home.js';
import type { KeptSegments } from './kept-segments.js';
import type { LedgerObserver } from './ledger.js';
import { hashOfLine } from './line.js';
import type { ReplayOptions, ReplayPlan } from './replay.js';
import { replayBlocks } from './replay.js';

export interface TakeInto {
  readonly history: History;
  readonly kept: KeptSegments;
  readonly condition: Condition;
  readonly observer: Pick<LedgerObserver, 'onReplayed'>;
}

/** Opens every segment of the chain and tells every counted event, in order. */
export async function takeIn(source: ReplayOptions, plan: ReplayPlan, into: TakeInto): Promise<void> {
  const segments = new Map<string, HistorySegment>();
  for (const link of plan.chain) segments.set(link.segment, await into.kept.open(link.segment, link.countedBytes));
  for await (const block of replayBlocks(source, plan)) {
    for (const { event, ours, segment, segmentLine, offset } of block) {
      const found = segments.get(segment);
      if (found !== undefined) into.history.add(found, { seq: event.seq, ours, line: segmentLine, offset });
      if (ours) into.condition.notice(event);
      into.observer.onReplayed(event, ours);
    }
  }
}

/**
 * The record of the acknowledged event that this ledger lacks, though it is whole in itself: an older checkout, or a
 * backup. Undefined when all that this home knows of is there.
 */
export async function findLacking(
  disk: Disk,
  home: Home,
  plan: ReplayPlan,
  history: History,
): Promise<DamageRecord | undefined> {
  const anchor = await readAnchor(disk, home);
  if (anchor === undefined) return undefined;
  if (anchor.seq > plan.lastSeq) return lackingRecord(plan, anchor);
  // With corruption the damage tells; an altered line is no missing one.
  if (plan.status === 'corrupt') return undefined;
  const line = await history.line(anchor.seq);
  return line !== undefined && hashOfLine(line) === anchor.hash ? undefined : lackingRecord(plan, anchor);
}

/** Stands behind the last line that is there. */
function lackingRecord(plan: ReplayPlan, anchor: Anchor): DamageRecord {
  const last = plan.chain.at(-1);
  const lines =
    last === undefined
      ? 0
      : 1 + (last.lastSeq === undefined || last.firstSeq === undefined ? 0 : last.lastSeq - last.firstSeq + 1);
  return {
    line_number: (last?.firstLineNumber ?? 1) + lines,
    segment: last?.segment ?? '',
    segment_line: lines + 1,
    error: `event ${anchor.seq} (line hash ${anchor.hash.slice(0, 16)}), which was acknowledged here, is missing: this is an older state of the ledger`,
  };
}
