/**
 * The stage commit: each learning as a file of its own, whole or not there, and after them the index that says which
 * sources were taken. Killed anywhere and run again it ends in the same files: names and bytes follow from what was found.
 */
import { dirname, join } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';
import { createFileWriter, type FileWriter, outputFolder } from '../kit/atomic-write.js';
import { refuseForeignFile } from '../kit/own-files.js';
import { readRegularFile } from '../kit/sources.js';
import type { Ingested } from './ingest.js';
import { decodeLearning, encodeLearning, mergePlaces } from './learning.js';
import { dreamLimits } from './limits.js';
import type { Group, Reduced } from './reduce.js';
import { LEARNINGS_FOLDER } from './sources.js';
import { encodeIndex, INDEX_FILE, readIndex } from './taken-sources.js';

export interface Committed {
  /** Files with what is new, and with what was found in further places. Sorted. */
  readonly learned: readonly string[];
  readonly extended: readonly string[];
  /** Files that stay as they are, and why. */
  readonly kept: readonly { readonly file: string; readonly reason: string }[];
  /** Sources that the index holds now. */
  readonly indexed: number;
}

export async function commit(context: BuiltinContext, ingested: Ingested, reduced: Reduced): Promise<Committed> {
  const { root } = context;
  await outputFolder(root, LEARNINGS_FOLDER, LEARNINGS_FOLDER);
  await outputFolder(root, dirname(INDEX_FILE), INDEX_FILE);
  await refuseForeignFile(root, join(root, INDEX_FILE), 'built_by', INDEX_FILE);
  const writer = createFileWriter(root, context.runDir);
  const committed = { learned: [] as string[], extended: [] as string[], kept: [] as Committed['kept'][number][] };
  const groups = reduced.groups.filter(({ status }) => status !== 'known');
  for (const [at, group] of groups.entries()) {
    context.signal.throwIfAborted();
    context.progress({ done: at, total: groups.length, text: group.file });
    const reason = await writeLearning(group, writer, context);
    if (reason !== undefined) committed.kept.push({ file: group.file, reason });
    else committed[group.status === 'new' ? 'learned' : 'extended'].push(group.file);
  }
  await writer.finish();
  const indexed = await writeIndex(context, ingested, reduced);
  return { ...committed, indexed };
}

/** @returns why the file stays as it is */
async function writeLearning(group: Group, writer: FileWriter, { root }: BuiltinContext): Promise<string | undefined> {
  const { statement, kind, file, places, status } = group;
  const absolute = join(root, file);
  const read = await readRegularFile(root, absolute, dreamLimits.documentBytes);
  if ('reason' in read) {
    if (status === 'more') return `it is not what it was: ${read.reason}`;
    await writer.write(absolute, encodeLearning({ statement, kind, sources: places }));
    return undefined;
  }
  const there = decodeLearning(read.bytes.toString('utf8'));
  if (there?.statement !== statement) return 'it was edited, or no run wrote it';
  await writer.write(absolute, encodeLearning({ ...there, sources: mergePlaces(there.sources, places) }));
  return undefined;
}

/** Over the index as it is now: another run may have taken others meanwhile. */
async function writeIndex(context: BuiltinContext, ingested: Ingested, { groups }: Reduced): Promise<number> {
  const index = new Map(await readIndex(context.root));
  const learned = new Map<string, string[]>();
  for (const { file, found } of groups)
    for (const path of found) learned.set(path, [...(learned.get(path) ?? []), file]);
  for (const path of ingested.gone) index.delete(path);
  for (const { path, sha256, status } of ingested.sources)
    if (status === 'new' || status === 'changed') index.set(path, { sha256, learned: learned.get(path) ?? [] });
  const writer = createFileWriter(context.root, context.runDir);
  await writer.write(join(context.root, INDEX_FILE), encodeIndex(index));
  await writer.finish();
  return index.size;
}
