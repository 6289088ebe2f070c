/**
 * A folder that seems to hold as many entries as a limit asks for: `readdir` answers so for this one path, nothing is
 * made. To be used where entries are counted and what is named is not read; the files themselves are not there.
 */
import { Dirent } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** While `work` goes on, the folder of this absolute path seems to hold these. */
export async function inCrowd<T>(folder: string, names: readonly string[], work: () => Promise<T>): Promise<T> {
  const { readdir } = promises;
  const crowded = async (path: unknown, ...rest: unknown[]): Promise<unknown> => {
    if (path !== folder) return (readdir as (...all: unknown[]) => Promise<unknown>)(path, ...rest);
    return names.map((name) => seeming(name, folder));
  };
  try {
    use(crowded as typeof readdir);
    return await work();
  } finally {
    use(readdir);
  }
}

/** `0.md`, `1.md` and so on, in the order in which they sort. */
export function crowd(count: number, ending = '.md'): string[] {
  const digits = String(count).length;
  return Array.from({ length: count }, (_, at) => `${String(at).padStart(digits, '0')}${ending}`);
}

function use(readdir: typeof promises.readdir): void {
  promises.readdir = readdir;
  syncBuiltinESMExports();
}

/** A regular file, whatever it is called. */
function seeming(name: string, parentPath: string): Dirent {
  const facts = { name, parentPath, path: parentPath };
  const kinds = { isFile: () => true, isDirectory: () => false, isSymbolicLink: () => false };
  return Object.assign(Object.create(Dirent.prototype) as Dirent, facts, kinds);
}
