/**
 * What dreaming reads: documents below `.agents`, and transcripts of agents below `.agents/runs` and in folders named
 * `transcripts` or `sessions`. No link is followed; what the daemon keeps, and what workers made, is no source.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { fileNameOf } from '../../lib/base/file-name.js';
import { byText, type Walked, walkFiles } from '../kit/folder-walk.js';
import { frontMatterOf, readFrontMatter } from '../kit/pages.js';
import { isDocument, readRegularFile, type Skipped, type SourcePath } from '../kit/sources.js';
import { dreamLimits } from './limits.js';

export const LEARNINGS_FOLDER = '.agents/learnings';
const AGENTS = '.agents';
const RUNS = '.agents/runs';
/** The daemon's own, what other walks find, and what dreaming keeps for itself. */
const PASSED = new Set(['.agents/daemon', '.agents/inbox', RUNS, '.agents/dream', '.agents/node_modules']);
const TRANSCRIPT_FOLDER = /\/(?:transcripts|sessions)\/.*\.jsonl$/;

export type SourceKind = 'knowledge' | 'learning' | 'transcript';

export interface DreamSource extends SourcePath {
  readonly kind: SourceKind;
}
export interface FoundDreamSources {
  /** Sorted by path. */
  readonly sources: readonly DreamSource[];
  readonly skipped: readonly Skipped[];
  /** Whether a limit ended the search: there is more. */
  readonly cut: boolean;
}
export interface DreamDocument {
  readonly bytes: Buffer;
  readonly sha256: string;
  /** `YYYY-MM-DD`, from the front matter or the file's name. */
  readonly date?: string;
}

/** @param jobId whose own run folder is none: what the job itself leaves is not what was there before it */
export async function findDreamSources(root: string, jobId: string, signal: AbortSignal): Promise<FoundDreamSources> {
  const { sourcesAtMost: files, folderEntries: entries, folderDepth: depth } = dreamLimits;
  const bounds = { files, entries, depth };
  const own = posix.join(RUNS, fileNameOf(jobId));
  const knowledge = await walkFiles({
    root,
    folder: AGENTS,
    bounds,
    takes: (path) => isDocument(path) || TRANSCRIPT_FOLDER.test(path),
    enters: (path) => !PASSED.has(path) && !posix.basename(path).startsWith('.'),
    signal,
  });
  const runs = await walkFiles({
    root,
    folder: RUNS,
    bounds,
    takes: (path) => /\/transcript[^/]*\.jsonl$/.test(path),
    enters: (path) => path !== own,
    signal,
  });
  return joined([knowledge, runs]);
}

function joined(walks: readonly Walked[]): FoundDreamSources {
  const files = walks.flatMap((walk) => walk.files);
  return {
    sources: files.map((file) => ({ ...file, kind: kindOf(file.path) })).sort(byText(({ path }) => path)),
    skipped: walks.flatMap(({ skipped }) => skipped).sort(byText(({ source }) => source)),
    cut: walks.some(({ cut }) => cut),
  };
}

function kindOf(path: string): SourceKind {
  if (path.endsWith('.jsonl')) return 'transcript';
  return path.startsWith(`${LEARNINGS_FOLDER}/`) ? 'learning' : 'knowledge';
}

/** Undefined for what a worker made of other sources. */
export async function readDreamSource(
  root: string,
  { absolute, kind, path }: DreamSource,
): Promise<DreamDocument | { readonly reason: string } | undefined> {
  const maxBytes = kind === 'transcript' ? dreamLimits.transcriptBytes : dreamLimits.documentBytes;
  const read = await readRegularFile(root, absolute, maxBytes);
  if ('reason' in read) return read;
  const { bytes } = read;
  if (bytes.includes(0)) return { reason: 'not a text' };
  const front = kind === 'transcript' ? undefined : frontOf(bytes);
  if (front?.['forged_by'] !== undefined || front?.['built_by'] !== undefined) return undefined;
  const date = dateOf(path, front);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, sha256, ...(date === undefined ? {} : { date }) };
}

function frontOf(bytes: Buffer): Record<string, unknown> | undefined {
  const matter = frontMatterOf(bytes.toString('utf8'));
  return matter === undefined ? undefined : readFrontMatter(matter.front);
}

const DATE = /(?<!\d)(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?!\d)/;

function dateOf(path: string, front: Record<string, unknown> | undefined): string | undefined {
  for (const member of ['updated', 'date', 'created'])
    if (typeof front?.[member] === 'string') {
      const date = DATE.exec(front[member].slice(0, 40))?.[1];
      if (date !== undefined) return date;
    }
  return DATE.exec(posix.basename(path))?.[1];
}
