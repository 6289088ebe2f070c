/**
 * The checkpoints of a home: `checkpoints/<seq>.checkpoint` in its state folder, the newest few of them. Each is written
 * under a temporary name and renamed when it is whole and on the disk; what a crash leaves behind goes with the next.
 */
import { join } from 'node:path';
import { limits } from '../base/limits.js';
import { randomHex } from '../base/random.js';
import { type FileSeams, PRIVATE_FILE, PRIVATE_FOLDER } from './atomic-file.js';
import type { CheckpointContents } from './checkpoint.js';
import { CheckpointUnusable, peekCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import type { Disk, DiskFile } from './disk.js';
import { makeFolderDurably } from './folder.js';
import type { Home } from './home.js';
import type { StateKeeper, StateRestoring } from './ledger.js';

export interface CheckpointsOptions extends FileSeams {
  readonly home: Pick<Home, 'folder' | 'id' | 'key'>;
  readonly keeper: StateKeeper;
  /** What was passed over and why, as lines for people. */
  readonly progress: (text: string) => void;
}

export interface FoundCheckpoint {
  readonly contents: CheckpointContents;
  readonly restoring: StateRestoring;
}

const SUFFIX = '.checkpoint';
const SEQ_DIGITS = 15;
const NAME_BYTES = 8;

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #folder: string;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#folder = join(options.home.folder, 'checkpoints');
  }

  /**
   * The newest that is whole, ours and of this reducer, and that `mayFit` has nothing against.
   * @param mayFit sees what is not verified yet; answers why it can't fit
   */
  async newest(mayFit: (contents: CheckpointContents) => string | undefined): Promise<FoundCheckpoint | undefined> {
    for (const name of (await this.#names()).reverse()) {
      try {
        return await this.#read(name, mayFit);
      } catch (error) {
        // Whatever is wrong with it: the ledger has everything.
        const why = error instanceof Error ? error.message : String(error);
        this.#options.progress(`the checkpoint ${name} is passed over: ${why}`);
      }
    }
    return undefined;
  }

  /** @throws DiskError */
  async write(contents: Omit<CheckpointContents, 'pages'>, pages: Iterable<Buffer>): Promise<void> {
    const { disk, random, home } = this.#options;
    await makeFolderDurably(disk, { path: this.#folder, permissions: PRIVATE_FOLDER, durableFrom: home.folder });
    const name = `${String(contents.seq).padStart(SEQ_DIGITS, '0')}${SUFFIX}`;
    const temporary = join(this.#folder, `.${name}.${randomHex(random, NAME_BYTES)}.tmp`);
    try {
      await using(disk, temporary, 'create', (file) => writeCheckpoint(file, contents, pages, home.key));
      await disk.rename(temporary, join(this.#folder, name));
    } catch (error) {
      await disk.remove(temporary).catch(() => false);
      throw error;
    }
    await disk.syncFolder(this.#folder);
    await this.#prune(name);
  }

  /** Whatever they say can't be relied on any more: the next opening looks at everything itself. @throws DiskError */
  async removeAll(): Promise<void> {
    const names = await this.#names();
    for (const name of names) await this.#options.disk.remove(join(this.#folder, name));
    if (names.length > 0) await this.#options.disk.syncFolder(this.#folder);
  }

  async #read(name: string, mayFit: (contents: CheckpointContents) => string | undefined): Promise<FoundCheckpoint> {
    const { disk, home, keeper } = this.#options;
    return using(disk, join(this.#folder, name), 'read', async (file) => {
      const contents = await peekCheckpoint(file);
      const why =
        contents.reducer !== keeper.reducer
          ? `it was folded by reducer ${contents.reducer}, this one is ${keeper.reducer}`
          : contents.home !== home.id
            ? 'it is of another home'
            : mayFit(contents);
      if (why !== undefined) throw new CheckpointUnusable(why);
      return { contents, restoring: await readCheckpoint(file, contents, home.key, keeper) };
    });
  }

  /** Oldest first. */
  async #names(): Promise<string[]> {
    const names = (await this.#options.disk.list(this.#folder)) ?? [];
    return names.filter((name) => /^\d{15}\.checkpoint$/.test(name)).sort();
  }

  /** Keeps the one just written and the newest below it: what has a greater `seq` is of a ledger that is gone. */
  async #prune(written: string): Promise<void> {
    const { disk } = this.#options;
    const names = await this.#names();
    const kept = new Set(names.slice(0, names.indexOf(written) + 1).slice(-limits.keptCheckpoints));
    const unfinished = ((await disk.list(this.#folder)) ?? []).filter((name) => /^\..*\.tmp$/.test(name));
    for (const name of [...names.filter((one) => !kept.has(one)), ...unfinished])
      await disk.remove(join(this.#folder, name));
  }
}

async function using<T>(
  disk: Disk,
  path: string,
  mode: 'read' | 'create',
  work: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const file = await disk.open(path, mode, PRIVATE_FILE);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
