/** What a worker may write over or remove: nothing but what a worker made. A mark in each file says so. */
import { lstat } from 'node:fs/promises';
import { jsonObjectIn } from '../../lib/base/json.js';
import { failure } from '../failure.js';
import { frontMatterOf, readFrontMatter } from './pages.js';
import { told } from './payload.js';
import { insideRoot, readRegularFile } from './sources.js';

export type Mark = 'forged_by' | 'built_by';
/** Of an object, which is read whole: our own stay below; what is larger is somebody else's. */
const OWN_OBJECT_BYTES = 67_108_864;
/** Of a page or a list, however long: its first line, or its front matter, is far shorter. */
const OWN_HEAD_BYTES = 1_048_576;

/**
 * Fails the job when somebody else's file stands where it wants to write.
 * @param member names the folder in the failure, such as `payload.output_dir`
 */
export async function refuseForeignFile(root: string, absolute: string, mark: Mark, member: string): Promise<void> {
  if ((await markOf(root, absolute)) === undefined || (await isMarked(root, absolute, mark))) return;
  const path = told(insideRoot(root, absolute) ?? absolute);
  throw failure(
    'request_rejected',
    `${member}: ${path} is there and was not made by this worker; choose another folder, or move it away`,
  );
}

export async function isMarked(root: string, absolute: string, mark: Mark): Promise<boolean> {
  return (await markOf(root, absolute)) === mark;
}

/** `none` for what bears no mark of ours, undefined where nothing is. */
async function markOf(root: string, absolute: string): Promise<Mark | 'none' | undefined> {
  const facts = await lstat(absolute).catch(() => undefined);
  if (facts === undefined) return undefined;
  const read = absolute.endsWith('.json')
    ? await readRegularFile(root, absolute, OWN_OBJECT_BYTES)
    : await readRegularFile(root, absolute, OWN_HEAD_BYTES, 'head');
  if ('reason' in read) return 'none';
  const facet = facetOf(absolute, read.bytes.toString('utf8'));
  if (facet?.['forged_by'] !== undefined) return 'forged_by';
  return facet?.['built_by'] !== undefined ? 'built_by' : 'none';
}

/** What a file says of itself: as an object, in its first line, or in its front matter. */
function facetOf(absolute: string, text: string): Record<string, unknown> | undefined {
  if (absolute.endsWith('.json')) return jsonObjectIn(text);
  // A list without lines could be anybody's, and holds nothing to lose.
  if (absolute.endsWith('.jsonl')) return text === '' ? { built_by: '' } : jsonObjectIn(text.split('\n', 1)[0] ?? '');
  return readFrontMatter(frontMatterOf(text)?.front ?? '');
}
