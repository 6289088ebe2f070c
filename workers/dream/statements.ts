/**
 * Finds what a text says to have learned: items and paragraphs below a heading such as "Lessons learned", and lines with
 * a label such as "Gotcha:". By form alone, so the same text gives the same statements. Pure, and bounded at every step.
 */

import { ATX_HEADING, cleanLine, FENCE } from '../kit/read-document.js';
import { dreamLimits } from './limits.js';

export type StatementKind = 'learning' | 'pitfall' | 'decision' | 'cause' | 'pattern';

export interface Statement {
  readonly text: string;
  readonly kind: StatementKind;
  /** The heading that it stands below; empty where there is none. */
  readonly heading: string;
}
export interface FoundStatements {
  /** Each text once, in the order of the document. */
  readonly statements: readonly Statement[];
  /** Beyond the limit, or because they look like a secret. */
  readonly leftOut: number;
}

const HEADINGS: readonly (readonly [RegExp, StatementKind])[] = [
  [/\b(?:learn(?:ed|t|ings?)|lessons?|take-?aways?|insights?|til)\b/i, 'learning'],
  [/\b(?:gotchas?|pitfalls?|caveats?|traps?|anti-?patterns?|mistakes?)\b/i, 'pitfall'],
  [/\b(?:decisions?|decided)\b/i, 'decision'],
  [/\broot causes?\b/i, 'cause'],
  [/\b(?:patterns?|best practices?|conventions?)\b/i, 'pattern'],
];
const LABEL =
  /^(?:\*\*|__)?((?:key )?(?:learnings?|learned|lessons?(?: learned)?|take-?aways?|insights?|til)|gotchas?|pitfalls?|caveats?|anti-?patterns?|decisions?|decided|root causes?|patterns?|best practices?)(?:\*\*|__)?[ \t]*:[ \t]*(?:\*\*|__)?[ \t]*(\S.*)$/i;
const ITEM = /^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)$/;
/** Tables, quotations, HTML, rules: no prose of the document itself. */
const NO_PROSE = /^[ \t]*(?:[|>]|<[!/a-z]|(?:[-*_][ \t]*){3,}$)/i;
/** What tokens and keys look like. A learning goes into git, where a secret must not. */
const SECRET =
  /\b(?:sk|pk|rk|ghp|gho|ghu|ghs|ghr|glpat|npm|xox[abeprs]|github_pat)[-_][A-Za-z0-9_-]{12,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bAIza[A-Za-z0-9_-]{20,}|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|-----BEGIN |\bbearer[ \t]+[A-Za-z0-9._~+/-]{16,}|\b(?:password|passwd|secret|token|api[-_ ]?key)["']?[ \t]*[:=][ \t]*\S{6,}/i;

interface Reading {
  readonly found: Map<string, Statement>;
  leftOut: number;
  fence: string | undefined;
  heading: string;
  /** The section that says what was learned, with the level of its heading. */
  section: { readonly kind: StatementKind; readonly level: number } | undefined;
  /** What is being read: one statement can go over several lines. */
  open: { readonly kind: StatementKind; text: string } | undefined;
}

export function statementsIn(text: string): FoundStatements {
  const reading: Reading = {
    found: new Map(),
    leftOut: 0,
    fence: undefined,
    heading: '',
    section: undefined,
    open: undefined,
  };
  for (const whole of text.split('\n')) readLine(reading, whole.slice(0, dreamLimits.lineCharacters).trimEnd());
  close(reading);
  return { statements: [...reading.found.values()], leftOut: reading.leftOut };
}

function readLine(reading: Reading, line: string): void {
  const fence = FENCE.exec(line)?.[1];
  if (reading.fence !== undefined) {
    if (fence?.startsWith(reading.fence)) reading.fence = undefined;
    return;
  }
  const [, marks, heading] = ATX_HEADING.exec(line) ?? [];
  if (fence !== undefined || line.trim() === '' || heading !== undefined || NO_PROSE.test(line)) close(reading);
  if (fence !== undefined) reading.fence = fence;
  else if (marks !== undefined && heading !== undefined) enterSection(reading, marks.length, heading);
  else if (line.trim() !== '' && !NO_PROSE.test(line)) readProse(reading, line);
}

function enterSection(reading: Reading, level: number, heading: string): void {
  reading.heading = cleanLine(heading.replace(/[ \t]#+$/, ''), dreamLimits.headingCharacters);
  const kind = HEADINGS.find(([words]) => words.test(reading.heading))?.[1];
  // The name of a document ("Lessons of the migration") makes all of it a section, until one of its level follows.
  if (kind !== undefined) reading.section = { kind, level };
  else if (reading.section !== undefined && level <= reading.section.level) reading.section = undefined;
}

function readProse(reading: Reading, line: string): void {
  const item = ITEM.exec(line)?.[1];
  const text = item ?? line.trim();
  const [, label, labelled] = LABEL.exec(text) ?? [];
  if (label !== undefined && labelled !== undefined) begin(reading, kindOf(label), labelled);
  else if (item !== undefined) {
    close(reading);
    if (reading.section !== undefined) begin(reading, reading.section.kind, item);
  } else if (reading.open !== undefined) extend(reading.open, text);
  else if (reading.section !== undefined) begin(reading, reading.section.kind, text);
}

function kindOf(label: string): StatementKind {
  return HEADINGS.find(([words]) => words.test(label))?.[1] ?? 'learning';
}

function begin(reading: Reading, kind: StatementKind, text: string): void {
  close(reading);
  reading.open = { kind, text };
}

function extend(open: { text: string }, text: string): void {
  if (open.text.length <= dreamLimits.statementCharacters) open.text += ` ${text}`;
}

function close(reading: Reading): void {
  const { open, found } = reading;
  reading.open = undefined;
  if (open === undefined || open.text.endsWith(':')) return;
  const text = cleanLine(open.text.toWellFormed(), dreamLimits.statementCharacters);
  const { statementLeastCharacters, statementLeastWords } = dreamLimits;
  if (text.length < statementLeastCharacters || text.split(' ').length < statementLeastWords) return;
  if (found.has(text)) return;
  if (found.size >= dreamLimits.statementsPerSource || SECRET.test(text)) reading.leftOut += 1;
  else found.set(text, { text, kind: open.kind, heading: reading.heading });
}
