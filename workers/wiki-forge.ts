/**
 * `wiki.forge` without an agent: each source becomes one page, by its headings and key words alone. The same source at
 * the same path gives the same bytes, whatever else the job was given.
 *
 * Payload: `source_paths` (files and folders), `output_dir` (default `.agents/wiki`). Artifacts: `manifest.json` with
 * every page, its source's hash and what was left out and why; and each page by its name.
 */

import { join } from 'node:path';
import { counted } from '../lib/base/text.js';
import { createFileWriter, type OutputFolder, outputFolder } from './atomic-write.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { refuseForeignFile } from './own-files.js';
import { encodePage, escapeMarkdown, FORGED_BY, linkTarget, pageNameOf } from './pages.js';
import { textListMember, textMember } from './payload.js';
import { type Document, readDocument } from './read-document.js';
import { findSources, readSource, type Skipped, type SourcePath, type SourceText } from './sources.js';
import { wikiLimits } from './wiki-limits.js';

export const WIKI_FOLDER = '.agents/wiki';

interface ForgedPage {
  readonly page: string;
  readonly path: string;
  readonly title: string;
  readonly source: string;
  readonly source_sha256: string;
  readonly source_bytes: number;
}

export const wikiForge: BuiltinHandler = async (job, context) => {
  const output = await outputFolder(
    context.root,
    textMember(job.payload, 'output_dir') ?? WIKI_FOLDER,
    'payload.output_dir',
  );
  const paths = textListMember(job.payload, 'source_paths');
  const found = await findSources(context.root, paths, output.path, context.signal);
  await refuseForeignPages(found.sources, output, context);
  const { pages, skipped } = await forgeAll(found.sources, output, context);
  const manifest = {
    schema_version: 1,
    forged_by: FORGED_BY,
    output_dir: output.path,
    pages,
    skipped: [...found.skipped, ...skipped],
  };
  await context.artifact('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
  for (const { page } of pages.slice(0, wikiLimits.pageArtifacts))
    await context.recordArtifact(page, join(output.absolute, page));
  context.log(`${counted(pages.length, 'page')} in ${output.path}, ${manifest.skipped.length} left out`);
};

/** Before anything is written: a page must not take the place of a file that people wrote. */
async function refuseForeignPages(
  sources: readonly SourcePath[],
  output: OutputFolder,
  context: BuiltinContext,
): Promise<void> {
  for (const { path } of sources) {
    context.signal.throwIfAborted();
    await refuseForeignFile(context.root, join(output.absolute, pageNameOf(path)), 'forged_by', 'payload.output_dir');
  }
}

async function forgeAll(
  sources: readonly SourcePath[],
  output: OutputFolder,
  context: BuiltinContext,
): Promise<{ pages: ForgedPage[]; skipped: Skipped[] }> {
  const writer = createFileWriter(context.root, context.runDir);
  const pages: ForgedPage[] = [];
  const skipped: Skipped[] = [];
  for (const [at, source] of sources.entries()) {
    context.signal.throwIfAborted();
    context.progress({ done: at, total: sources.length, text: source.path });
    const forged = await forgeOne(source, context.root);
    if ('reason' in forged) {
      skipped.push({ source: source.path, reason: forged.reason });
      context.log(`left out ${source.path}: ${forged.reason}`);
      continue;
    }
    const { page, text, ...facts } = forged;
    await writer.write(join(output.absolute, page), text);
    pages.push({ page, path: output.path === '.' ? page : `${output.path}/${page}`, ...facts });
  }
  await writer.finish();
  context.progress({ done: sources.length, total: sources.length });
  return { pages, skipped };
}

async function forgeOne(
  source: SourcePath,
  root: string,
): Promise<({ text: string } & Omit<ForgedPage, 'path'>) | { reason: string }> {
  const read = await readSource(root, source);
  if ('reason' in read) return read;
  const document = readDocument(source.path, read.text);
  if (document.made) return { reason: 'a page of a wiki itself' };
  const facts = { page: pageNameOf(source.path), title: document.title, source: source.path };
  return {
    ...facts,
    source_sha256: read.sha256,
    source_bytes: read.sizeBytes,
    text: pageText(source.path, read, document),
  };
}

function pageText(path: string, { sha256, sizeBytes }: SourceText, document: Document): string {
  const { title, summary, sections, keywords, links, webLinks, cut } = document;
  const front = {
    title,
    source: path,
    source_sha256: sha256,
    source_bytes: sizeBytes,
    forged_by: FORGED_BY,
    summary,
    sections: sections.map(({ heading }) => heading),
    keywords,
    links,
  };
  const parts = [
    `# ${escapeMarkdown(title)}`,
    `Forged from \`${path.replaceAll('`', "'")}\` by its headings and key words, without an agent.${cut ? ' Parts were too long and are left out.' : ''}`,
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
