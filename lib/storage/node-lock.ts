/**
 * `FolderLock` by `proper-lockfile`: a folder whose time of change the holder renews. This file implements a seam, so it
 * may use `node:fs`. What the package does not do by itself, and is done here:
 *
 * - it removes whatever stands at the lock's path on release and at exit, also its successor's: it is given a `rmdir`
 *   that first looks whether the folder still is the one it made and renewed;
 * - losing the lock throws inside a timer unless `onCompromised` is given;
 * - what it loads (`signal-exit`) ends the process on SIGXFSZ, which Node ignores: a limit on the size of files would
 *   kill the daemon instead of failing one write. A listener beside it keeps it from that;
 * - loading it patches `fs.close` and installs signal handlers, so it is loaded by the first `acquire`, which only a
 *   daemon calls.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FolderLock, LockHold, LockRequest } from './lock.js';

export function createNodeLock(): FolderLock {
  return { acquire, holder, breakLock, pause: (delayMs) => pause(delayMs) };
}

async function acquire(request: LockRequest): Promise<LockHold | undefined> {
  const { lock } = (await import('proper-lockfile')).default;
  survive('SIGXFSZ');
  const owned = new OwnedFolder(request.path);
  try {
    const release = await lock(dirname(request.path), {
      lockfilePath: request.path,
      realpath: false,
      retries: 0,
      stale: request.staleMs,
      update: Math.ceil(request.staleMs / 3),
      fs: owned.fileSystem(),
      onCompromised: (error: Error) => request.onLost(error.message),
    });
    owned.held = true;
    return { release: () => release().catch(() => undefined) };
  } catch (error) {
    if (errnoOf(error) === 'ELOCKED') return undefined;
    throw error;
  }
}

function survive(signal: NodeJS.Signals): void {
  if (!process.listeners(signal).includes(ignore)) process.on(signal, ignore);
}

function ignore(): void {
  // The write that was too long fails with EFBIG.
}

async function holder(path: string): Promise<string | undefined> {
  return markOf(path);
}

async function breakLock(path: string, mark: string): Promise<void> {
  if (markOf(path) !== mark) return;
  try {
    fs.rmdirSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

type Callback = (error: NodeJS.ErrnoException | null) => void;

/** The calls that the package makes, with the removal tied to the folder that was made and renewed here. */
class OwnedFolder {
  held = false;
  readonly #path: string;
  #mark: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  fileSystem(): object {
    return {
      ...fs,
      utimes: (path: string, read: Date, changed: Date, done: Callback) =>
        fs.utimes(path, read, changed, (error) => {
          if (error === null) this.#mark = markOf(this.#path);
          done(error);
        }),
      rmdir: (path: string, done: Callback) => (this.#mayRemove() ? fs.rmdir(path, done) : done(null)),
      rmdirSync: (path: string) => {
        if (this.#mayRemove()) fs.rmdirSync(path);
      },
    };
  }

  /** Before it is held the package removes a stale lock only, which it has just looked at. */
  #mayRemove(): boolean {
    return !this.held || (this.#mark !== undefined && markOf(this.#path) === this.#mark);
  }
}

/**
 * Inodes are used again at once, and the package writes its first time of change as a whole second: only with the time
 * of birth two holders of one second are told apart.
 */
function markOf(path: string): string | undefined {
  try {
    const { ino, birthtimeNs, mtimeNs } = fs.lstatSync(path, { bigint: true });
    return `${ino}:${birthtimeNs}:${mtimeNs}`;
  } catch {
    return undefined;
  }
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
