/** The report of a dream as files. Pure: the same report gives the same bytes. */
import { escapeTerminalControls } from '../../lib/base/canonical.js';
import { counted, safeLine } from '../../lib/base/text.js';
import { encodePage, escapeMarkdown } from '../kit/pages.js';
import { DREAMT_BY } from './learning.js';
import { type DreamReport, isWaiting } from './report.js';

/** Text by file name. */
export function renderReport(report: DreamReport): Map<string, string> {
  return new Map([
    ['summary.json', `${escapeTerminalControls(JSON.stringify(report, null, 2))}\n`],
    ['summary.md', summaryPage(report)],
  ]);
}

function summaryPage(report: DreamReport): string {
  const title = `Dream ${safeLine(report.dream_run_id)}`;
  const parts = [
    `# ${escapeMarkdown(title)}`,
    ...(report.goal === undefined ? [] : [`Looked for: ${escapeMarkdown(safeLine(report.goal))}`]),
    headline(report),
    ...listed('Learned', report.learnings.map(learningItem), report.learned_count + report.extended_count),
    ...listed('Left as they are', report.kept.map(reasonItem), report.kept_count),
    ...listed('Stale', report.stale.map(reasonItem), report.stale_count),
    ...listed(
      'Left out',
      report.skipped.map(({ source, reason }) => reasonItem({ file: source, reason })),
      report.skipped_count,
    ),
    ...(report.agent_problem === undefined
      ? []
      : [
          `What the agent said of statements that mean the same could not be used: ${escapeMarkdown(safeLine(report.agent_problem))}.`,
        ]),
    ...(isWaiting(report)
      ? ['Sources wait that were not looked at: run it again, or with a larger `max_iterations`.']
      : []),
    ...(report.search_cut ? ['There is more below `.agents` than is looked at.'] : []),
  ];
  return encodePage({ title, built_by: DREAMT_BY }, `${parts.join('\n\n')}\n`);
}

function headline({ sources, statements, groups, learned_count, extended_count, as_of }: DreamReport): string {
  const { knowledge, learning, transcript } = sources;
  const fresh = (counts: { new: number; changed: number }): number => counts.new + counts.changed;
  return [
    `${counted(knowledge.total, 'document')} (${fresh(knowledge)} new or changed),`,
    `${counted(learning.total, 'learning')} of people, ${counted(transcript.total, 'transcript')} (${fresh(transcript)} new or changed).`,
    `${counted(statements, 'statement')} in ${counted(groups.total, 'group')}:`,
    `${learned_count} learned, ${extended_count} found in further places, ${groups.known} known before.`,
    ...(as_of === undefined ? [] : [`The newest document is of ${as_of}.`]),
  ].join(' ');
}

function learningItem({ file, statement, status, said }: DreamReport['learnings'][number]): string {
  return `- ${escapeMarkdown(statement)} (${status}, said ${said === 1 ? 'once' : `${said} times`}; \`${file}\`)`;
}

function reasonItem({ file, reason }: { readonly file: string; readonly reason: string }): string {
  return `- \`${safeLine(file).replaceAll('`', "'")}\`: ${escapeMarkdown(safeLine(reason))}`;
}

function listed(heading: string, items: readonly string[], count: number): string[] {
  if (count === 0) return [];
  const more = count > items.length ? [`… and ${count - items.length} more.`] : [];
  return [`## ${heading}`, items.join('\n'), ...more];
}
