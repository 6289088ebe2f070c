/**
 * Reads a text document by its form alone: title, sections with the first words under each heading, key words, links.
 * Made for Markdown; plain text and its relatives give what they have. Every step is bounded, whatever the text is.
 */
import { posix } from 'node:path';
import { safeLine } from '../../lib/base/text.js';
import { documentLimits } from './document-limits.js';
import { frontMatterOf, pageNameOf, readFrontMatter } from './pages.js';
import { isDocument } from './sources.js';
import { countWords, keywordsOf, type WordCounts } from './words.js';

export interface Section {
  readonly heading: string;
  /** The first paragraph below it, on one line; empty where there is none. */
  readonly excerpt: string;
}
export interface Document {
  readonly title: string;
  readonly summary: string;
  readonly sections: readonly Section[];
  readonly keywords: readonly string[];
  /** Names of the pages of other documents in the repository. */
  readonly links: readonly string[];
  readonly webLinks: readonly string[];
  /** Whether the front matter says that it was made from other documents here. */
  readonly made: boolean;
  /** Whether anything was left out because of a limit. */
  readonly cut: boolean;
}

export const FENCE = /^ {0,3}(`{3,}|~{3,})/;
export const ATX_HEADING = /^ {0,3}(#{1,6})[ \t]+(.*)$/;
const UNDERLINE = /^ {0,3}(=|-|~)\1{2,}[ \t]*$/;
const NO_PROSE = /^(?: {0,3}(?:[-*+>|<!]|\d{1,9}[.)])|\t| {4}|\s*$)/;
export const INLINE_LINK = /!?\[([^\][]{0,200})\]\(([^()\s<>]{1,500})(?: "[^"]{0,200}")?\)/g;
export const WIKI_LINK = /\[\[([^\][|]{1,200})(?:\|([^\][]{0,200}))?\]\]/g;
const WEB_LINK = /https?:\/\/[^\s<>()[\]"'`]{1,500}/gi;
export const LINK_DEFINITION = /^ {0,3}\[[^\][]{1,200}\]:[ \t]+(\S{1,500})/;
const HEADING_WEIGHT = 3;

interface ReadSection {
  readonly heading: string;
  readonly level: number;
  excerpt: string;
}
interface Reading {
  readonly path: string;
  readonly sections: ReadSection[];
  readonly links: Set<string>;
  readonly webLinks: Set<string>;
  readonly words: WordCounts;
  paragraph: string;
  /** Inside a list, a quotation, a table: until the next empty line no prose begins. */
  aside: boolean;
  fence: string | undefined;
  intro: string;
  /** Headings met, also those beyond the limit. */
  headings: number;
  cut: boolean;
}

/** @param path of the document, relative to the root: its links are relative to that */
export function readDocument(path: string, text: string): Document {
  const matter = frontMatterOf(text);
  const front = matter === undefined ? undefined : readFrontMatter(matter.front);
  const reading = readBody(path, matter === undefined || front === undefined ? text : matter.body);
  const given = typeof front?.['title'] === 'string' ? cleanLine(front['title'], documentLimits.titleCharacters) : '';
  const naming = namingSection(reading, given);
  const all = reading.sections.filter((section) => section !== naming);
  const sections = all.slice(0, documentLimits.sectionsAtMost);
  return {
    title: given || naming?.heading || posix.basename(path).replace(/\.[^.]+$/, ''),
    summary: naming?.excerpt || reading.intro || sections[0]?.excerpt || '',
    sections: sections.map(({ heading, excerpt }) => ({ heading, excerpt })),
    keywords: keywordsOf(reading.words, documentLimits.keywordsAtMost),
    links: [...reading.links].sort(),
    webLinks: [...reading.webLinks].sort(),
    made: front?.['forged_by'] !== undefined || front?.['built_by'] !== undefined,
    cut: reading.cut || all.length > sections.length,
  };
}

/** The heading that names the document, and so is no section of its own: it comes first, or is the only great one. */
function namingSection({ sections, intro }: Reading, given: string): ReadSection | undefined {
  const [first] = sections;
  if (given !== '') return first?.heading === given ? first : undefined;
  return intro === '' ? first : sections.find(({ level }) => level === 1);
}

function readBody(path: string, body: string): Reading {
  const collected = {
    sections: [],
    links: new Set<string>(),
    webLinks: new Set<string>(),
    words: new Map<string, number>(),
  };
  const reading: Reading = {
    path,
    ...collected,
    paragraph: '',
    aside: false,
    fence: undefined,
    intro: '',
    headings: 0,
    cut: false,
  };
  let before = '';
  for (const whole of body.split('\n')) {
    const line = whole.slice(0, documentLimits.lineCharacters).trimEnd();
    if (whole.length > documentLimits.lineCharacters) reading.cut = true;
    readLine(reading, line, before);
    before = line;
  }
  endParagraph(reading);
  return reading;
}

