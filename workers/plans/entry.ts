/** One plan of the manifest, read from a line of an issue file or from the front matter of a plan. Pure. */
import { createHash } from 'node:crypto';
import { isJsonObject } from '../../lib/base/json.js';
import { safeLine } from '../../lib/base/text.js';
import { plansLimits } from './limits.js';

export interface PlanEntry {
  readonly id: string;
  readonly title?: string;
  readonly status?: string;
  readonly priority?: string;
  readonly type?: string;
  /** Ids that have to be done first, sorted. */
  readonly depends_on?: readonly string[];
  /** Relative to the root. */
  readonly source: string;
  /** Of an issue file, from 1. */
  readonly line?: number;
  /** Hex, of the line's bytes without its newline, or of the plan's bytes. */
  readonly sha256: string;
}
export interface PlanPlace {
  readonly source: string;
  readonly line?: number;
  readonly bytes: Uint8Array;
}

export interface ReadEntry {
  readonly entry: PlanEntry;
  /** Dependencies beyond the limit. */
  readonly leftOut: number;
}

/** @param fallback stands in for what the facts lack */
export function planEntry(
  facts: Readonly<Record<string, unknown>>,
  { source, line, bytes }: PlanPlace,
  fallback: { readonly id?: string; readonly title?: string } = {},
): ReadEntry | { readonly problem: string } {
  const id = idOf(facts['id'] ?? fallback.id);
  if (typeof id !== 'string') return id;
  const all = dependenciesOf(facts);
  const depends = all.slice(0, plansLimits.dependenciesAtMost).sort();
  const members = {
    title: wordOf(facts['title'] ?? fallback.title, plansLimits.titleCharacters),
    status: wordOf(facts['status'], plansLimits.wordCharacters),
    priority: wordOf(facts['priority'], plansLimits.wordCharacters),
    type: wordOf(facts['issue_type'] ?? facts['type'], plansLimits.wordCharacters),
    depends_on: depends.length === 0 ? undefined : depends,
  };
  const there = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const entry = { id, ...there, source, ...(line === undefined ? {} : { line }), sha256 };
  return { entry, leftOut: all.length - depends.length };
}

function idOf(value: unknown): string | { problem: string } {
  if (value === undefined || value === null) return { problem: 'it has no id' };
  const id = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof id !== 'string' || id.trim() === '') return { problem: 'its id is no text' };
  if (id.length > plansLimits.idCharacters)
    return { problem: `its id is longer than ${plansLimits.idCharacters} characters` };
  if (!id.isWellFormed() || safeLine(id) !== id)
    return { problem: `its id holds control characters: "${safeLine(id.toWellFormed())}"` };
  return id.trim();
}

/** On one line and bounded; undefined for what is neither text nor number. */
function wordOf(value: unknown, characters: number): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = safeLine(String(value).toWellFormed().replace(/\s+/g, ' ').trim());
  if (text === '') return undefined;
  return text.length <= characters ? text : `${text.slice(0, characters - 1).toWellFormed()}…`;
}

/**
 * `depends_on: [id]` of a plan, `dependencies: [{depends_on_id, type}]` of an issue: of the latter those alone that block
 * it, for it may also name its parent, or what it was found with.
 * @returns each once, in the order in which they stand there
 */
function dependenciesOf(facts: Readonly<Record<string, unknown>>): string[] {
  const listed = facts['depends_on'] ?? facts['dependencies'];
  if (!Array.isArray(listed)) return [];
  const ids = listed
    .map((each: unknown) => (isJsonObject(each) ? blockerOf(each) : each))
    .map((each) => wordOf(each, plansLimits.idCharacters))
    .filter((each) => each !== undefined);
  return [...new Set(ids)];
}

function blockerOf({ depends_on_id, type }: Readonly<Record<string, unknown>>): unknown {
  return type === undefined || type === null || type === 'blocks' ? depends_on_id : undefined;
}
