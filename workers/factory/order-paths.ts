/**
 * What a work order covers: files and folders of the repository, each with all that is below it. A path also covers what
 * it leads to when its links are followed, so that two names of one place overlap.
 */
import { realpath } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import { failure } from '../failure.js';
import { told } from '../kit/payload.js';
import { insideRoot, isClosed } from '../kit/sources.js';

const EVERYTHING = '.';

/**
 * @returns relative to the root with `/`, `.` for all of it; sorted, each once
 * @param member names the list in a failure, such as `payload.work_order.paths`
 * @throws a failure `request_rejected` naming the path that is none, leads out, or is not open to jobs
 */
export async function coveredPaths(root: string, paths: readonly string[], member: string): Promise<string[]> {
  if (paths.length === 0) return [EVERYTHING];
  const covered = new Set<string>();
  for (const [at, path] of paths.entries()) {
    const name = `${member}[${at}]`;
    const written = writtenPath(path, name);
    covered.add(written).add(await realPath(root, written, name));
  }
  return [...covered].sort();
}

function writtenPath(path: string, name: string): string {
  const why = whyNoPath(path);
  if (why !== undefined) throw failure('request_rejected', `${name}: ${told(path)} ${why}`);
  const written = posix.normalize(path).replace(/\/$/, '');
  if (written === '..' || written.startsWith('../'))
    throw failure('request_rejected', `${name}: ${told(path)} leads out of the repository`);
  if (isClosed(written)) throw failure('request_rejected', `${name}: ${told(path)} is not open to jobs`);
  return written;
}

function whyNoPath(path: string): string | undefined {
  if (path.includes('\0')) return "can't be a path: it holds a NUL";
  if (path.startsWith('/')) return 'must be relative to the repository';
  if (/[*?]/.test(path)) return 'is a pattern: name the file, or the folder with all that is below it';
  return undefined;
}

/** Where the longest part of it that is there really stands, and the rest below that. */
async function realPath(root: string, written: string, name: string): Promise<string> {
  for (let there = written, rest = ''; ; ) {
    const real = await realpath(resolve(root, there)).catch(() => undefined);
    const inside = real === undefined ? undefined : insideRoot(root, real);
    if (real !== undefined && inside === undefined)
      throw failure('request_rejected', `${name}: ${told(written)} leads out of the repository`);
    if (inside !== undefined) return posix.normalize(rest === '' ? inside : `${inside}/${rest}`);
    rest = rest === '' ? posix.basename(there) : `${posix.basename(there)}/${rest}`;
    there = posix.dirname(there);
  }
}

/** Those of `others` that have something in common with `covered`. */
export function overlapping(covered: readonly string[], others: readonly string[]): string[] {
  return others.filter((other) => covered.some((path) => covers(path, other) || covers(other, path)));
}

/** Those of `paths` that nothing of `covered` covers. */
export function outside(covered: readonly string[], paths: readonly string[]): string[] {
  return paths.filter((path) => !covered.some((each) => covers(each, path)));
}

function covers(folder: string, path: string): boolean {
  return folder === EVERYTHING || folder === path || path.startsWith(`${folder}/`);
}
