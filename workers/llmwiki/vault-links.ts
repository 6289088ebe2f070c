/** The links of a document with their lines, what stands in code left aside. Pure, and bounded. */

import { documentLimits } from '../kit/document-limits.js';
import { FENCE, INLINE_LINK, LINK_DEFINITION, WIKI_LINK } from '../kit/read-document.js';
import { llmwikiLimits } from './limits.js';

export interface VaultLink {
  /** As it stands there; of a wiki link what is before `|` and `#`. */
  readonly target: string;
  /** `[[target]]`: by the name of a document, wherever it lies. */
  readonly isWikiLink: boolean;
  /** From 1, in the whole file. */
  readonly line: number;
}

export interface FoundLinks {
  readonly links: readonly VaultLink[];
  /** Whether there are more than the limit lets in. */
  readonly cut: boolean;
}

/** @param skippedLines of the front matter: they are counted, and hold no links */
export function linksIn(text: string, skippedLines: number): FoundLinks {
  const links: VaultLink[] = [];
  let fence: string | undefined;
  for (const [at, whole] of text.split('\n').entries()) {
    if (at < skippedLines) continue;
    const line = whole.slice(0, documentLimits.lineCharacters);
    const marks = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      if (marks?.startsWith(fence)) fence = undefined;
    } else if (marks !== undefined) fence = marks;
    else for (const link of linksOfLine(line.replace(/`[^`]{0,400}`/g, ''))) links.push({ ...link, line: at + 1 });
    if (links.length > llmwikiLimits.linksAtMost)
      return { links: links.slice(0, llmwikiLimits.linksAtMost), cut: true };
  }
  return { links, cut: false };
}

function linksOfLine(line: string): Omit<VaultLink, 'line'>[] {
  const inline = [...line.matchAll(INLINE_LINK)].map(([, , target]) => target ?? '');
  const defined = LINK_DEFINITION.exec(line)?.[1];
  const wiki = [...line.matchAll(WIKI_LINK)].map(([, target]) => (target ?? '').replace(/#.*$/, '').trim());
  return [
    ...[...inline, ...(defined === undefined ? [] : [defined])].map((target) => ({ target, isWikiLink: false })),
    ...wiki.filter((target) => target !== '').map((target) => ({ target, isWikiLink: true })),
  ];
}
