/**
 * `wiki.build`: from the forged pages of a folder an index, a page for each entity, the back-links, and a manifest that
 * also names the links that lead nowhere. The same pages give the same bytes: no time and no chance is written.
 *
 * Payload: `source_dir` or `source` (default `.agents/wiki`), `output_dir` (default: the same folder). Artifacts:
 * `index.md`, `backlinks.md`, `manifest.json`, and each entity page by its name. Pages themselves are only read.
 */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { JsonObject } from '../lib/base/json.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { failure } from './failure.js';
import { createFileWriter, type OutputFolder, outputFolder } from './kit/atomic-write.js';
import { isMarked, refuseForeignFile } from './kit/own-files.js';
import { textMember, told } from './kit/payload.js';
import { resolveInside, type SourcePath } from './kit/sources.js';
import { wikiOf } from './wiki/model.js';
import { readWikiFolder } from './wiki/pages.js';
import { renderWiki } from './wiki/render.js';
import { WIKI_FOLDER } from './wiki-forge.js';

const ENTITY_FOLDER = 'entities';

export const wikiBuild: BuiltinHandler = async (job, context) => {
  const source = await sourceFolder(job.payload, context.root);
  const outputPath = textMember(job.payload, 'output_dir') ?? source?.path ?? WIKI_FOLDER;
  const output = await outputFolder(context.root, outputPath, 'payload.output_dir');
  const folder = await readWikiFolder(context.root, source, context);
  const wiki = wikiOf(folder);
  const files = renderWiki(wiki, posix.relative(output.path, source?.path ?? output.path) || '.');
  for (const name of files.keys()) {
    await refuseForeignFile(context.root, join(output.absolute, name), 'built_by', 'payload.output_dir');
  }
  await writeAll(files, output, context);
  await removeStaleEntities(files, output, context);
  for (const name of files.keys()) await context.recordArtifact(name, join(output.absolute, name));
  const { pages, entities, brokenLinks } = wiki;
  context.log(
    `${pages.length} pages, ${entities.length} entities, ${brokenLinks.length} broken links in ${output.path}`,
  );
};

/** Undefined when nothing was named and the default is not there: an empty wiki. */
async function sourceFolder(payload: JsonObject, root: string): Promise<SourcePath | undefined> {
  const member = textMember(payload, 'source_dir') === undefined ? 'source' : 'source_dir';
  const named = textMember(payload, member);
  if (named === undefined && (await lstat(join(root, WIKI_FOLDER)).catch(() => undefined)) === undefined)
    return undefined;
  const source = await resolveInside(root, named ?? WIKI_FOLDER, `payload.${member}`);
  if ((await lstat(source.absolute)).isDirectory()) return source;
  throw failure('request_rejected', `payload.${member}: ${told(source.path)} is not a folder`);
}

async function writeAll(
  files: ReadonlyMap<string, string>,
  output: OutputFolder,
  context: BuiltinContext,
): Promise<void> {
  const writer = createFileWriter(context.root, context.runDir);
  let done = 0;
  for (const [name, text] of files) {
    context.signal.throwIfAborted();
    context.progress({ done, total: files.size, text: name });
    await writer.write(join(output.absolute, name), text);
    done += 1;
  }
  await writer.finish();
  context.progress({ done, total: files.size });
}

/** Entity pages of an earlier build that this one does not have; nothing else goes. */
async function removeStaleEntities(
  files: ReadonlyMap<string, string>,
  output: OutputFolder,
  context: BuiltinContext,
): Promise<void> {
  const folder = join(output.absolute, ENTITY_FOLDER);
  const facts = await lstat(folder).catch(() => undefined);
  if (facts?.isDirectory() !== true) return;
  for (const name of await readdir(folder)) {
    context.signal.throwIfAborted();
    if (files.has(`${ENTITY_FOLDER}/${name}`) || !name.endsWith('.md')) continue;
    if (await isMarked(context.root, join(folder, name), 'built_by')) await rm(join(folder, name));
  }
}
