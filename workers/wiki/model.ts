/** What follows from the pages of a wiki: who links to whom, what leads nowhere, which key words they share. Pure. */
import type { Skipped } from '../kit/sources.js';
import { wikiLimits } from './limits.js';
import type { WikiFolder, WikiPage } from './pages.js';

export interface Entity {
  readonly word: string;
  readonly pages: readonly WikiPage[];
}
export interface BrokenLink {
  /** Name of the page that has the link. */
  readonly page: string;
  readonly target: string;
}
export interface Wiki {
  readonly pages: readonly WikiPage[];
  /** Names of the pages that link to a page, by its name; every page has an entry. */
  readonly backLinks: ReadonlyMap<string, readonly string[]>;
  readonly brokenLinks: readonly BrokenLink[];
  /** Sorted by word. */
  readonly entities: readonly Entity[];
  readonly others: readonly Skipped[];
}

export function wikiOf({ pages, others }: WikiFolder): Wiki {
  const backLinks = new Map<string, string[]>(pages.map(({ name }) => [name, []]));
  const there = new Set([...backLinks.keys(), ...others.map(({ source }) => source)]);
  const brokenLinks: BrokenLink[] = [];
  for (const { name, links } of pages) {
    for (const target of new Set(links)) {
      if (!there.has(target)) brokenLinks.push({ page: name, target });
      else if (target !== name) backLinks.get(target)?.push(name);
    }
  }
  return { pages, backLinks, brokenLinks, entities: entitiesOf(pages), others };
}

/** The key words of several pages: of too many those that most pages have. */
function entitiesOf(pages: readonly WikiPage[]): Entity[] {
  const byWord = new Map<string, WikiPage[]>();
  for (const page of pages) {
    for (const word of new Set(page.keywords)) byWord.set(word, [...(byWord.get(word) ?? []), page]);
  }
  const shared = [...byWord].filter(([, having]) => having.length >= wikiLimits.entityPages);
  return shared
    .sort(([a, ofA], [b, ofB]) => ofB.length - ofA.length || (a < b ? -1 : 1))
    .slice(0, wikiLimits.entitiesAtMost)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, having]) => ({ word, pages: having }));
}
