/** Files below a data folder: by the patterns of a profile, and by what is in them. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of all files and links below a folder, with `/`, sorted. */
export function allFiles(folder: string, below = ''): string[] {
  const found: string[] = [];
  const entries = ifThere(() => readdirSync(join(folder, below), { withFileTypes: true })) ?? [];
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) found.push(...allFiles(folder, path));
    else found.push(path);
  }
  return found.sort();
}

/** `*` stands for anything within a name, `**` for any folders; a pattern that names a folder means all in it. */
export function matches(path: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => regexOf(pattern).test(path));
}

function regexOf(pattern: string): RegExp {
  const source = pattern
    .replace(/^\.?\/+|\/+$/g, '')
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      return part === '*' ? '[^/]*' : part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}(?:/.*)?$`);
}

export function globSync(folder: string, patterns: readonly string[]): string[] {
  return allFiles(folder).filter((path) => matches(path, patterns));
}

/** One line a file: path, size, and the hash of its content. */
export function fingerprint(folder: string, except: readonly string[]): Map<string, string> {
  const lines = new Map<string, string>();
  for (const path of allFiles(folder)) {
    if (matches(path, except)) continue;
    const whole = join(folder, path);
    const line = ifThere(() => {
      const info = lstatSync(whole);
      const hash = createHash('sha256');
      if (info.isSymbolicLink()) hash.update(readlinkSync(whole));
      else if (info.isFile()) hash.update(readFileSync(whole));
      return `${info.size} ${hash.digest('hex')}`;
    });
    if (line !== undefined) lines.set(path, line);
  }
  return lines;
}

/** The server may take a file away between two looks. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes every file but those that match; empty folders stay. Returns what was removed. */
export function removeAllBut(folder: string, kept: readonly string[]): string[] {
  const gone = allFiles(folder).filter((path) => !matches(path, kept));
  for (const path of gone) rmSync(join(folder, path), { force: true });
  return gone;
}
