/** One page that a person reads, with nothing outside of it: styles and script stand in the file. */
import { readFileSync } from 'node:fs';
import { type Level, levels } from '../catalogue.js';
import { suiteFile } from '../suite-files.js';
import { escaped } from './junit.js';
import type { Report, ReportedCheck, ReportedFinding } from './report.js';
import { byGravity, marks, meanings, seconds } from './words.js';

const modes: Readonly<Record<Report['target']['mode'], string>> = {
  url: 'an address alone',
  token: 'an address and a token',
  process: 'a process that was started, killed and started again',
};

export function htmlOf(report: Report): string {
  const { target, suite } = report;
  const name = `${target.implementation}${target.version === undefined ? '' : ` ${target.version}`}`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(name)}: ${suite.contract}</title>`,
    `<style>${readFileSync(suiteFile('report/page.css'), 'utf8')}</style>`,
    '</head>',
    '<body><main>',
    `<h1>${escaped(name)} and ${suite.contract}</h1>`,
    `<p class="about">${report.checks.length} checks in ${seconds(report.duration_ms)} against ${modes[target.mode]}, <code>${escaped(target.base_url)}</code>, ${escaped(report.started_at.replace('T', ' ').slice(0, 16))} UTC</p>`,
    `<div class="levels">${claimed(report)
      .map((level) => card(report, level))
      .join('')}</div>`,
    bar(report),
    filters(report),
    ...report.warnings.map((warning) => `<p class="warning">${escaped(warning)}</p>`),
    ...claimed(report).map((level) => section(report, level)),
    footer(report),
    `</main><script>${readFileSync(suiteFile('report/page.js'), 'utf8')}</script></body>`,
    '</html>',
    '',
  ].join('\n');
}

function claimed(report: Report): Level[] {
  return levels.filter((level) => report.levels[level] !== undefined);
}

function card(report: Report, level: Level): string {
  const verdict = report.levels[level] ?? 'INCOMPLETE';
  const checks = report.checks.filter((check) => check.level === level);
  const passed = checks.filter((check) => check.verdict === 'pass').length;
  return `<a class="level ${verdict}" href="#level-${level}"><span>${level}</span><b>${verdict}</b><small>${meanings[verdict]}; ${passed} of ${checks.length} passed</small></a>`;
}

function bar({ totals }: Report): string {
  const order = [...byGravity].reverse().filter((verdict) => totals[verdict] > 0);
  const parts = order.map((verdict) => {
    const label = `${totals[verdict]} ${verdict}`;
    return `<i class="${classOf(verdict)}" style="flex:${totals[verdict]}" title="${label}"></i>`;
  });
  return `<div class="bar" role="img" aria-label="${order.map((verdict) => `${totals[verdict]} ${verdict}`).join(', ')}">${parts.join('')}</div>`;
}

function filters({ totals }: Report): string {
  const buttons = byGravity
    .filter((verdict) => totals[verdict] > 0)
    .map(
      (verdict) =>
        `<button class="${classOf(verdict)}" type="button" data-verdict="${verdict}" aria-pressed="false">${marks[verdict]} ${totals[verdict]} ${verdict}</button>`,
    );
  return `<div class="filters" hidden>${buttons.join('')}<input type="search" placeholder="part of an id" aria-label="part of an id"></div>`;
}

/** What needs a reader comes first. */
function section(report: Report, level: Level): string {
  const checks = report.checks.filter((check) => check.level === level);
  const sorted = [...checks].sort((a, b) => byGravity.indexOf(a.verdict) - byGravity.indexOf(b.verdict));
  const small = `<small>${report.levels[level]}</small>`;
  return `<section id="level-${level}"><h2>${level} ${small}</h2>${sorted.map(checkOf).join('\n')}</section>`;
}

function checkOf(check: ReportedCheck): string {
  const { id, verdict, severity, duration_ms, reason, known_failure, findings } = check;
  const isOpen = verdict === 'fail' || verdict === 'error' ? ' open' : '';
  const time = duration_ms >= 1 ? seconds(duration_ms) : '';
  const known: [string, string][] =
    known_failure === undefined
      ? []
      : [['known', `${known_failure.reason}${known_failure.issue === undefined ? '' : `, ${known_failure.issue}`}`]];
  const rows: [string, string][] = [
    ...(reason === undefined ? [] : [[verdict, reason] as [string, string]]),
    ...known,
    ['steps', check.steps],
    ['asks for', check.asks],
    ['catches', check.catches],
    ['source', check.source],
    ['needs', check.needs],
  ];
  return [
    `<details class="${classOf(verdict)}" id="${escaped(id)}" data-verdict="${verdict}"${isOpen}>`,
    `<summary><span class="mark">${marks[verdict]}</span><code>${escaped(id)}</code><em>${verdict === 'pass' ? '' : verdict} ${severity}</em><time>${time}</time></summary>`,
    '<div class="inside">',
    ...findings.map(finding),
    `<dl>${rows.map(([name, text]) => `<dt>${name}</dt><dd>${withCode(text)}</dd>`).join('')}</dl>`,
    '</div></details>',
  ].join('');
}

function finding({ severity, expected, observed, curl }: ReportedFinding): string {
  const repeat = curl === undefined ? '' : `<dt>repeat</dt><dd><pre>${escaped(curl)}</pre></dd>`;
  return `<div class="finding"><dl><dt>expected</dt><dd>${withCode(expected)} <small>${severity}</small></dd><dt>observed</dt><dd>${escaped(observed)}</dd>${repeat}</dl></div>`;
}

/** What stands between back quotes is code. */
function withCode(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function classOf(verdict: string): string {
  return verdict.replace('/', '-');
}

function footer({ suite, seed, run_prefix, traffic }: Report): string {
  const { answers, accepted, forbidden, events } = traffic;
  return `<footer>${suite.name} ${escaped(suite.version)}, seed ${escaped(seed)}, ids begin with <code>${escaped(run_prefix)}</code>. ${answers} answers were judged, ${accepted} of them 202, ${forbidden} of them 403; the longest history had ${events} events.</footer>`;
}
