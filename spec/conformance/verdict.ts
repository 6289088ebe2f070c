/** From findings to verdicts, from verdicts to levels, from levels to the exit code. Pure. */
import { type Level, levels, type Severity } from './catalogue.js';
import type { Finding } from './findings.js';

export const verdicts = ['pass', 'fail', 'warn', 'info', 'n/a', 'unsupported', 'not-tested', 'error'] as const;
export type Verdict = (typeof verdicts)[number];
export type LevelVerdict = 'CONFORMANT' | 'INCOMPLETE' | 'NON-CONFORMANT';

/** How the run of a check ended, findings aside. */
export type Outcome =
  | { readonly kind: 'ran' }
  | { readonly kind: 'not-tested' | 'n/a' | 'unsupported' | 'error'; readonly reason: string };

/** A part of a check never weighs more than the check. */
const weights: Readonly<Record<Severity, number>> = { MUST: 3, SHOULD: 2, MAY: 1 };
const byWeight: Readonly<Record<number, Verdict>> = { 3: 'fail', 2: 'warn', 1: 'info' };

export function weightOf(finding: Finding, severity: Severity): number {
  return Math.min(weights[finding.severity], weights[severity]);
}

export function verdictOf(severity: Severity, findings: readonly Finding[], outcome: Outcome): Verdict {
  if (outcome.kind === 'unsupported') return 'unsupported';
  const heaviest = Math.max(0, ...findings.map((finding) => weightOf(finding, severity)));
  // What was seen stands, even where the check could not run to its end; a graded part makes no verdict of the whole.
  if (heaviest === weights[severity]) return byWeight[heaviest] ?? 'pass';
  if (outcome.kind !== 'ran') return outcome.kind;
  return byWeight[heaviest] ?? 'pass';
}

export interface Judged {
  readonly level: Level;
  readonly severity: Severity;
  readonly verdict: Verdict;
}

/**
 * Only a pass counts as one: whatever else a MUST may be (not tested, declared as unsupported, not applicable, an error
 * of this program) leaves the level incomplete. A warning inside a MUST is about a graded part of it; the MUST passed.
 */
export function levelVerdict(checks: readonly Judged[], level: Level): LevelVerdict {
  const musts = checks.filter((check) => check.level === level && check.severity === 'MUST');
  if (musts.some(({ verdict }) => verdict === 'fail')) return 'NON-CONFORMANT';
  const passed = musts.every(({ verdict }) => verdict === 'pass' || verdict === 'warn' || verdict === 'info');
  return passed && musts.length > 0 ? 'CONFORMANT' : 'INCOMPLETE';
}

export const exitCodes = { conformant: 0, failed: 1, usage: 2, ownError: 3, incomplete: 4, interrupted: 130 } as const;

/** @param claimed the levels that count */
export function exitCodeOf(checks: readonly Judged[], claimed: readonly Level[]): number {
  const counted = checks.filter(({ level }) => claimed.includes(level));
  if (counted.some(({ severity, verdict }) => severity === 'MUST' && verdict === 'fail')) return exitCodes.failed;
  if (counted.some(({ verdict }) => verdict === 'error')) return exitCodes.ownError;
  const all = levels.filter((level) => claimed.includes(level));
  const whole = all.length > 0 && all.every((level) => levelVerdict(checks, level) === 'CONFORMANT');
  return whole ? exitCodes.conformant : exitCodes.incomplete;
}
