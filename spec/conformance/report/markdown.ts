/** A summary for a pull request or a wiki. */
import { levels } from '../catalogue.js';
import type { Report, ReportedCheck } from './report.js';
import { marks, meanings, seconds } from './words.js';

export function markdownOf(report: Report): string {
  const { target, suite } = report;
  const title = `${target.implementation}${target.version === undefined ? '' : ` ${target.version}`}`;
  return [
    `# ${inline(title)}: ${suite.contract}`,
    '',
    `${report.checks.length} checks in ${seconds(report.duration_ms)}, ${report.started_at}, seed ${inline(report.seed)}, ${suite.name} ${suite.version}.`,
    '',
    '| level | verdict | pass | fail | warn | not tested |',
    '|---|---|---:|---:|---:|---:|',
    ...levels.filter((level) => report.levels[level] !== undefined).map((level) => row(report, level)),
    '',
    ...report.warnings.map((warning) => `> ${inline(warning)}\n`),
    ...section('Findings', report.checks.filter(({ findings }) => findings.length > 0).flatMap(found)),
    ...section('Not tested', untested(report)),
  ].join('\n');
}

function row(report: Report, level: (typeof levels)[number]): string {
  const verdict = report.levels[level];
  const checks = report.checks.filter((check) => check.level === level);
  const count = (...verdicts: string[]): number => checks.filter((check) => verdicts.includes(check.verdict)).length;
  const told = verdict === undefined ? '' : `**${verdict}**: ${meanings[verdict]}`;
  return `| ${level} | ${told} | ${count('pass')} | ${count('fail')} | ${count('warn', 'info')} | ${count('not-tested', 'unsupported', 'n/a', 'error')} |`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines];
}

function found({ id, severity, verdict, findings, known_failure }: ReportedCheck): string[] {
  const known = known_failure === undefined ? '' : ` (known: ${inline(known_failure.reason)})`;
  const [first, ...more] = findings;
  return [
    `### ${marks[verdict]} ${id}, ${severity}, ${verdict}${known}`,
    '',
    `- expected: ${inline(first?.expected ?? '')}`,
    `- observed: ${inline(first?.observed ?? '')}`,
    ...(more.length === 0 ? [] : [`- and ${more.length} more`]),
    ...(first?.curl === undefined ? [] : ['', ...fenced(first.curl)]),
    '',
  ];
}

function untested({ checks }: Report): string[] {
  return checks
    .filter(
      ({ verdict }) =>
        verdict === 'not-tested' || verdict === 'unsupported' || verdict === 'n/a' || verdict === 'error',
    )
    .map(({ id, verdict, reason = '' }) => `- ${id}, ${verdict}: ${inline(reason.split('\n')[0] ?? '')}`);
}

/** Text of a stranger on one line, with nothing in it that Markdown reads. */
function inline(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>|#~]/g, '\\$&');
}

function fenced(text: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}sh`, text, fence];
}
