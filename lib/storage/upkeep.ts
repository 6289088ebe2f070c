/** What a ledger does beside its batches, on the clock: looking after its files, the anchor, and a disk that was full. */
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { limits } from '../base/limits.js';
import { randomHex } from '../base/random.js';
import type { Anchor } from './anchor.js';
import { writeAnchor } from './anchor.js';
import type { FileSeams } from './atomic-file.js';
import { PRIVATE_FILE, writeWhole } from './atomic-file.js';
import { DiskError, isNoSpace } from './disk.js';
import type { Home } from './home.js';
import type { Layout } from './layout.js';

export interface UpkeepOptions extends FileSeams {
  readonly clock: Clock;
  readonly layout: Layout;
  readonly home: Home;
}

export interface UpkeepWork {
  /** Looks whether all is still ours and still there. */
  readonly check: () => Promise<void>;
  /** Becomes the writer anew; rejects with an error of no space when there still is too little. */
  readonly resume: () => Promise<void>;
  /** What the anchor should say; undefined when it must stay as it is. */
  readonly anchor: () => Anchor | undefined;
}

const PROBE_NAME_BYTES = 8;

export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #work: UpkeepWork;
  readonly #background = new Set<Promise<void>>();
  #cancelCheck: () => void = () => undefined;
  #cancelAnchor: (() => void) | undefined;
  #cancelProbe: () => void = () => undefined;
  #anchorDue = false;
  #closed = false;

  constructor(options: UpkeepOptions, work: UpkeepWork) {
    this.#options = options;
    this.#work = work;
    this.#checkLater();
  }

  /** Something was acknowledged. */
  acknowledged(): void {
    this.#anchorDue = true;
    this.#cancelAnchor ??= this.#options.clock.after(limits.anchorDelayMs, () => {
      this.#cancelAnchor = undefined;
      this.track(this.#writeAnchor());
    });
  }

  /** The disk is full: probes until there is room. */
  full(): void {
    if (this.#closed) return;
    this.#cancelProbe = this.#options.clock.after(limits.spaceProbeMs, () => this.track(this.#probe()));
  }

  /** Lets `close` wait for work that goes on in the background. */
  track(work: Promise<void>): void {
    const tracked = work.catch(() => undefined).finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelCheck();
    this.#cancelAnchor?.();
    this.#cancelProbe();
    await Promise.all(this.#background);
    await this.#writeAnchor().catch(() => undefined);
  }

  #checkLater(): void {
    this.#cancelCheck = this.#options.clock.after(limits.ownershipCheckMs, () => {
      this.track(this.#work.check());
      if (!this.#closed) this.#checkLater();
    });
  }

  async #writeAnchor(): Promise<void> {
    if (!this.#anchorDue) return;
    const anchor = this.#work.anchor();
    if (anchor === undefined) return;
    this.#anchorDue = false;
    await writeAnchor(this.#options, this.#options.home, anchor);
  }

  async #probe(): Promise<void> {
    try {
      await this.#tryRoom();
      if (!this.#closed) await this.#work.resume();
    } catch (error) {
      // Anything else than missing room shows again, and more clearly, in the resumption's own checks.
      if (isNoSpace(error)) return this.full();
      if (!this.#closed) await this.#work.resume().catch(() => this.full());
    }
  }

  /** @throws DiskError when the disk takes no more */
  async #tryRoom(): Promise<void> {
    const { disk, layout, random } = this.#options;
    const path = join(layout.run, `.room.${randomHex(random, PROBE_NAME_BYTES)}.tmp`);
    const file = await disk.open(path, 'create', PRIVATE_FILE);
    try {
      writeWhole(file, new Uint8Array(limits.spaceProbeBytes), 0);
      await file.datasync();
    } catch (error) {
      // A limit on the size of one file is none on the next, smaller one.
      if (!(error instanceof DiskError && error.errno === 'EFBIG')) throw error;
    } finally {
      await file.close();
      await disk.remove(path);
    }
  }
}
