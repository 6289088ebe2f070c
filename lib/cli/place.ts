/** Which repository a command line is about. */
import { realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AgentopsdError } from '../base/errors.js';

export interface Place {
  /** Real path. */
  readonly root: string;
  /** Whether `.agents` is a folder there. */
  readonly laidDown: boolean;
}

/**
 * `--root`, else the nearest folder upward with `.agents`, else the one we stand in.
 * @throws AgentopsdError `folder_unusable` when there is no such folder
 */
export function findPlace(rootFlag: string | undefined, workingFolder: string): Place {
  if (rootFlag !== undefined) return placeAt(resolve(workingFolder, rootFlag));
  for (let folder = workingFolder; ; folder = dirname(folder)) {
    if (isFolder(join(folder, '.agents'))) return placeAt(folder);
    if (folder === dirname(folder)) return placeAt(workingFolder);
  }
}

/** @throws AgentopsdError `folder_unusable` where nothing was laid down yet */
export function requireLaidDown(place: Place): void {
  if (place.laidDown) return;
  throw new AgentopsdError('folder_unusable', `there is no .agents folder in ${place.root}`, {
    hint: 'lay it down with: agentopsd init, or name the repository with --root',
  });
}

function placeAt(folder: string): Place {
  if (!isFolder(folder)) {
    throw new AgentopsdError('folder_unusable', `${folder} is no folder`, { hint: 'name the repository with --root' });
  }
  const root = realpathSync(folder);
  return { root, laidDown: isFolder(join(root, '.agents')) };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
