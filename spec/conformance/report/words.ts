/** How verdicts are written and marked. */
import type { LevelVerdict, Verdict } from '../verdict.js';

export const marks: Readonly<Record<Verdict, string>> = {
  pass: '✓',
  fail: '✗',
  warn: '!',
  info: 'i',
  'n/a': '–',
  unsupported: '○',
  'not-tested': '·',
  error: '?',
};

/** In the order in which a reader wants them. */
export const byGravity: readonly Verdict[] = [
  'fail',
  'error',
  'warn',
  'info',
  'not-tested',
  'unsupported',
  'n/a',
  'pass',
];

export const meanings: Readonly<Record<LevelVerdict, string>> = {
  CONFORMANT: 'every MUST was tested and passed',
  INCOMPLETE: 'no MUST failed, and some were not tested',
  'NON-CONFORMANT': 'a MUST failed',
};

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
