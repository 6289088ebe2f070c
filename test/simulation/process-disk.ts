/**
 * The disk as one process of the simulated machine sees it. Every call that answers later waits until the scheduler lets
 * it through, so that anybody may act in between; every call may meet a fault. A dead process's calls never answer.
 * What a writer must never do to a file, whatever happens, is judged here, at the call.
 */
import type { Disk, DiskFile, EntryFacts, OpenMode } from '../../lib/storage/disk.js';
import type { DiskCall, Fault } from '../support/memory-disk.js';
import { LEDGER } from './places.js';
import type { SimulatedProcess } from './process.js';
import type { World } from './world.js';

/** Ends what a dead process still does at once: nothing of it runs on. */
export class Died extends Error {}

/** What the world lets a call meet. */
export interface Fate {
  readonly fault?: Fault;
  readonly crash?: 'before' | 'after';
}

type OnFault = (errno: string | undefined) => void;

/** Out of these a writer comes by itself, once there is room. */
const NO_SPACE: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

export class ProcessDisk implements Disk {
  /** Descriptors that are open, by what they were opened for. */
  readonly descriptors = new Set<DiskFile>();
  readonly #process: SimulatedProcess;
  readonly #world: World;

  constructor(process: SimulatedProcess, world: World) {
    this.#process = process;
    this.#world = world;
  }

  /** Something that is no call of the disk, but happens at a moment of the scheduler's choice. */
  passing<Value>(work: () => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#world.park(this.#process, undefined, () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  open(path: string, mode: OpenMode, permissions?: number): Promise<DiskFile> {
    return this.#later(
      'open',
      path,
      async () => this.#opened(await this.#world.disk.open(path, mode, permissions), mode),
      {
        grows: mode === 'create',
      },
    );
  }
  list(folder: string): Promise<string[] | undefined> {
    return this.#later('list', folder, () => this.#world.disk.list(folder));
  }
  factsSync(path: string): EntryFacts | undefined {
    return this.now('facts', path, () => this.#world.disk.factsSync(path));
  }
  makeFolder(path: string): Promise<boolean> {
    return this.#later('makeFolder', path, () => this.#world.disk.makeFolder(path));
  }
  syncFolder(path: string): Promise<void> {
    return this.#later('syncFolder', path, () => this.#world.disk.syncFolder(path));
  }
  link(from: string, to: string): Promise<boolean> {
    return this.#later('link', to, () => this.#world.disk.link(from, to));
  }
  rename(from: string, to: string): Promise<void> {
    return this.#later('rename', from, () => {
      this.#world.judgeRename(from, to);
      return this.#world.disk.rename(from, to);
    });
  }
  remove(path: string): Promise<boolean> {
    return this.#later('remove', path, () => {
      this.#world.judgeRemoval(path);
      return this.#world.disk.remove(path);
    });
  }
  realPath(path: string): Promise<string> {
    return this.#later('realPath', path, () => this.#world.disk.realPath(path));
  }

  #opened(file: DiskFile, mode: OpenMode): DiskFile {
    const opened = new ProcessFile(file, this, mode);
    this.descriptors.add(opened);
    return opened;
  }

  /** @internal for the files of this disk */
  later<Value>(call: DiskCall, path: string, work: () => Promise<Value>, onFault?: OnFault): Promise<Value> {
    return this.#later(call, path, work, { onFault });
  }

  #later<Value>(
    call: DiskCall,
    path: string,
    work: () => Promise<Value>,
    more: { grows?: boolean; onFault?: OnFault | undefined } = {},
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#world.park(this.#process, call, () => {
        const fate = this.#world.meet(this.#process, call, path, more.grows ?? true);
        if (fate.crash === 'before') return this.#world.crash();
        if (fate.fault !== undefined) this.#world.disk.plan(fate.fault);
        const done = work();
        if (fate.fault !== undefined) more.onFault?.(fate.fault.errno);
        if (fate.crash === 'after') {
          done.catch(() => undefined);
          this.#world.crash();
          return;
        }
        done.then(resolve, reject);
      });
    });
  }

  /** A call that answers at once. */
  now<Value>(call: DiskCall, path: string, work: () => Value, onFault?: OnFault): Value {
    if (this.#process.isOver) throw new Died();
    const fate = this.#world.meet(this.#process, call, path, true);
    if (fate.crash === 'before') {
      this.#world.crash();
      throw new Died();
    }
    if (fate.fault !== undefined) this.#world.disk.plan(fate.fault);
    let answer: Value;
    try {
      answer = work();
    } finally {
      if (fate.fault?.errno !== undefined) onFault?.(fate.fault.errno);
    }
    if (fate.crash === 'after') {
      this.#world.crash();
      throw new Died();
    }
    return answer;
  }

  /** A segment of its own met what ends its writer for good. */
  endsWriter(path: string, errno: string | undefined): void {
    if (path.startsWith(`${LEDGER}/`) && !NO_SPACE.includes(errno)) this.#process.writerEnded ??= `${errno} at ${path}`;
  }
  judgeUse(path: string, call: string, failed: boolean): void {
    if (failed) this.#world.violated(`${call} of ${path} through a descriptor whose write or sync failed before`);
  }
  judgeCut(path: string, sizeBytes: number): void {
    this.#world.judgeCut(path, sizeBytes);
  }
}

class ProcessFile implements DiskFile {
  readonly path: string;
  readonly #file: DiskFile;
  readonly #disk: ProcessDisk;
  /** A write or a sync failed: what the cache holds of it nobody knows. */
  #failed = false;

  readonly #isOwn: boolean;

  constructor(file: DiskFile, disk: ProcessDisk, mode: OpenMode) {
    this.path = file.path;
    this.#file = file;
    this.#disk = disk;
    this.#isOwn = mode === 'create';
  }

  writeSync(bytes: Uint8Array, position: number): number {
    return this.#disk.now(
      'write',
      this.path,
      () => {
        this.#disk.judgeUse(this.path, 'a write', this.#failed);
        return this.#file.writeSync(bytes, position);
      },
      (errno) => this.#fails(errno),
    );
  }
  read(position: number, length: number): Promise<Buffer> {
    return this.#disk.later('read', this.path, () => this.#file.read(position, length));
  }
  datasync(): Promise<void> {
    return this.#disk.later(
      'datasync',
      this.path,
      () => {
        this.#disk.judgeUse(this.path, 'a sync', this.#failed);
        return this.#file.datasync();
      },
      (errno) => this.#fails(errno),
    );
  }
  truncate(sizeBytes: number): Promise<void> {
    return this.#disk.later('truncate', this.path, () => {
      this.#disk.judgeUse(this.path, 'a cut', this.#failed);
      this.#disk.judgeCut(this.path, sizeBytes);
      return this.#file.truncate(sizeBytes);
    });
  }
  factsSync(): EntryFacts {
    return this.#disk.now('facts', this.path, () => this.#file.factsSync());
  }
  close(): Promise<void> {
    this.#disk.descriptors.delete(this);
    return this.#disk.later('close', this.path, () => this.#file.close());
  }

  #fails(errno: string | undefined): void {
    this.#failed = true;
    if (this.#isOwn) this.#disk.endsWriter(this.path, errno);
  }
}
