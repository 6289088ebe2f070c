/** JUnit XML, as build servers read it: a suite a level. */
import { levels } from '../catalogue.js';
import type { Report, ReportedCheck } from './report.js';

export function junitOf(report: Report): string {
  const suites = levels
    .map((level) => ({ level, checks: report.checks.filter((check) => check.level === level) }))
    .filter(({ checks }) => checks.length > 0);
  const all = numbers(report.checks);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(`${report.suite.name}: ${report.target.implementation}`)}" ${all}>`,
    ...suites.flatMap(({ level, checks }) => [
      `  <testsuite name="${level}" timestamp="${report.started_at.slice(0, 19)}" ${numbers(checks)}>`,
      ...checks.flatMap(caseOf),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function numbers(checks: readonly ReportedCheck[]): string {
  const count = (verdicts: readonly string[]): number =>
    checks.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const time = checks.reduce((sum, { duration_ms }) => sum + duration_ms, 0) / 1000;
  const skipped = count(['not-tested', 'n/a', 'unsupported']);
  return `tests="${checks.length}" failures="${count(['fail'])}" errors="${count(['error'])}" skipped="${skipped}" time="${time.toFixed(3)}"`;
}

function caseOf(check: ReportedCheck): string[] {
  const { id, level, duration_ms } = check;
  const head = `    <testcase classname="jobspec.${level}" name="${escaped(id)}" time="${(duration_ms / 1000).toFixed(3)}"`;
  const inner = inside(check);
  return inner === undefined ? [`${head}/>`] : [`${head}>`, inner, '    </testcase>'];
}

function inside(check: ReportedCheck): string | undefined {
  const { verdict, reason = '', expected = '' } = check;
  switch (verdict) {
    case 'pass':
      return undefined;
    case 'fail':
      return `      <failure type="${check.severity}" message="${escaped(expected)}">${escaped(details(check))}</failure>`;
    case 'error':
      return `      <error message="a fault of jobspec-conformance itself">${escaped(reason)}</error>`;
    case 'warn':
    case 'info':
      return `      <system-out>${escaped(`${verdict}\n${details(check)}`)}</system-out>`;
    default:
      return `      <skipped message="${escaped(`${verdict}: ${reason}`)}"/>`;
  }
}

function details({ findings, known_failure }: ReportedCheck): string {
  const known = known_failure === undefined ? '' : `known failure: ${known_failure.reason}\n\n`;
  const told = findings
    .map(({ expected, observed, curl }) =>
      [`expected: ${expected}`, `observed: ${observed}`, ...(curl === undefined ? [] : [curl])].join('\n'),
    )
    .join('\n\n');
  return known + told;
}

/** Characters that XML can't hold become what stands for any such. */
export function escaped(text: string): string {
  return text
    .replace(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '\ufffd',
    )
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
