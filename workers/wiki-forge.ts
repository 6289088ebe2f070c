/**
 * `wiki.forge`: each source becomes one page. Without an agent by its headings and key words alone: the same source at
 * the same path gives the same bytes, whatever else the job was given. With an agent by what it says of the source, as
 * one object that a schema checks; its page is labelled with the agent, and an answer that can't be used goes to
 * quarantine (`agent-pages.ts`).
 *
 * Payload: `source_paths` (files and folders), `output_dir` (default `.agents/wiki`), `worker_kind` (`builtin` asks no
 * agent). Artifacts: `manifest.json` with every page, its source's hash and what was left out and why; each page by its
 * name; `quarantine/<page>.json` for each answer there.
 */

import { join } from 'node:path';
import { escapeTerminalControls } from '../lib/base/canonical.js';
import { counted } from '../lib/base/text.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { createFileWriter, type OutputFolder, outputFolder } from './kit/atomic-write.js';
import { refuseForeignFile } from './kit/own-files.js';
import { pageNameOf } from './kit/pages.js';
import { textListMember, textMember } from './kit/payload.js';
import { readDocument } from './kit/read-document.js';
import { findSources, readSource, type Skipped, type SourcePath } from './kit/sources.js';
import { type AgentPages, agentFor, createAgentPages, type Quarantined } from './wiki/agent-pages.js';
import { builtinForger, pageText } from './wiki/forged-page.js';
import { wikiLimits } from './wiki/limits.js';

export const WIKI_FOLDER = '.agents/wiki';

interface ForgedPage {
  readonly page: string;
  readonly path: string;
  readonly title: string;
  readonly source: string;
  readonly source_sha256: string;
  readonly source_bytes: number;
}
interface Forged {
  readonly pages: ForgedPage[];
  readonly skipped: Skipped[];
  readonly quarantined: Quarantined[];
}

export const wikiForge: BuiltinHandler = async (job, context) => {
  const agent = agentFor(job.payload, context);
  const output = await outputFolder(
    context.root,
    textMember(job.payload, 'output_dir') ?? WIKI_FOLDER,
    'payload.output_dir',
  );
  const paths = textListMember(job.payload, 'source_paths');
  const found = await findSources(context.root, paths, output.path, context.signal);
  await refuseForeignPages(found.sources, output, context);
  const asking = agent === undefined ? undefined : createAgentPages(agent, job.job_id, output, context);
  const { pages, skipped, quarantined } = await forgeAll(found.sources, output, context, asking);
  const manifest = {
    schema_version: 1,
    forged_by: asking?.forgedBy ?? builtinForger.forgedBy,
    output_dir: output.path,
    pages,
    skipped: [...found.skipped, ...skipped],
    ...(asking === undefined ? {} : { quarantined: quarantined.map(({ answer: _, ...told }) => told) }),
  };
  await context.artifact('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
  for (const told of quarantined)
    await context.artifact(
      `quarantine/${told.page}.json`,
      `${escapeTerminalControls(JSON.stringify(told, null, 2))}\n`,
    );
  for (const { page } of pages.slice(0, wikiLimits.pageArtifacts))
    await context.recordArtifact(page, join(output.absolute, page));
  const inQuarantine = quarantined.length === 0 ? '' : `, ${quarantined.length} in quarantine`;
  context.log(`${counted(pages.length, 'page')} in ${output.path}, ${manifest.skipped.length} left out${inQuarantine}`);
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
  asking: AgentPages | undefined,
): Promise<Forged> {
  const writer = createFileWriter(context.root, context.runDir);
  const forged: Forged = { pages: [], skipped: [], quarantined: [] };
  for (const [at, source] of sources.entries()) {
    context.signal.throwIfAborted();
    context.progress({ done: at, total: sources.length, text: source.path });
    const made = await forgeOne(source, context.root, asking);
    if ('reason' in made) {
      forged.skipped.push({ source: source.path, reason: made.reason });
      context.log(`left out ${source.path}: ${made.reason}`);
    } else if ('problem' in made) {
      forged.quarantined.push(made);
      context.log(`in quarantine, ${source.path}: ${made.problem}`);
    } else {
      const { text, ...facts } = made;
      if (text !== undefined) await writer.write(join(output.absolute, facts.page), text);
      forged.pages.push({ path: output.path === '.' ? facts.page : `${output.path}/${facts.page}`, ...facts });
    }
  }
  await writer.finish();
  context.progress({ done: sources.length, total: sources.length });
  return forged;
}

/** @returns the page without a text where it stands already as it should be */
async function forgeOne(
  source: SourcePath,
  root: string,
  asking: AgentPages | undefined,
): Promise<({ text: string | undefined } & Omit<ForgedPage, 'path'>) | { reason: string } | Quarantined> {
  const read = await readSource(root, source);
  if ('reason' in read) return read;
  const document = readDocument(source.path, read.text);
  if (document.made) return { reason: 'a page of a wiki itself' };
  const page = pageNameOf(source.path);
  const facts = { page, source: source.path, source_sha256: read.sha256, source_bytes: read.sizeBytes };
  if (asking === undefined)
    return { ...facts, title: document.title, text: pageText(source.path, read, document, builtinForger) };
  const said = await asking.pageOf(page, source, read, document);
  return 'title' in said ? { ...facts, ...said } : said;
}
