/** Reads the folder of a wiki: its forged pages, and what else lies there. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import { documentLimits } from '../kit/document-limits.js';
import { decodePage, type PageFacts } from '../kit/pages.js';
import { readRegularFile, type Skipped, type SourcePath } from '../kit/sources.js';
import { wikiLimits } from './limits.js';

export interface WikiPage extends PageFacts {
  /** Its file name. */
  readonly name: string;
  /** Hex, of the page's own bytes. */
  readonly sha256: string;
}
export interface WikiFolder {
  /** Sorted by name. */
  readonly pages: readonly WikiPage[];
  /** Markdown files that are no forged pages, sorted: links to them lead somewhere. */
  readonly others: readonly Skipped[];
}

/** Made by `wiki.build` itself. */
const BUILT = new Set(['index.md', 'backlinks.md']);

/** @param folder undefined is an empty wiki */
export async function readWikiFolder(
  root: string,
  folder: SourcePath | undefined,
  context: BuiltinContext,
): Promise<WikiFolder> {
  const pages: WikiPage[] = [];
  const others: Skipped[] = [];
  const entries = folder === undefined ? [] : await readdir(folder.absolute, { withFileTypes: true });
  const names = entries.filter((entry) => entry.name.endsWith('.md') && !entry.isDirectory() && !BUILT.has(entry.name));
  for (const entry of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    context.signal.throwIfAborted();
    const page = entry.isFile()
      ? await readPage(root, join(folder?.absolute ?? '', entry.name))
      : { reason: 'not a regular file' };
    if ('reason' in page) others.push({ source: entry.name, reason: page.reason });
    else pages.push({ name: entry.name, ...page });
    if (pages.length > documentLimits.sourcesAtMost) {
      throw failure('request_rejected', `payload.source_dir: more than ${documentLimits.sourcesAtMost} pages`);
    }
  }
  return { pages, others };
}

async function readPage(root: string, absolute: string): Promise<Omit<WikiPage, 'name'> | { readonly reason: string }> {
  const read = await readRegularFile(root, absolute, wikiLimits.pageBytes);
  if ('reason' in read) return read;
  const page = decodePage(read.bytes.toString('utf8'));
  return 'reason' in page ? page : { ...page, sha256: createHash('sha256').update(read.bytes).digest('hex') };
}
