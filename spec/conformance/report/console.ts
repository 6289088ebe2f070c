/** What a run prints: each check as it ends, then the levels, the findings, and what was not tested. */
import colors from 'picocolors';
import { type Level, levels } from '../catalogue.js';
import type { Done } from '../run/run.js';
import type { LevelVerdict, Verdict } from '../verdict.js';
import type { Report, ReportedCheck } from './report.js';
import { byGravity, marks, seconds } from './words.js';

const FINDINGS_SHOWN = 3;
const WIDTH = 110;

type Paint = (text: string) => string;
const paints: Readonly<Record<Verdict, Paint>> = {
  pass: colors.green,
  fail: colors.red,
  warn: colors.yellow,
  info: colors.cyan,
  'n/a': colors.dim,
  unsupported: colors.dim,
  'not-tested': colors.dim,
  error: colors.magenta,
};
const levelPaints: Readonly<Record<LevelVerdict, Paint>> = {
  CONFORMANT: (text) => colors.bold(colors.green(text)),
  INCOMPLETE: (text) => colors.bold(colors.yellow(text)),
  'NON-CONFORMANT': (text) => colors.bold(colors.red(text)),
};

/** One line a check. */
export function progressLine({ selected, ms }: Done, verdict: Verdict, count: number, of: number): string {
  const place = colors.dim(`${String(count).padStart(String(of).length)}/${of}`);
  const time = ms >= 1000 ? colors.dim(`  ${seconds(ms)}`) : '';
  const word = verdict === 'pass' ? '' : `  ${paints[verdict](verdict)}`;
  return `${place} ${paints[verdict](marks[verdict])} ${selected.entry.id}${word}${time}`;
}

export function summary(report: Report): string {
  const lines = [
    '',
    ...report.checks.filter(isTold).flatMap(checkLines),
    ...untested(report),
    ...table(report),
    ...report.warnings.map((warning) => `${colors.yellow('!')} ${warning}`),
  ];
  return `${lines.join('\n')}\n`;
}

function isTold({ verdict }: ReportedCheck): boolean {
  return verdict === 'fail' || verdict === 'error' || verdict === 'warn' || verdict === 'info';
}

function checkLines(check: ReportedCheck): string[] {
  const { id, severity, verdict, findings, reason, known_failure } = check;
  const known = known_failure === undefined ? '' : colors.dim(`  known: ${known_failure.reason}`);
  const lines = [
    `${paints[verdict](`${marks[verdict]} ${verdict}`)}  ${colors.bold(id)}  ${colors.dim(severity)}${known}`,
  ];
  if (reason !== undefined) lines.push(`    ${reason}`);
  for (const { expected, observed, curl } of findings.slice(0, FINDINGS_SHOWN)) {
    lines.push(`    ${colors.dim('expected')}  ${expected}`, `    ${colors.dim('observed')}  ${clipped(observed)}`);
    if (curl !== undefined) lines.push(`    ${colors.dim(clipped(curl))}`);
  }
  const more = findings.length - FINDINGS_SHOWN;
  if (more > 0) lines.push(colors.dim(`    and ${more} more`));
  return [...lines, ''];
}

function clipped(text: string): string {
  return text.length > WIDTH * 4 ? `${text.slice(0, WIDTH * 4)}…` : text;
}

/** Not one line a check: one a reason. */
function untested({ checks }: Report): string[] {
  const byReason = new Map<string, string[]>();
  for (const { id, verdict, reason = '' } of checks) {
    if (verdict !== 'not-tested' && verdict !== 'unsupported' && verdict !== 'n/a') continue;
    const key = `${verdict}: ${reason}`;
    byReason.set(key, [...(byReason.get(key) ?? []), id]);
  }
  return [...byReason].flatMap(([reason, ids]) => [colors.dim(`${reason} (${ids.length})`), ...wrapped(ids), '']);
}

function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = '   ';
  for (const word of words) {
    if (line.length + word.length > WIDTH) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].map((each) => colors.dim(each));
}

function table(report: Report): string[] {
  const order: readonly Verdict[] = ['pass', ...byGravity.filter((verdict) => verdict !== 'pass')];
  const shownVerdicts = order.filter(
    (verdict) => verdict === 'pass' || verdict === 'fail' || report.totals[verdict] > 0,
  );
  const head = ['level', 'verdict', ...shownVerdicts];
  const rows = levels
    .filter((level) => report.levels[level] !== undefined)
    .map((level) => [
      level,
      report.levels[level] ?? '',
      ...shownVerdicts.map((verdict) => countOf(report, level, verdict)),
    ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], paint: (cell: string, column: number) => string): string =>
    row
      .map((cell, column) =>
        paint(column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0), column),
      )
      .join('  ');
  const verdictOf = (row: readonly string[]): LevelVerdict => row[1] as LevelVerdict;
  const { implementation, version, base_url } = report.target;
  return [
    line(head, colors.dim),
    ...rows.map((row) => line(row, (cell, column) => (column === 1 ? levelPaints[verdictOf(row)](cell) : cell))),
    '',
    `${implementation}${version === undefined ? '' : ` ${version}`}  ${base_url}  ${report.checks.length} checks in ${seconds(report.duration_ms)}, seed ${report.seed}`,
  ];
}

function countOf({ checks }: Report, level: Level, verdict: Verdict): string {
  return String(checks.filter((check) => check.level === level && check.verdict === verdict).length);
}
