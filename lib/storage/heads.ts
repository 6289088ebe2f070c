/**
 * The heads and the chains behind them. A home's head is its segment with the highest number; from there `after` leads
 * back, segment by segment, and what lies on that way is all that counts of the home. Built from the headers alone; what
 * stands at the places they name `replay.ts` looks up.
 */
import type { Want } from './mark.js';
import type { SegmentFacts } from './segment-facts.js';

/** A segment on the way, and where the next one goes on from in it: undefined for the end of what counts. */
export interface Step {
  readonly facts: SegmentFacts;
  readonly want: Want | undefined;
}

/** A segment that a header names and that is not there, or can't be meant. */
export interface Gap {
  readonly missing: string;
  readonly length: number;
  readonly namedBy: SegmentFacts;
  /** The segment that is taken for the one before instead. */
  readonly guess: SegmentFacts | undefined;
}

export interface Way {
  readonly head: SegmentFacts;
  /** Oldest first; the head is the last. */
  readonly steps: readonly Step[];
  readonly gaps: readonly Gap[];
}

/** One way for each home, and for each segment that lost its header but not its events. */
export function waysOf(segments: readonly SegmentFacts[]): Way[] {
  const byHome = new Map<string, SegmentFacts>();
  for (const facts of segments) {
    if (facts.header === undefined && facts.firstEvent === undefined) continue;
    const highest = byHome.get(facts.home);
    if (highest === undefined || facts.number >= highest.number) byHome.set(facts.home, facts);
  }
  const named = namedSegments(segments);
  // A headerless segment that others go on from is no head: it had successors.
  const heads = [...byHome.values()].filter((head) => head.header !== undefined || !named.has(head.name));
  return heads.map((head) => wayTo(head, segments));
}

function namedSegments(segments: readonly SegmentFacts[]): Set<string> {
  return new Set(segments.flatMap((facts) => facts.header?.after?.segment ?? []));
}

function wayTo(head: SegmentFacts, segments: readonly SegmentFacts[]): Way {
  const byName = new Map(segments.map((facts) => [facts.name, facts]));
  const steps: Step[] = [{ facts: head, want: undefined }];
  const gaps: Gap[] = [];
  for (let at = head; ; ) {
    const before = stepBefore(at, steps[0]?.want?.seq, byName, segments, gaps);
    if (before === undefined) return { head, steps, gaps };
    steps.unshift(before);
    at = before.facts;
  }
}

/** @param seqBehind `seq` of the last event up to the end of what counts in `at`, where it is known */
function stepBefore(
  at: SegmentFacts,
  seqBehind: number | undefined,
  byName: Map<string, SegmentFacts>,
  all: readonly SegmentFacts[],
  gaps: Gap[],
): Step | undefined {
  const seq = at.firstEvent ? at.firstEvent.seq - 1 : seqBehind;
  if (at.header === undefined) return guessBefore(at.number, seq, all);
  const { after } = at.header;
  if (after === undefined) return undefined;
  const facts = byName.get(after.segment);
  if (facts !== undefined && facts.number < at.number)
    return { facts, want: { length: after.length, hash: at.prevHash, seq } };
  const guess = guessBefore(at.number, seq, all, at.prevHash);
  gaps.push({ missing: after.segment, length: after.length, namedBy: at, guess: guess?.facts });
  return guess;
}

/**
 * The newest segment below `number` that holds events up to `seq` (any, where that is not known): where a lost header or
 * segment must have gone on from.
 */
function guessBefore(
  number: number,
  seq: number | undefined,
  all: readonly SegmentFacts[],
  hash?: string,
): Step | undefined {
  const before = seq ?? Number.POSITIVE_INFINITY;
  const fits = (facts: SegmentFacts): boolean =>
    facts.number < number && facts.firstEvent !== undefined && facts.firstEvent.seq <= before;
  const facts = all.filter(fits).at(-1);
  return facts && { facts, want: { length: undefined, hash, seq } };
}
