/**
 * `.agents/dream/index.json`: which sources earlier runs have taken, by the hash of their bytes. It is written last, when
 * what was learned of them stands; lost or behind, it only makes the next run look at sources once more, and what it
 * learns has the same name and the same bytes.
 *
 * `{"built_by": "dream.run", "schema_version": 1, "sources": {PATH: {"learned": [FILE], "sha256": HEX}}}`,
 * canonical; FILE is where it is learned what the source says.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../lib/base/canonical.js';
import { isJsonObject, jsonObjectIn } from '../../lib/base/json.js';
import { byText } from '../kit/folder-walk.js';
import { texts } from '../kit/pages.js';
import { readRegularFile } from '../kit/sources.js';
import { DREAMT_BY } from './learning.js';
import { dreamLimits } from './limits.js';

export const INDEX_FILE = '.agents/dream/index.json';

export interface TakenSource {
  /** Hex, of the bytes that were taken. */
  readonly sha256: string;
  /** Files below the root that hold what it says. Sorted. */
  readonly learned: readonly string[];
}
/** By path. */
export type DreamIndex = ReadonlyMap<string, TakenSource>;

export function encodeIndex(index: DreamIndex): string {
  const sources = Object.fromEntries([...index].sort(byText(([path]) => path)));
  return `${canonicalJson({ schema_version: 1, built_by: DREAMT_BY, sources })}\n`;
}

/** Undefined for what is none of ours. */
export function decodeIndex(text: string): DreamIndex | undefined {
  const value = jsonObjectIn(text);
  if (value?.['built_by'] !== DREAMT_BY || !isJsonObject(value['sources'])) return undefined;
  const index = new Map<string, TakenSource>();
  for (const [path, taken] of Object.entries(value['sources'])) {
    if (!isJsonObject(taken) || typeof taken['sha256'] !== 'string') continue;
    index.set(path, { sha256: taken['sha256'], learned: texts(taken['learned']) });
  }
  return index;
}

/**
 * Empty where there is none, or none that is ours.
 * @param tell why there is none, where something stands in its place
 */
export async function readIndex(root: string, tell?: (trouble: string) => void): Promise<DreamIndex> {
  const path = join(root, INDEX_FILE);
  const read = await readRegularFile(root, path, dreamLimits.indexBytes);
  if ('reason' in read && tell !== undefined && (await lstat(path).catch(() => undefined)) !== undefined)
    tell(`${INDEX_FILE} is ${read.reason}: every source is looked at once more`);
  return 'reason' in read ? new Map() : (decodeIndex(read.bytes.toString('utf8')) ?? new Map());
}