function readLine(reading: Reading, line: string, before: string): void {
  const fence = FENCE.exec(line)?.[1];
  if (reading.fence !== undefined) {
    if (fence?.startsWith(reading.fence)) reading.fence = undefined;
    return;
  }
  if (fence !== undefined) {
    endParagraph(reading);
    reading.fence = fence;
    reading.aside = false;
    return;
  }
  const heading = headingOf(reading, line, before);
  if (heading !== undefined) {
    startSection(reading, heading);
    return;
  }
  collectLinks(reading, line);
  countWords(reading.words, withoutMarkup(line).replace(WEB_LINK, ' '), 1);
  if (NO_PROSE.test(line)) {
    endParagraph(reading);
    reading.aside = line !== '';
  } else if (!reading.aside && reading.paragraph.length <= documentLimits.excerptCharacters) {
    reading.paragraph += ` ${line}`;
  }
}

/** A line after its `#`, or the line that this one underlines: that is then no paragraph any more. */
function headingOf(reading: Reading, line: string, before: string): { text: string; level: number } | undefined {
  const [, marks, text] = ATX_HEADING.exec(line) ?? [];
  if (marks !== undefined && text !== undefined) return { text: text.replace(/[ \t]#+$/, ''), level: marks.length };
  const underline = UNDERLINE.exec(line)?.[1];
  if (underline === undefined || reading.paragraph === '' || NO_PROSE.test(before)) return undefined;
  reading.paragraph = '';
  return { text: before, level: underline === '=' ? 1 : 2 };
}

function startSection(reading: Reading, heading: { text: string; level: number }): void {
  endParagraph(reading);
  reading.aside = false;
  collectLinks(reading, heading.text);
  const text = cleanLine(heading.text, documentLimits.titleCharacters);
  if (text === '') return;
  reading.headings += 1;
  countWords(reading.words, text, HEADING_WEIGHT);
  if (reading.sections.length <= documentLimits.sectionsAtMost)
    reading.sections.push({ heading: text, level: heading.level, excerpt: '' });
  else reading.cut = true;
}

/** The first paragraph below a heading is its excerpt; the first before any heading is the introduction. */
function endParagraph(reading: Reading): void {
  const text = cleanLine(reading.paragraph, documentLimits.excerptCharacters);
  reading.paragraph = '';
  if (text === '') return;
  const section = reading.sections.at(-1);
  if (section === undefined) reading.intro ||= text;
  else if (reading.headings === reading.sections.length) section.excerpt ||= text;
}

function collectLinks(reading: Reading, line: string): void {
  for (const [whole, , target] of line.matchAll(INLINE_LINK))
    if (!whole.startsWith('!')) addLink(reading, target ?? '');
  for (const [, target] of line.matchAll(WIKI_LINK)) {
    const path = target?.trim() ?? '';
    addLink(reading, isDocument(path) ? path : `${path}.md`);
  }
  for (const [target] of line.matchAll(WEB_LINK)) addLink(reading, target.replace(/[.,;:!?*_]+$/, ''));
  const defined = LINK_DEFINITION.exec(line)?.[1];
  if (defined !== undefined) addLink(reading, defined);
}

function addLink(reading: Reading, target: string): void {
  const isOfWeb = /^https?:\/\/\S/i.test(target);
  const path = isOfWeb ? undefined : documentLinked(reading.path, target);
  if (!isOfWeb && (path === undefined || path === reading.path)) return;
  const links = isOfWeb ? reading.webLinks : reading.links;
  const link = path === undefined ? safeLine(target) : pageNameOf(path);
  if (links.has(link)) return;
  if (reading.links.size + reading.webLinks.size < documentLimits.linksAtMost) links.add(link);
  else reading.cut = true;
}

/** The document in the repository that a relative target means. */
function documentLinked(from: string, target: string): string | undefined {
  if (/^(?:[a-z][a-z0-9+.-]*:|#|\/\/)/i.test(target)) return undefined;
  const plain = decoded(target.replace(/[?#].*$/, ''));
  const path = posix.normalize(plain.startsWith('/') ? plain.slice(1) : posix.join(posix.dirname(from), plain));
  return path.startsWith('../') || !isDocument(path) ? undefined : path;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withoutMarkup(line: string): string {
  return line
    .replace(INLINE_LINK, '$1')
    .replace(WIKI_LINK, (_, target: string, shown: string | undefined) => shown ?? target)
    .replace(/`([^`]{0,200})`|<[^<>]{0,200}>/g, '$1');
}

/** One line of text, without markup and controls, bounded. */
export function cleanLine(text: string, characters: number): string {
  const line = safeLine(
    withoutMarkup(text)
      .replace(/\*\*|__/g, '')
      .replace(/\*([^*\s][^*]{0,200})\*/g, '$1')
      .replace(/\s+/g, ' ')
      .trim(),
  );
  return line.length <= characters
    ? line
    : `${line
        .slice(0, characters - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, '')}…`;
}
