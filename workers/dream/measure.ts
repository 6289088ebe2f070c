/** The stage measure: counts, and which learnings are stale. Days are counted to the newest document: no clock is asked. */
import type { BuiltinContext } from '../builtin-context.js';
import { byText } from '../kit/folder-walk.js';
import type { Ingested, IngestedSource } from './ingest.js';
import { readLearnings } from './known-learnings.js';
import { dreamLimits } from './limits.js';
import type { Reduced } from './reduce.js';
import type { SourceKind } from './sources.js';
import { readIndex } from './taken-sources.js';

export interface SourceCounts {
  readonly total: number;
  readonly new: number;
  readonly changed: number;
  readonly known: number;
  readonly waiting: number;
}
export interface Stale {
  readonly file: string;
  readonly reason: string;
}
export interface Measured {
  readonly sources: Readonly<Record<SourceKind, SourceCounts>>;
  readonly statements: number;
  readonly groups: Readonly<Record<'total' | 'new' | 'more' | 'known' | 'merged', number>>;
  /** As they were before the commit. */
  readonly learnings: { readonly dreamt: number; readonly edited: number; readonly people: number };
  /** The newest day that a source names; absent where none does. */
  readonly as_of?: string;
  /** Sorted by file. */
  readonly stale: readonly Stale[];
}

const DAY_MS = 86_400_000;

export async function measure(context: BuiltinContext, ingested: Ingested, reduced: Reduced): Promise<Measured> {
  const { known, counts } = await readLearnings(context.root, context.signal);
  const index = await readIndex(context.root);
  const groups = new Map(reduced.groups.map((group) => [group.file, group]));
  const sources = new Map(ingested.sources.map((source) => [source.path, source]));
  const stale: Stale[] = [];
  for (const { file, learning } of known) {
    if (learning === undefined) continue;
    const found = groups.get(file)?.found ?? [];
    const says = (path: string): boolean => found.includes(path) || (index.get(path)?.learned.includes(file) ?? false);
    const reasons = learning.sources.map(({ path }) => whyStale(path, sources, ingested.cut, says));
    const [reason] = found.length > 0 ? [] : reasons;
    if (reason !== undefined && !reasons.includes(undefined)) stale.push({ file, reason });
  }
  const asOf = newestDate(ingested.sources);
  for (const source of ingested.sources) {
    const reason = source.kind === 'learning' ? whyOld(source, asOf) : undefined;
    if (reason !== undefined) stale.push({ file: source.path, reason });
  }
  return {
    sources: {
      knowledge: countsOf(ingested.sources, 'knowledge'),
      learning: countsOf(ingested.sources, 'learning'),
      transcript: countsOf(ingested.sources, 'transcript'),
    },
    statements: ingested.statements.length,
    groups: groupCounts(reduced),
    learnings: counts,
    ...(asOf === undefined ? {} : { as_of: asOf }),
    stale: stale.sort(byText(({ file }) => file)),
  };
}

/** A transcript goes with its run and never changes what was said; a source that waits is not judged before it is read. */
function whyStale(
  path: string,
  sources: ReadonlyMap<string, IngestedSource>,
  cut: boolean,
  says: (path: string) => boolean,
): string | undefined {
  const source = sources.get(path);
  if (path.endsWith('.jsonl') || (source === undefined && cut) || source?.status === 'waiting') return undefined;
  if (source === undefined) return `${path} is gone`;
  return source.status === 'known' && says(path) ? undefined : `${path} does not say it any more`;
}

function whyOld({ date }: IngestedSource, asOf: string | undefined): string | undefined {
  if (date === undefined || asOf === undefined) return undefined;
  const days = Math.round((Date.parse(asOf) - Date.parse(date)) / DAY_MS);
  return days > dreamLimits.staleDays ? `${days} days older than ${asOf}, the newest document` : undefined;
}

function newestDate(sources: readonly IngestedSource[]): string | undefined {
  return sources.reduce<string | undefined>(
    (newest, { date }) => (date !== undefined && (newest === undefined || date > newest) ? date : newest),
    undefined,
  );
}

function countsOf(sources: readonly IngestedSource[], kind: SourceKind): SourceCounts {
  const counts = { total: 0, new: 0, changed: 0, known: 0, waiting: 0 };
  for (const source of sources) {
    if (source.kind !== kind) continue;
    counts.total += 1;
    counts[source.status] += 1;
  }
  return counts;
}

function groupCounts({ groups }: Reduced): Measured['groups'] {
  const counts = { total: groups.length, new: 0, more: 0, known: 0, merged: 0 };
  for (const { status, said } of groups) {
    counts[status] += 1;
    counts.merged += said - 1;
  }
  return counts;
}
