/** The list of checks as people read it: `catalogue.json`. Its ids never change. */
import { readFileSync } from 'node:fs';
import { suiteFile } from './suite-files.js';

export const levels = ['observe', 'enqueue', 'execute', 'project'] as const;
export type Level = (typeof levels)[number];
export type Severity = 'MUST' | 'SHOULD' | 'MAY';
/** What a check cannot do without; `proc` and `fixture` need a profile with a start command. */
export type Need = 'url' | 'token' | 'proc' | 'fixture' | 'work' | 'failpoint';

export interface CatalogueEntry {
  readonly id: string;
  readonly level: Level;
  readonly severity: Severity;
  /** Joined by `+`. */
  readonly needs: string;
  readonly source: string;
  readonly steps: string;
  readonly expected: string;
  /** A mistake of one line that this check has to find. */
  readonly mutant: string;
}

export function readCatalogue(): readonly CatalogueEntry[] {
  return JSON.parse(readFileSync(suiteFile('catalogue.json'), 'utf8')) as CatalogueEntry[];
}

export function needsOf(entry: CatalogueEntry): readonly Need[] {
  return entry.needs.split('+') as Need[];
}

/** Whether an id is meant by a pattern in which `*` stands for anything; several are separated by commas. */
export function idMatches(id: string, patterns: string): boolean {
  return patterns
    .split(',')
    .map((each) => each.trim())
    .some((each) => new RegExp(`^${each.split('*').map(escaped).join('.*')}$`).test(id));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
