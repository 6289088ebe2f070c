/**
 * Notices that something in a folder may have changed, and looks again. The watcher's events are hints only: they get
 * lost, come late, and end for ever when the folder is removed and made again. So there is a look on a timer as well,
 * and a folder with another inode is watched anew. Where the system has no watches left, the timer does it all, faster.
 */
import { lstatSync } from 'node:fs';
import { type ChokidarOptions, watch as chokidarWatch } from 'chokidar';
import type { Clock } from '../base/clock.js';
import { limits } from '../base/limits.js';

export interface FolderWatchOptions {
  /** Absolute; need not be there. */
  readonly folder: string;
  /** Whether an entry of the folder matters. */
  readonly concerns: (name: string) => boolean;
  /** One look at what is there. Never runs twice at the same time; a hint meanwhile makes it run once more. */
  readonly look: () => Promise<void>;
  readonly clock: Clock;
  /** Told when a look rejects. */
  readonly onError: (error: unknown) => void;
  /** For tests; default chokidar. */
  readonly watch?: Watch;
}

export type Watch = (folder: string, options: ChokidarOptions) => Watcher;
export interface Watcher {
  on(event: 'all' | 'ready', listener: () => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  close(): Promise<void>;
}

export class FolderWatch {
  readonly #options: FolderWatchOptions;
  #watcher: Watcher | undefined;
  #watchedInode: string | undefined;
  #problem: string | undefined;
  #stopTimer: () => void = () => {};
  #running: Promise<void> | undefined;
  #again = false;
  #started = false;

  constructor(options: FolderWatchOptions) {
    this.#options = options;
  }

  /** Idempotent. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#rewatch();
    this.#schedule();
  }

  /** Resolves when no look is running any more; none runs afterwards. Idempotent. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#again = false;
    this.#stopTimer();
    await Promise.all([this.#unwatch(), this.#running]);
  }

  /** Why the folder is only looked at from time to time, if so. */
  problem(): string | undefined {
    return this.#problem;
  }

  /** Asks for a look; resolves when one that began after the call is over. */
  async hint(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #work(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#options.look().catch(this.#options.onError);
    }
  }

  #schedule(): void {
    const delayMs = this.#problem === undefined ? limits.rescanMs : limits.rescanUnwatchedMs;
    this.#stopTimer = this.#options.clock.after(delayMs, () => {
      if (!this.#started) return;
      this.#rewatch();
      this.#schedule();
      void this.hint();
    });
  }

  #rewatch(): void {
    const inode = inodeOf(this.#options.folder);
    if (inode === this.#watchedInode || this.#problem !== undefined) return;
    void this.#unwatch();
    if (inode === undefined) return;
    this.#watchedInode = inode;
    const { folder, concerns, watch = chokidarWatch as Watch } = this.#options;
    const watcher = watch(folder, {
      depth: 0,
      followSymlinks: false,
      ignoreInitial: true,
      ignorePermissionErrors: true,
      ignored: (path) => path.startsWith(`${folder}/`) && !concerns(path.slice(folder.length + 1)),
    });
    this.#watcher = watcher;
    const hint = () => {
      if (this.#started) void this.hint();
    };
    // What came between our look and the watcher's first one is no event for it.
    watcher.on('ready', hint);
    watcher.on('all', hint);
    watcher.on('error', (error) => this.#failed(error));
  }

  /** Most often the watches of the system are used up: `ENOSPC` says nothing about the disk here. */
  #failed(error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOSPC'
        ? 'the system has no file watches left (sysctl fs.inotify.max_user_watches)'
        : String(message ?? error);
    this.#problem = `${this.#options.folder} is not watched, but looked at every ${limits.rescanUnwatchedMs} ms: ${why}`;
    void this.#unwatch();
    this.#stopTimer();
    if (this.#started) this.#schedule();
  }

  async #unwatch(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#watchedInode = undefined;
    await watcher?.close();
  }
}

function inodeOf(folder: string): string | undefined {
  try {
    const { dev, ino } = lstatSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
