/**
 * The sentinel of a vault, `.llmwiki.json` in it: how far its upkeep has come. Whatever differs from it is newer. It is
 * written last, so one that is lost or behind only has the work done once more.
 *
 * `{"built_by": "llmwiki.loop", "documents": {NAME: HEX}, "linted_at"?: TIME, "schema_version": 1}`, canonical; NAME is
 * relative to the vault, HEX the SHA-256 of the bytes that were taken in, TIME is RFC 3339 in UTC.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../lib/base/canonical.js';
import { isJsonObject, jsonObjectIn } from '../../lib/base/json.js';
import { readRegularFile, type SourcePath } from '../kit/sources.js';
import { llmwikiLimits } from './limits.js';

export const KEPT_BY = 'llmwiki.loop';
const SENTINEL = '.llmwiki.json';

export interface Sentinel {
  readonly documents: ReadonlyMap<string, string>;
  readonly lintedAt: string | undefined;
}

/** Absolute. */
export function sentinelPath({ absolute }: SourcePath): string {
  return join(absolute, SENTINEL);
}

export function encodeSentinel({ documents, lintedAt }: Sentinel): string {
  const facts = { schema_version: 1, built_by: KEPT_BY, documents: Object.fromEntries(documents) };
  return `${canonicalJson({ ...facts, ...(lintedAt === undefined ? {} : { linted_at: lintedAt }) })}\n`;
}

/** Undefined for what is none of ours. */
export function decodeSentinel(text: string): Sentinel | undefined {
  const value = jsonObjectIn(text);
  if (value?.['built_by'] !== KEPT_BY || !isJsonObject(value['documents'])) return undefined;
  const hashes = Object.entries(value['documents']).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const at = value['linted_at'];
  return {
    documents: new Map(hashes),
    lintedAt: typeof at === 'string' && Number.isFinite(Date.parse(at)) ? at : undefined,
  };
}

/**
 * Empty where there is none, or none that is ours.
 * @param tell why there is none, where something stands in its place
 */
export async function readSentinel(
  root: string,
  vault: SourcePath,
  tell?: (trouble: string) => void,
): Promise<Sentinel> {
  const path = sentinelPath(vault);
  const read = await readRegularFile(root, path, llmwikiLimits.sentinelBytes);
  if ('reason' in read && tell !== undefined && (await lstat(path).catch(() => undefined)) !== undefined)
    tell(`${SENTINEL} is ${read.reason}: the whole vault is taken in once more`);
  const sentinel = 'reason' in read ? undefined : decodeSentinel(read.bytes.toString('utf8'));
  return sentinel ?? { documents: new Map(), lintedAt: undefined };
}
