/** The files of a built wiki as texts. Pure: the same wiki gives the same bytes. */
import { posix } from 'node:path';
import { encodePage, entityNameOf, escapeMarkdown, linkTarget } from '../kit/pages.js';
import type { Entity, Wiki } from './model.js';
import type { WikiPage } from './pages.js';

const BUILT_BY = 'wiki.build';
/** Of a page's summary in a list of pages. */
const ITEM_CHARACTERS = 200;

/**
 * @param pagesAt where the pages are, seen from the folder that is written; `.` for the same folder
 * @returns text by name, relative to that folder; the manifest is the last
 */
export function renderWiki(wiki: Wiki, pagesAt: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entity of wiki.entities) files.set(entityPath(entity), entityPage(entity, posix.join('..', pagesAt)));
  files.set('backlinks.md', backLinksPage(wiki, pagesAt));
  files.set('index.md', indexPage(wiki, pagesAt));
  files.set('manifest.json', `${JSON.stringify(manifest(wiki), null, 2)}\n`);
  return files;
}

function entityPath({ word }: Entity): string {
  return `entities/${entityNameOf(word)}`;
}

function document(title: string, parts: readonly string[]): string {
  const body = [`# ${escapeMarkdown(title)}`, ...parts].filter((part) => part !== '').join('\n\n');
  return encodePage({ title, built_by: BUILT_BY }, `${body}\n`);
}

function pageLink(title: string, name: string, folder: string): string {
  return `[${escapeMarkdown(title)}](${linkTarget(posix.join(folder, name))})`;
}

function pageItem({ title, name, summary }: WikiPage, folder: string): string {
  return `- ${pageLink(title, name, folder)}${summary === '' ? '' : `: ${escapeMarkdown(short(summary))}`}`;
}

/** Cut between two words. */
function short(text: string): string {
  return text.length <= ITEM_CHARACTERS
    ? text
    : `${text
        .slice(0, ITEM_CHARACTERS)
        .replace(/\s+\S*$/, '')
        .toWellFormed()} …`;
}

function entityPage({ word, pages }: Entity, folder: string): string {
  return document(word, [
    `A key word of ${pages.length} pages.`,
    pages.map((page) => pageItem(page, folder)).join('\n'),
  ]);
}

function backLinksPage({ pages, backLinks }: Wiki, folder: string): string {
  const titles = new Map(pages.map(({ name, title }) => [name, title]));
  const linked = pages.filter(({ name }) => (backLinks.get(name)?.length ?? 0) > 0);
  const parts = linked.flatMap(({ title, name }) => [
    `## ${pageLink(title, name, folder)}`,
    (backLinks.get(name) ?? []).map((from) => `- ${pageLink(titles.get(from) ?? from, from, folder)}`).join('\n'),
  ]);
  return document('Back-links', linked.length === 0 ? ['No page is linked to by another.'] : parts);
}

function indexPage({ pages, entities, brokenLinks }: Wiki, folder: string): string {
  const counts = `${pages.length} pages, ${entities.length} entities, ${brokenLinks.length} broken links. [Back-links](backlinks.md)`;
  return document('Index', [
    counts,
    ...section(
      'Pages',
      pages.map((page) => pageItem(page, folder)),
    ),
    ...section(
      'Entities',
      entities.map((entity) => `- ${pageLink(entity.word, entityPath(entity), '.')} (${entity.pages.length})`),
    ),
    ...section(
      'Broken links',
      brokenLinks.map(({ page, target }) => `- ${pageLink(page, page, folder)} to ${escapeMarkdown(target)}`),
    ),
  ]);
}

function section(heading: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`## ${heading}`, items.join('\n')];
}

function manifest({ pages, backLinks, brokenLinks, entities, others }: Wiki): unknown {
  return {
    schema_version: 1,
    built_by: BUILT_BY,
    pages: pages.map(({ name, title, source, source_sha256, sha256, keywords, links }) => ({
      page: name,
      title,
      source,
      source_sha256,
      sha256,
      keywords,
      links,
      back_links: backLinks.get(name) ?? [],
    })),
    entities: entities.map((entity) => ({
      word: entity.word,
      page: entityPath(entity),
      pages: entity.pages.map(({ name }) => name),
    })),
    broken_links: brokenLinks,
    skipped: others,
  };
}
