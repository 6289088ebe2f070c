/**
 * Makes folders so that they survive a loss of power: a name is durable once its parent was synced, and a process
 * before us may have made the name and died before its sync. So every parent up to `durableFrom` is synced each time.
 */
import { dirname } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import type { Disk } from './disk.js';
import { DiskError } from './disk.js';

export interface DurableFolder {
  readonly path: string;
  /** Permissions of each folder that is made. */
  readonly permissions: number;
  /** The highest folder whose names are synced although it was there; must be `path` or above it. */
  readonly durableFrom: string;
}

/**
 * @throws AgentopsdError `folder_unusable` when something else stands in the way or it can't be made
 * @throws DiskError when a sync fails
 */
export async function makeFolderDurably(disk: Disk, folder: DurableFolder): Promise<void> {
  const missing = missingFolders(disk, folder);
  try {
    for (const path of missing) await disk.makeFolder(path, folder.permissions);
  } catch (error) {
    throw unusable(folder.path, error);
  }
  const topmost = missing[0] === undefined ? folder.path : dirname(missing[0]);
  for (let path = folder.path; ; path = dirname(path)) {
    await syncOrPass(disk, path, within(topmost, path) && path !== topmost);
    if (within(topmost, path) && within(folder.durableFrom, path)) return;
    if (path === dirname(path)) return;
  }
}

/** A folder above all that is ours, which we may not read, is none that we could have made a name in. */
async function syncOrPass(disk: Disk, path: string, above: boolean): Promise<void> {
  try {
    await disk.syncFolder(path);
  } catch (error) {
    if (above && error instanceof DiskError && (error.errno === 'EACCES' || error.errno === 'EPERM')) return;
    throw error;
  }
}

/** The folders on the way that are not there, topmost first. Below `durableFrom` no link is followed. */
function missingFolders(disk: Disk, folder: DurableFolder): string[] {
  const missing: string[] = [];
  for (let at = folder.path; ; at = dirname(at)) {
    const facts = disk.factsSync(at);
    if (facts === undefined) missing.unshift(at);
    else if (facts.kind !== 'folder' && (facts.kind !== 'link' || within(at, folder.durableFrom)))
      throw noFolder(at, facts.kind);
    if (at === folder.durableFrom || at === dirname(at))
      return facts === undefined ? [...missingAbove(disk, at), ...missing] : missing;
  }
}

function missingAbove(disk: Disk, path: string): string[] {
  const missing: string[] = [];
  for (let at = dirname(path); at !== dirname(at) && disk.factsSync(at) === undefined; at = dirname(at))
    missing.unshift(at);
  return missing;
}

/**
 * Refuses a link, or anything else that is no folder, between `top` (itself not looked at) and `path`; what is not
 * there passes. Cheap enough to ask before each use.
 * @throws AgentopsdError `folder_unusable`
 */
export function refuseLinksBelow(disk: Disk, top: string, path: string): void {
  for (let at = path; at !== top && at !== dirname(at); at = dirname(at)) {
    const facts = disk.factsSync(at);
    if (facts !== undefined && facts.kind !== 'folder') throw noFolder(at, facts.kind);
  }
}

function noFolder(path: string, kind: string): AgentopsdError {
  return new AgentopsdError('folder_unusable', `${path} is no folder of its own (${kind})`, {
    hint: 'move it away: nothing is written through links that a repository may have brought',
  });
}

function unusable(path: string, error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  return new AgentopsdError('folder_unusable', `${path} can't be made: ${error.errno}`, {
    hint: 'check who owns the folders on the way and whether they may be written',
    cause: error,
  });
}

/** Whether `path` is `folder` or lies below it; both are absolute and normal. */
export function within(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}
