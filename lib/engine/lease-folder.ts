/**
 * What stands in `.agents/daemon/leases` at the start of a daemon, once the leases of the dead one are dealt with: files
 * half written when it died, and leases that only this folder tells, such as of a home that was lost. Nobody holds them,
 * and whoever reads the folder would believe that their jobs run.
 */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { layoutOf } from '../storage/layout.js';

const LEASE_FILE = /\.(json|tmp)$/;

/** To be called while nothing is claimed. @returns how many files went */
export async function sweepLeaseFolder(root: string): Promise<number> {
  const folder = layoutOf(root).leases;
  if (!(await isReal(root, folder))) return 0;
  const entries = await readdir(folder, { withFileTypes: true });
  const left = entries.filter((entry) => entry.isFile() && LEASE_FILE.test(entry.name));
  for (const { name } of left) await rm(join(folder, name), { force: true });
  return left.length;
}

/** Whether every folder from below `root` on is one, and no link: nothing outside may be removed. */
async function isReal(root: string, folder: string): Promise<boolean> {
  let path = root;
  for (const part of relative(root, folder).split(sep)) {
    path = join(path, part);
    const facts = await lstat(path).catch(() => undefined);
    if (!facts?.isDirectory()) return false;
  }
  return true;
}
