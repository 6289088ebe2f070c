/** The stage report: what a dream came to, over all its iterations, as data. Pure; `dream-render.ts` makes files of it. */

import { FORGED_BY } from '../kit/pages.js';
import type { Skipped } from '../kit/sources.js';
import { countWords } from '../kit/words.js';
import type { Committed } from './commit.js';
import type { Ingested } from './ingest.js';
import { DREAMT_BY } from './learning.js';
import { dreamLimits } from './limits.js';
import type { Measured, SourceCounts, Stale } from './measure.js';
import type { Group, Reduced } from './reduce.js';
import type { SourceKind } from './sources.js';

export interface ReportedLearning {
  readonly file: string;
  readonly statement: string;
  readonly kind: string;
  readonly status: 'new' | 'more';
  readonly said: number;
  readonly places: number;
  /** Words that it shares with the goal; absent without a goal. */
  readonly relevance?: number;
}
export interface DreamReport {
  readonly schema_version: 1;
  readonly built_by: string;
  readonly dream_run_id: string;
  readonly goal?: string;
  readonly iterations: number;
  /** What said which statements mean the same. */
  readonly reduced_by: string;
  /** Why what an agent said could not be used; of the last iteration that had such a problem. */
  readonly agent_problem?: string;
  readonly sources: Readonly<Record<SourceKind, SourceCounts>>;
  /** Whether there is more below `.agents` than the limits of the search let in. */
  readonly search_cut: boolean;
  readonly gone_count: number;
  readonly statements: number;
  readonly statements_left_out: number;
  readonly long_lines: number;
  readonly groups: Measured['groups'];
  readonly learned_count: number;
  readonly extended_count: number;
  readonly kept_count: number;
  /** What was there before. */
  readonly learnings_before: Measured['learnings'];
  /** What matters most first: by the goal, then by how often it was said. Bounded. */
  readonly learnings: readonly ReportedLearning[];
  readonly kept: Committed['kept'];
  readonly as_of?: string;
  readonly stale_count: number;
  readonly stale: readonly Stale[];
  readonly skipped_count: number;
  readonly skipped: readonly Skipped[];
}
export interface ReportGround {
  readonly runId: string;
  readonly goal: string | undefined;
  readonly earlier: DreamReport | undefined;
}
export interface StageResults {
  readonly ingested: Ingested;
  readonly reduced: Reduced;
  readonly measured: Measured;
  readonly committed: Committed;
}

export function report({ runId, goal, earlier }: ReportGround, results: StageResults): DreamReport {
  const { ingested, measured, committed } = results;
  const problem = results.reduced.agent_problem ?? earlier?.agent_problem;
  const learnings = [...(earlier?.learnings ?? []), ...reportedOf(results, goal)].sort(byWeight);
  const kept = [...(earlier?.kept ?? []), ...committed.kept];
  return {
    schema_version: 1,
    built_by: DREAMT_BY,
    dream_run_id: runId,
    ...(goal === undefined ? {} : { goal }),
    iterations: (earlier?.iterations ?? 0) + 1,
    reduced_by: results.reduced.reduced_by ?? earlier?.reduced_by ?? FORGED_BY,
    ...(problem === undefined ? {} : { agent_problem: problem }),
    sources: {
      knowledge: summed(earlier?.sources.knowledge, measured.sources.knowledge),
      learning: summed(earlier?.sources.learning, measured.sources.learning),
      transcript: summed(earlier?.sources.transcript, measured.sources.transcript),
    },
    search_cut: ingested.cut,
    gone_count: (earlier?.gone_count ?? 0) + ingested.gone.length,
    statements: (earlier?.statements ?? 0) + measured.statements,
    statements_left_out: (earlier?.statements_left_out ?? 0) + ingested.left_out,
    long_lines: (earlier?.long_lines ?? 0) + ingested.long_lines,
    groups: summedGroups(earlier?.groups, measured.groups),
    learned_count: (earlier?.learned_count ?? 0) + committed.learned.length,
    extended_count: (earlier?.extended_count ?? 0) + committed.extended.length,
    kept_count: (earlier?.kept_count ?? 0) + committed.kept.length,
    learnings_before: earlier?.learnings_before ?? measured.learnings,
    learnings: learnings.slice(0, dreamLimits.listedAtMost),
    kept: kept.slice(0, dreamLimits.listedAtMost),
    ...(measured.as_of === undefined ? {} : { as_of: measured.as_of }),
    stale_count: measured.stale.length,
    stale: measured.stale.slice(0, dreamLimits.listedAtMost),
    skipped_count: ingested.skipped.length,
    skipped: ingested.skipped.slice(0, dreamLimits.listedAtMost),
  };
}

/** Whether sources wait for a further iteration. */
export function isWaiting({ sources }: DreamReport): boolean {
  return Object.values(sources).some(({ waiting }) => waiting > 0);
}

/** What an earlier iteration took is no longer new, and was not known when the run began. */
function summed(earlier: SourceCounts | undefined, now: SourceCounts): SourceCounts {
  return earlier === undefined
    ? now
    : {
        total: now.total,
        new: earlier.new + now.new,
        changed: earlier.changed + now.changed,
        known: earlier.known,
        waiting: now.waiting,
      };
}

function summedGroups(earlier: Measured['groups'] | undefined, now: Measured['groups']): Measured['groups'] {
  return {
    total: (earlier?.total ?? 0) + now.total,
    new: (earlier?.new ?? 0) + now.new,
    more: (earlier?.more ?? 0) + now.more,
    known: (earlier?.known ?? 0) + now.known,
    merged: (earlier?.merged ?? 0) + now.merged,
  };
}

function reportedOf({ reduced, committed }: StageResults, goal: string | undefined): ReportedLearning[] {
  const written = new Set([...committed.learned, ...committed.extended]);
  const wanted = goal === undefined ? undefined : wordsOf(goal);
  return reduced.groups.flatMap((group) => {
    if (group.status === 'known' || !written.has(group.file)) return [];
    const { file, statement, kind, status, said, places } = group;
    const relevance = wanted === undefined ? {} : { relevance: relevanceOf(group, wanted) };
    return [{ file, statement, kind, status, said, places: places.length, ...relevance }];
  });
}

function relevanceOf({ statement }: Group, wanted: ReadonlySet<string>): number {
  return [...wordsOf(statement)].filter((word) => wanted.has(word)).length;
}

function wordsOf(text: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  countWords(counts, text, 1);
  return new Set(counts.keys());
}

function byWeight(a: ReportedLearning, b: ReportedLearning): number {
  return (b.relevance ?? 0) - (a.relevance ?? 0) || b.said - a.said || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0);
}
