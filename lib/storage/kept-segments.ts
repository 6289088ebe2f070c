/**
 * An open descriptor on every segment of the ledger: a file that git removes under the daemon lives on in it, is read
 * from it, and is saved from it. Only the newest `limits.keptDescriptors` are kept open.
 */
import { join } from 'node:path';
import { limits } from '../base/limits.js';
import type { Disk, DiskFile } from './disk.js';
import type { HistorySegment } from './history.js';
import type { Layout } from './layout.js';
import type { QuarantineOptions } from './quarantine.js';
import { keepCopy } from './quarantine.js';
import { isSame } from './terms.js';

interface Kept {
  readonly name: string;
  readonly path: string;
  file: DiskFile | undefined;
  /** Bytes that were there when it was opened or last acknowledged; fewer later means that somebody cut it. */
  readonly countedBytes: () => number;
  /** Path of the copy in the quarantine, relative to the root. */
  copy: string | undefined;
}

export class KeptSegments {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #kept: Kept[] = [];

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  /** Opens the next newer segment. @throws DiskError */
  async open(name: string, countedBytes: number): Promise<HistorySegment> {
    const path = join(this.#layout.ledger, name);
    return this.#add({
      name,
      path,
      file: await this.#disk.open(path, 'read'),
      countedBytes: () => countedBytes,
      copy: undefined,
    });
  }

  /** Takes over the descriptor of a segment that we write ourselves. */
  own(name: string, file: DiskFile, countedBytes: () => number): HistorySegment {
    return this.#add({ name, path: file.path, file, countedBytes, copy: undefined });
  }

  #add(kept: Kept): HistorySegment {
    this.#kept.push(kept);
    const oldest = this.#kept.at(-1 - limits.keptDescriptors);
    if (oldest?.file !== undefined) {
      oldest.file.close().catch(() => undefined);
      oldest.file = undefined;
    }
    return {
      name: kept.name,
      countedBytes: kept.countedBytes,
      open: async () =>
        kept.file === undefined
          ? { file: await this.#disk.open(kept.path, 'read'), close: true }
          : { file: kept.file, close: false },
    };
  }

  /** Why the files are not what they were, for people; undefined when all stand where they stood. */
  whyGone(): string | undefined {
    for (const kept of this.#kept) {
      const why = this.#whyGone(kept);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /**
   * Copies to the quarantine what the descriptors still hold of removed or replaced files, and again when the copy was
   * taken away as well: a `git clean` may still be at it. @returns the copies' paths
   */
  async saveGone(options: QuarantineOptions): Promise<string[]> {
    const paths: string[] = [];
    for (const kept of this.#kept) {
      const why = this.#whyGone(kept);
      if (why === undefined || kept.file === undefined || this.#isSaved(kept)) continue;
      const span = { fromByte: 0, toByte: Math.min(kept.countedBytes(), kept.file.factsSync().sizeBytes) };
      kept.copy = await keepCopy(options, kept.file, span, kept.name, `${why} while the daemon ran`);
      paths.push(kept.copy);
    }
    return paths;
  }

  async close(): Promise<void> {
    for (const kept of this.#kept.splice(0)) await kept.file?.close();
  }

  #isSaved({ copy }: Kept): boolean {
    return copy !== undefined && this.#disk.factsSync(join(this.#layout.root, copy)) !== undefined;
  }

  #whyGone(kept: Kept): string | undefined {
    const named = this.#disk.factsSync(kept.path);
    if (named === undefined) return `${kept.name} was removed`;
    if (kept.file !== undefined && !isSame(named, kept.file.factsSync()))
      return `${kept.name} was replaced by another file`;
    if (named.sizeBytes < kept.countedBytes()) return `${kept.name} was cut short`;
    return undefined;
  }
}
