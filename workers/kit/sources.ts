/**
 * Finds and reads the files that a job works on. Nothing outside the repository is read: a path has to lie inside when
 * its symbolic links are resolved, links met while walking a folder are not followed, and a file is opened without
 * following a link or blocking, then looked at once more.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, realpath } from 'node:fs/promises';
import { extname, join, relative, resolve, sep } from 'node:path';
import { failure } from '../failure.js';
import { documentLimits } from './document-limits.js';
import { told } from './payload.js';

/** A file inside the repository, by its real path relative to the root, with `/`. */
export interface SourcePath {
  readonly path: string;
  readonly absolute: string;
}
export interface Skipped {
  readonly source: string;
  readonly reason: string;
}
export interface FoundSources {
  /** Sorted by path; each file once. */
  readonly sources: SourcePath[];
  readonly skipped: Skipped[];
}
export interface SourceText {
  readonly text: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Of a folder only these are taken; a file named by itself may have any ending. */
const DOCUMENT_ENDINGS = new Set(['.md', '.markdown', '.mdx', '.txt', '.text', '.rst', '.adoc', '.org']);
const SMALL_BLOCK_BYTES = 4_096;
const BLOCK_BYTES = 262_144;
/** Never read, neither walked into nor named: git's own files, and what the daemon keeps for itself. */
const CLOSED_FOLDERS = ['.git', '.agents/daemon', '.agents/inbox', '.agents/runs'];
const PASSED_FOLDERS = new Set(['node_modules', ...CLOSED_FOLDERS]);

export function isDocument(path: string): boolean {
  return DOCUMENT_ENDINGS.has(extname(path).toLowerCase());
}

/**
 * The real path of something that has to be there, inside the root.
 * @param member names it in the failure, such as `payload.source_paths[0]`
 * @throws a failure `request_rejected` when it is missing, outside, or the daemon's own
 */
export async function resolveInside(root: string, path: string, member: string): Promise<SourcePath> {
  if (path.includes('\0')) throw failure('request_rejected', `${member}: a path can't hold a NUL`);
  const absolute = await realpath(resolve(root, path)).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 'is not there' : `can't be read (${error.code})`;
    throw failure('request_rejected', `${member}: ${told(path)} ${why}`);
  });
  const inside = insideRoot(root, absolute);
  if (inside === undefined) throw failure('request_rejected', `${member}: ${told(path)} leads out of the repository`);
  if (isClosed(inside)) throw failure('request_rejected', `${member}: ${told(path)} is not open to jobs`);
  return { path: inside, absolute };
}

/** Relative to the root with `/`, `.` for the root itself; undefined for what is outside. */
export function insideRoot(root: string, absolute: string): string | undefined {
  const inside = relative(root, absolute);
  if (inside === '') return '.';
  if (inside === '..' || inside.startsWith(`..${sep}`) || resolve(root, inside) !== absolute) return undefined;
  return inside.split(sep).join('/');
}

export function isClosed(path: string): boolean {
  const lower = path.toLowerCase();
  return CLOSED_FOLDERS.some((closed) => lower === closed || lower.startsWith(`${closed}/`));
}

/**
 * Every file that `paths` name, themselves or by a folder.
 * @param leaveOut a folder that is not walked into, relative to the root: where the job writes to
 * @throws a failure `request_rejected` naming the member, also when there are more than `documentLimits.sourcesAtMost`
 */
export async function findSources(
  root: string,
  paths: readonly string[],
  leaveOut: string,
  signal: AbortSignal,
): Promise<FoundSources> {
  const found = new Map<string, SourcePath>();
  const skipped = new Map<string, Skipped>();
  const walk: Walk = { root, leaveOut, signal, found, skipped, entries: 0 };
  for (const [at, path] of paths.entries()) {
    signal.throwIfAborted();
    const source = await resolveInside(root, path, `payload.source_paths[${at}]`);
    const facts = await lstat(source.absolute);
    if (facts.isDirectory()) await walkFolder(walk, source, 0);
    else if (facts.isFile()) found.set(source.path, source);
    else throw failure('request_rejected', `payload.source_paths[${at}]: ${told(path)} is neither a file nor a folder`);
    refuseTooMany(walk);
  }
  for (const path of found.keys()) skipped.delete(path);
  return { sources: sorted(found), skipped: sorted(skipped) };
}

interface Walk {
  readonly root: string;
  readonly leaveOut: string;
  readonly signal: AbortSignal;
  readonly found: Map<string, SourcePath>;
  readonly skipped: Map<string, Skipped>;
  entries: number;
}

