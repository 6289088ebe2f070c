/**
 * All files below a folder of the repository, in a fixed order and bounded: no link is followed, and what is left out is
 * told. For workers that look at a whole folder; `sources.ts` is for what a caller named.
 */
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Skipped, SourcePath } from './sources.js';

export interface WalkBounds {
  readonly files: number;
  readonly entries: number;
  readonly depth: number;
}
export interface Walked {
  /** Sorted by path. */
  readonly files: readonly SourcePath[];
  /** Sorted by path. */
  readonly skipped: readonly Skipped[];
  /** Whether a bound ended the walk: there is more. */
  readonly cut: boolean;
}
export interface WalkRequest {
  /** Real path of the repository. */
  readonly root: string;
  /** Relative to the root, with `/`. One that is not there is empty. */
  readonly folder: string;
  readonly bounds: WalkBounds;
  /** Whether a file is taken, by its path relative to the root. */
  readonly takes: (path: string) => boolean;
  /** Whether a folder is walked into. */
  readonly enters?: (path: string) => boolean;
  readonly signal: AbortSignal;
}

interface Walk extends WalkRequest {
  readonly found: SourcePath[];
  readonly skipped: Skipped[];
  entries: number;
  cut: boolean;
}

export async function walkFiles(request: WalkRequest): Promise<Walked> {
  const walk: Walk = { ...request, found: [], skipped: [], entries: 0, cut: false };
  const absolute = join(request.root, request.folder);
  const real = await realpath(absolute).catch(() => undefined);
  if (real === absolute) await walkInto(walk, { path: request.folder, absolute }, 0);
  else if (real !== undefined) walk.skipped.push({ source: request.folder, reason: 'behind a symbolic link' });
  const { found, skipped, cut } = walk;
  return { files: found.sort(byText(({ path }) => path)), skipped: skipped.sort(byText(({ source }) => source)), cut };
}

export function byText<T>(textOf: (value: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const [ofA, ofB] = [textOf(a), textOf(b)];
    return ofA < ofB ? -1 : ofA > ofB ? 1 : 0;
  };
}

async function walkInto(walk: Walk, folder: SourcePath, depth: number): Promise<void> {
  walk.signal.throwIfAborted();
  if (depth >= walk.bounds.depth) {
    walk.skipped.push({ source: folder.path, reason: `deeper than ${walk.bounds.depth} folders` });
    return;
  }
  const entries = await readdir(folder.absolute, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    walk.skipped.push({ source: folder.path, reason: `can't be read (${error.code})` });
    return [];
  });
  for (const entry of entries.sort(byText(({ name }) => name))) {
    walk.entries += 1;
    if (walk.entries > walk.bounds.entries) walk.cut = true;
    if (walk.cut) return;
    const path = folder.path === '.' ? entry.name : `${folder.path}/${entry.name}`;
    const absolute = join(folder.absolute, entry.name);
    if (entry.isDirectory()) {
      if (walk.enters?.(path) ?? true) await walkInto(walk, { path, absolute }, depth + 1);
    } else if (walk.takes(path)) {
      if (!entry.isFile())
        walk.skipped.push({ source: path, reason: entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file' });
      else if (walk.found.length < walk.bounds.files) walk.found.push({ path, absolute });
      else walk.cut = true;
    }
  }
}
