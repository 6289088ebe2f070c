/**
 * Temporary files of a daemon that was killed between writing and renaming. They harm nobody, but a daemon that is killed
 * again and again would leave more of them each time. Only names that nobody but the writer makes are looked at: others,
 * such as that of `trust.json`, may just now be written by a command.
 */
import { join } from 'node:path';
import type { Disk } from './disk.js';
import type { Home } from './home.js';
import { layoutOf } from './layout.js';

/** As `atomic-file.ts` and the projections make them: the name, chance, the end. */
const TEMPORARY = /^\.(.+)\.[0-9a-f]{12,16}\.tmp$/;

interface Place {
  readonly folder: string;
  /** Names that the writer alone makes there; undefined: all. */
  readonly names?: readonly string[];
}

/**
 * To be called by the writer, before it writes any of them. What can't be removed stays.
 * @returns the paths that were removed
 */
export async function removeLeftTemporaries(disk: Disk, home: Pick<Home, 'folder' | 'root'>): Promise<string[]> {
  const { daemon, leases, projections } = layoutOf(home.root);
  const places: Place[] = [
    { folder: home.folder, names: ['activation.json', 'anchor.json'] },
    { folder: join(home.folder, 'children') },
    { folder: daemon, names: ['activation.json'] },
    { folder: leases },
    { folder: projections },
  ];
  const removed: string[] = [];
  for (const { folder, names } of places) {
    const there = (await disk.list(folder).catch(() => undefined)) ?? [];
    for (const name of there) {
      const meant = TEMPORARY.exec(name)?.[1];
      if (meant === undefined || names?.includes(meant) === false) continue;
      const path = join(folder, name);
      if (await disk.remove(path).catch(() => false)) removed.push(path);
    }
  }
  return removed;
}
