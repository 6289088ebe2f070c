/** The text of a forged page: what is told of its source, and who says so. Pure. */
import { encodePage, escapeMarkdown, FORGED_BY, linkTarget } from '../kit/pages.js';
import type { Document } from '../kit/read-document.js';
import type { SourceText } from '../kit/sources.js';

export interface Forger {
  /** Stands as `forged_by` in the page. */
  readonly forgedBy: string;
  /** How it was made, as the end of a sentence. */
  readonly how: string;
}

export const builtinForger: Forger = { forgedBy: FORGED_BY, how: 'by its headings and key words, without an agent' };

/** @param path of the source, relative to the root */
export function pageText(
  path: string,
  { sha256, sizeBytes }: Pick<SourceText, 'sha256' | 'sizeBytes'>,
  document: Omit<Document, 'made'>,
  { forgedBy, how }: Forger,
): string {
  const { title, summary, sections, keywords, links, webLinks, cut } = document;
  const front = {
    title,
    source: path,
    source_sha256: sha256,
    source_bytes: sizeBytes,
    forged_by: forgedBy,
    summary,
    sections: sections.map(({ heading }) => heading),
    keywords,
    links,
  };
  const parts = [
    `# ${escapeMarkdown(title)}`,
    `Forged from \`${path.replaceAll('`', "'")}\` ${how}.${cut ? ' Parts were too long and are left out.' : ''}`,
    escapeMarkdown(summary),
    ...sections.flatMap(({ heading, excerpt }) => [`## ${escapeMarkdown(heading)}`, escapeMarkdown(excerpt)]),
    ...listed('Key words', keywords.map(escapeMarkdown)),
    ...listed('Links', [
      ...links.map((page) => `[${escapeMarkdown(page)}](${linkTarget(page)})`),
      ...webLinks.map(webLink),
    ]),
  ];
  return encodePage(front, `${parts.filter((part) => part !== '').join('\n\n')}\n`);
}

function listed(heading: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`## ${heading}`, items.map((item) => `- ${item}`).join('\n')];
}

function webLink(target: string): string {
  return `<${target.replace(/[<>\\]/g, (unit) => `%${unit.charCodeAt(0).toString(16)}`)}>`;
}
