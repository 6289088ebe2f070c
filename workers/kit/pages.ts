/**
 * A page of the wiki as bytes: front matter between two lines `---`, then Markdown. `wiki.forge` writes pages,
 * `wiki.build` reads their front matter; this is the encoder beside the decoder.
 *
 * Each line of the front matter is `name: <JSON>`, which is YAML too; the reader takes any YAML, for pages that people
 * have touched. `forged_by` marks a page as ours: what lacks it is never written over.
 *
 * A page is named after the path of its source alone, so links can be made before their target is forged, and two jobs
 * never fight over a name. A plain path (`docs/first-steps.md`) keeps its letters, with `--` for `/`:
 * `docs--first-steps.md`. Anything else gets `---` and ten digits of the path's SHA-256 behind its letters; plain
 * paths can't make a `---`.
 */
import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { canonicalJson } from '../../lib/base/canonical.js';
import { isJsonObject } from '../../lib/base/json.js';
import { documentLimits } from './document-limits.js';

export const FORGED_BY = 'builtin (no agent)';

export interface PageFacts {
  readonly title: string;
  /** Relative to the root. */
  readonly source: string;
  /** Hex, of the source's bytes. */
  readonly source_sha256: string;
  readonly forged_by: string;
  readonly summary: string;
  readonly sections: readonly string[];
  readonly keywords: readonly string[];
  /** File names of pages. */
  readonly links: readonly string[];
}

const PLAIN_PATH = /^[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*)*\.md$/;
const NAME_CHARACTERS = 120;
/** Names that `wiki.build` gives to its own pages. */
const RESERVED = new Set(['index.md', 'backlinks.md']);

/** The file name of the page of a source. */
export function pageNameOf(sourcePath: string): string {
  const flat = sourcePath.replaceAll('/', '--');
  if (PLAIN_PATH.test(sourcePath) && flat.length <= NAME_CHARACTERS && !RESERVED.has(flat.toLowerCase())) return flat;
  const letters = flat.replace(/[^A-Za-z0-9_.]+/g, '-').replace(/^[-_.]+|[-_.]+$/g, '');
  return `${letters.slice(0, NAME_CHARACTERS - 20) || 'page'}---${digestOf(sourcePath)}.md`;
}

/** A file name for a word: itself where it is plain. */
export function entityNameOf(word: string): string {
  return /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/.test(word) && word.length <= NAME_CHARACTERS
    ? `${word}.md`
    : `word---${digestOf(word)}.md`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 10);
}

/** @param facts members in the order in which they are written */
export function encodePage(facts: Readonly<Record<string, unknown>>, body: string): string {
  const lines = Object.entries(facts).map(([name, value]) => `${name}: ${canonicalJson(value)}`);
  return `---\n${lines.join('\n')}\n---\n\n${body}`;
}

/** The front matter of a text, unread: between its first line `---` and the next one. */
export function frontMatterOf(text: string): { readonly front: string; readonly body: string } | undefined {
  const found = /^\uFEFF?---[ \t]*\r?\n(?:([\s\S]*?)\r?\n)??---[ \t]*(?:\r?\n|$)/.exec(text);
  return found === null ? undefined : { front: found[1] ?? '', body: text.slice(found[0].length) };
}

/** What a forged page says of itself, or why it is none. */
export function decodePage(text: string): PageFacts | { readonly reason: string } {
  const matter = frontMatterOf(text);
  if (matter === undefined) return { reason: 'no front matter' };
  const facts = readFrontMatter(matter.front);
  if (facts === undefined) return { reason: 'its front matter is no YAML' };
  const { title, source, source_sha256, forged_by } = facts;
  if (typeof forged_by !== 'string') return { reason: 'not forged' };
  if (typeof title !== 'string' || typeof source !== 'string' || typeof source_sha256 !== 'string') {
    return { reason: 'its front matter lacks title, source or source_sha256' };
  }
  const summary = typeof facts['summary'] === 'string' ? facts['summary'] : '';
  const lists = {
    sections: texts(facts['sections']),
    keywords: texts(facts['keywords']),
    links: texts(facts['links']),
  };
  return { title, source, source_sha256, forged_by, summary, ...lists };
}

/** Undefined when it is no object of YAML, or too long. Aliases are refused: a short text could mean a huge value. */
export function readFrontMatter(front: string): Record<string, unknown> | undefined {
  if (front.length > documentLimits.frontMatterCharacters) return undefined;
  try {
    const value: unknown = parse(front, { maxAliasCount: 0, logLevel: 'error' });
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The texts of a list; empty when there is no list. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

/** A caller's text inside a line of Markdown: what would be markup stands for itself. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>#|]/g, '\\$&');
}

/** The target of a link to a file beside the page. */
export function linkTarget(name: string): string {
  return encodeURI(name).replace(/[()#?]/g, (unit) => `%${unit.charCodeAt(0).toString(16)}`);
}