async function walkFolder(walk: Walk, folder: SourcePath, depth: number): Promise<void> {
  walk.signal.throwIfAborted();
  for (const entry of await readdir(folder.absolute, { withFileTypes: true })) {
    walk.entries += 1;
    refuseTooMany(walk);
    const absolute = join(folder.absolute, entry.name);
    const path = folder.path === '.' ? entry.name : `${folder.path}/${entry.name}`;
    if (PASSED_FOLDERS.has(entry.name) || PASSED_FOLDERS.has(path) || path === walk.leaveOut) continue;
    if (entry.isSymbolicLink())
      walk.skipped.set(path, { source: path, reason: 'a symbolic link in a folder is not followed' });
    else if (entry.isDirectory()) await walkDeeper(walk, { path, absolute }, depth);
    else if (entry.isFile() && isDocument(path)) walk.found.set(path, { path, absolute });
  }
}

async function walkDeeper(walk: Walk, folder: SourcePath, depth: number): Promise<void> {
  if (depth + 1 < documentLimits.folderDepth) return walkFolder(walk, folder, depth + 1);
  walk.skipped.set(folder.path, { source: folder.path, reason: `deeper than ${documentLimits.folderDepth} folders` });
}

function refuseTooMany({ found, entries }: Walk): void {
  const { sourcesAtMost, folderEntries } = documentLimits;
  if (found.size > sourcesAtMost) {
    throw failure(
      'request_rejected',
      `payload.source_paths: more than ${sourcesAtMost} files; name fewer, in several jobs`,
    );
  }
  if (entries > folderEntries) {
    throw failure(
      'request_rejected',
      `payload.source_paths: the folders hold more than ${folderEntries} entries; name smaller ones`,
    );
  }
}

function sorted<T>(byPath: ReadonlyMap<string, T>): T[] {
  return [...byPath.keys()].sort().map((path) => byPath.get(path) as T);
}

/**
 * The text of a source with the hash of its bytes, or why it is left out: not a regular file, too large, binary.
 * @throws a failure `request_rejected` when it was exchanged meanwhile
 */
export async function readSource(root: string, source: SourcePath): Promise<SourceText | { readonly reason: string }> {
  const bytes = await readRegularFile(root, source.absolute, documentLimits.sourceBytes);
  if ('reason' in bytes) return bytes;
  const text = textOf(bytes.bytes);
  if (text === undefined) return { reason: 'not a text in UTF-8' };
  return { text, sha256: createHash('sha256').update(bytes.bytes).digest('hex'), sizeBytes: bytes.bytes.length };
}

/** The bytes of a file whose real path is `absolute`: of a longer one the first `maxBytes` of its `head`, or of the `whole` none. */
export async function readRegularFile(
  root: string,
  absolute: string,
  maxBytes: number,
  of: 'whole' | 'head' = 'whole',
): Promise<{ readonly bytes: Buffer } | { readonly reason: string }> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const opened = await open(absolute, flags).catch((error: NodeJS.ErrnoException) => ({
    reason: `can't be opened (${error.code})`,
  }));
  if ('reason' in opened) return opened;
  try {
    const facts = await opened.stat();
    if (!facts.isFile()) return { reason: 'not a regular file' };
    if ((await realpath(absolute).catch(() => undefined)) !== absolute || insideRoot(root, absolute) === undefined) {
      throw failure(
        'request_rejected',
        `${told(insideRoot(root, absolute) ?? absolute)} was exchanged while the job read it`,
      );
    }
    return await readAtMost(opened, maxBytes, facts.size, of);
  } finally {
    await opened.close();
  }
}

/** @param sizeBytes what it said to have: thousands of small files need no large block each, and a growing one is read all the same */
async function readAtMost(
  file: FileHandle,
  maxBytes: number,
  sizeBytes: number,
  of: 'whole' | 'head',
): Promise<{ readonly bytes: Buffer } | { readonly reason: string }> {
  const blocks: Buffer[] = [];
  const blockBytes = Math.min(BLOCK_BYTES, Math.max(sizeBytes, SMALL_BLOCK_BYTES - 1) + 1);
  let size = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(blockBytes), 0, blockBytes, size);
    if (bytesRead === 0) return { bytes: Buffer.concat(blocks) };
    size += bytesRead;
    blocks.push(buffer.subarray(0, bytesRead));
    if (size <= maxBytes) continue;
    return of === 'head'
      ? { bytes: Buffer.concat(blocks).subarray(0, maxBytes) }
      : { reason: `larger than ${maxBytes} bytes` };
  }
}

function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
