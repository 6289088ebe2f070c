/**
 * The folder of an attempt, as its thread sees it: there when the task came, or made when something first needs it, so
 * that a job which leaves nothing costs the disk nothing. Folders are made one by one, and one that is a symbolic link
 * is refused: a repository can deliver anything below its root.
 *
 * A disk without room is waited for: the thread stands still then, and beats, so that its lease lives.
 */
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { isPassing } from '../../lib/base/passing-errno.js';
import { BEAT_INDEX, STOP_INDEX, type WorkerTask } from '../../lib/model/worker-protocol.js';
import { failure } from '../failure.js';

export interface RunFolder {
  readonly path: string;
  /**
   * Makes it, unless it is there.
   * @throws JobFailure `request_rejected` when something stands in the way; `FolderDenied` when the disk has no room for long
   */
  ensure(): string;
}

/** The system does not let the folder be made, for a reason that is not the job's. */
export class FolderDenied extends Error {}

const PRIVATE_FOLDER = 0o700;
/** How long room is waited for, and how often it is looked for. */
const ROOM_DEADLINE_MS = 60_000;
const ROOM_AGAIN_MS = 250;
type FolderTask = Pick<WorkerTask, 'root' | 'runDir' | 'prepared' | 'shared'>;

/** @param make default: on the disk */
export function createRunFolder(task: FolderTask, make: (root: string, path: string) => void = makeFolder): RunFolder {
  const { root, runDir } = task;
  let isThere = task.prepared;
  return {
    path: runDir,
    ensure() {
      if (isThere) return runDir;
      waitForRoom(new Int32Array(task.shared), () => make(root, runDir));
      isThere = true;
      return runDir;
    },
  };
}

function waitForRoom(counters: Int32Array, make: () => void): void {
  const until = performance.now() + ROOM_DEADLINE_MS;
  for (;;) {
    try {
      make();
      return;
    } catch (error) {
      if (!isPassing(errnoOf(error))) throw error;
      const isStopping = Atomics.load(counters, STOP_INDEX) !== 0;
      if (isStopping || performance.now() >= until) throw new FolderDenied(textOf(error));
    }
    Atomics.add(counters, BEAT_INDEX, 1);
    Atomics.wait(counters, STOP_INDEX, 0, ROOM_AGAIN_MS);
  }
}

/** What stood under the attempt's own name came from elsewhere, and goes. */
function makeFolder(root: string, path: string): void {
  const parts = relative(root, path).split(sep);
  const name = parts.pop() as string;
  let folder = root;
  for (const part of parts) {
    folder = join(folder, part);
    if (makeUnlessThere(folder)) continue;
    if (!lstatSync(folder).isDirectory()) throw unusable(folder, 'it is no folder, or a link to one');
  }
  const own = join(folder, name);
  if (makeUnlessThere(own)) return;
  rmSync(own, { recursive: true, force: true });
  makeUnlessThere(own);
}

/** @returns whether it was made */
function makeUnlessThere(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: PRIVATE_FOLDER });
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') return false;
    throw isPassing(errno) ? error : unusable(folder, textOf(error));
  }
}

function unusable(folder: string, why: string): Error {
  return failure('request_rejected', `${folder} can't be used: ${why}; make it a folder that you may write to`);
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
