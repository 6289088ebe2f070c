/** Whether what this home acknowledged is in the ledger that was opened. */
import { AgentopsdError } from '../base/errors.js';
import type { DamageRecord } from '../model/health.js';
import type { Anchor } from './anchor.js';
import { readAnchor } from './anchor.js';
import type { Disk } from './disk.js';
import type { History } from './history.js';
import type { Home } from './home.js';
import { hashOfLine } from './line.js';
import type { ReplayPlan } from './replay.js';

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
  return isLacking(plan, anchor, await lineOf(history, anchor.seq)) ? lackingRecord(plan, anchor) : undefined;
}

/**
 * Whether the anchored event stands where `covered`, which is not verified, has it; or lies behind all of it. Where it
 * does not, something is wrong in there: it has to be looked at before anybody says what.
 */
export async function holdsAnchored(
  disk: Disk,
  home: Home,
  covered: { readonly lastSeq: number; readonly history: History },
): Promise<boolean> {
  const anchor = await readAnchor(disk, home);
  if (anchor === undefined || anchor.seq > covered.lastSeq) return true;
  return (await lineOf(covered.history, anchor.seq))?.hash === anchor.hash;
}

async function lineOf(
  history: History,
  seq: number,
): Promise<{ segment: string; line: number; hash: string } | undefined> {
  try {
    const found = await history.line(seq);
    return found && { segment: found.segment, line: found.line, hash: hashOfLine(found.bytes) };
  } catch (error) {
    if (error instanceof AgentopsdError && error.code === 'ledger_unreadable') return undefined;
    throw error;
  }
}

/**
 * Whether the anchored event is not in the ledger.
 * @param found the line that has its number; undefined where none can be read
 */
export function isLacking(
  plan: ReplayPlan,
  anchor: Anchor,
  found: { readonly segment: string; readonly line: number; readonly hash: string } | undefined,
): boolean {
  if (anchor.seq > plan.lastSeq) return true;
  if (found?.hash === anchor.hash) return false;
  if (plan.status === 'complete') return true;
  // A line that can't be read, or that was altered, is no missing one: the damage tells it. A whole one in its place is
  // another event: where a segment is missing, what was never acknowledged may have taken the number.
  return found !== undefined && !isTold(plan.damage, found);
}

function isTold(damage: readonly DamageRecord[], { segment, line }: { segment: string; line: number }): boolean {
  return damage.some((record) => record.segment === segment && record.segment_line === line);
}

/** Stands behind the last line that is there. */
export function lackingRecord(plan: ReplayPlan, anchor: Anchor): DamageRecord {
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
