/**
 * A learning as a file of `.agents/learnings`: the encoder beside the decoder. It is named after its statement alone, so
 * the same thing learned again is the same file: it names one more place, and is not there twice.
 *
 * `built_by: dream.run` marks it as ours. Only a file that is exactly what the encoder makes is ever written over: one
 * that somebody edited stays as it is.
 */
import { createHash } from 'node:crypto';
import { isJsonObject } from '../../lib/base/json.js';
import { safeLine } from '../../lib/base/text.js';
import { encodePage, escapeMarkdown, frontMatterOf, readFrontMatter } from '../kit/pages.js';
import { countWords, keywordsOf } from '../kit/words.js';
import { dreamLimits } from './limits.js';
import type { StatementKind } from './statements.js';

export const DREAMT_BY = 'dream.run';

/** Where it was found. */
export interface Place {
  /** Relative to the root. */
  readonly path: string;
  /** Absent where there is none. */
  readonly heading?: string;
}
export interface Learning {
  readonly statement: string;
  readonly kind: StatementKind;
  /** Sorted by path and heading; each once. */
  readonly sources: readonly Place[];
}

const KINDS: readonly string[] = ['learning', 'pitfall', 'decision', 'cause', 'pattern'] satisfies StatementKind[];
const NAME_CHARACTERS = 60;

/** The file name of a learning, by its statement. */
export function learningName(statement: string): string {
  const letters = statement
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, NAME_CHARACTERS)
    .replace(/^-+|-+$/g, '');
  return `${letters || 'learning'}---${createHash('sha256').update(statement, 'utf8').digest('hex').slice(0, 16)}.md`;
}

export function encodeLearning({ statement, kind, sources }: Learning): string {
  const counts = new Map<string, number>();
  countWords(counts, statement, 1);
  const front = {
    statement,
    kind,
    built_by: DREAMT_BY,
    keywords: keywordsOf(counts, dreamLimits.keywordsOfLearning),
    sources,
  };
  const places = sources.map(
    ({ path, heading }) =>
      `- \`${safeLine(path).replaceAll('`', "'")}\`${heading === undefined ? '' : `, ${escapeMarkdown(heading)}`}`,
  );
  return encodePage(front, `${escapeMarkdown(statement)}\n\nFound in:\n\n${places.join('\n')}\n`);
}

/** Undefined for what is not, to the byte, a file that the encoder makes. */
export function decodeLearning(text: string): Learning | undefined {
  const matter = frontMatterOf(text);
  const front = matter === undefined ? undefined : readFrontMatter(matter.front);
  if (front?.['built_by'] !== DREAMT_BY) return undefined;
  const { statement, kind, sources } = front;
  if (typeof statement !== 'string' || typeof kind !== 'string' || !KINDS.includes(kind)) return undefined;
  const learning = { statement, kind: kind as StatementKind, sources: placesIn(sources) };
  return encodeLearning(learning) === text ? learning : undefined;
}

function placesIn(value: unknown): Place[] {
  return (Array.isArray(value) ? value : []).flatMap((place: unknown) => {
    if (!isJsonObject(place)) return [];
    const { path, heading } = place;
    return typeof path === 'string' ? [{ path, ...(typeof heading === 'string' ? { heading } : {}) }] : [];
  });
}

/** Both lists as one. Of too many those stay that were known. */
export function mergePlaces(known: readonly Place[], found: readonly Place[]): Place[] {
  const places = new Map<string, Place>();
  for (const place of [...known, ...found]) {
    const key = `${place.path}\n${place.heading ?? ''}`;
    if (places.has(key) || places.size < dreamLimits.sourcesOfLearning) places.set(key, place);
  }
  return [...places.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place);
}
