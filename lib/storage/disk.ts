/**
 * The disk seam: everything that the storage layer asks of a file system. `node-disk.ts` implements it on `node:fs`;
 * tests and the simulation put a disk in memory behind it that can lose power at any call.
 *
 * Rules of the seam, whatever implements it:
 * - paths are absolute; a folder on the way that is a symbolic link is the caller's matter (the root is a real path);
 * - a file is opened without following a link and without blocking (`O_NOFOLLOW`, `O_NONBLOCK`), and only a regular
 *   file of our own uid is taken; anything else is refused with `AgentopsdError('file_unsafe')`;
 * - what is not there is `undefined` where the type says so, otherwise a `DiskError` with its `errno` name;
 * - nothing retries: a failed write or sync is the caller's decision.
 */

export type EntryKind = 'file' | 'folder' | 'link' | 'other';

export interface EntryFacts {
  readonly kind: EntryKind;
  readonly device: number;
  readonly inode: number;
  /** Names of the file. */
  readonly links: number;
  readonly sizeBytes: number;
  readonly uid: number;
  /** Permission bits. */
  readonly mode: number;
}

/** A failed call, with the name of the system's error (`ENOSPC`, `EIO`, …) in `errno`. */
export class DiskError extends Error {
  readonly errno: string;
  constructor(errno: string, call: string, path: string) {
    super(`${call} ${path}: ${errno}`);
    this.name = 'DiskError';
    this.errno = errno;
  }
}

/** `read`: what is there. `update`: read and write in place. `create`: exclusively new, read and write. */
export type OpenMode = 'read' | 'update' | 'create';

export interface DiskFile {
  readonly path: string;
  /** Writes at `position`; answers how many bytes were taken, which may be fewer. Synchronous: it is the hot path. */
  writeSync(bytes: Uint8Array, position: number): number;
  /** Reads up to `length` bytes at `position`; fewer, or none, only at the end. */
  read(position: number, length: number): Promise<Buffer>;
  /** Forces the content to the disk (`fdatasync`; on macOS with `F_FULLFSYNC`, as Node does). */
  datasync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  factsSync(): EntryFacts;
  close(): Promise<void>;
}

export interface Disk {
  open(path: string, mode: OpenMode, permissions?: number): Promise<DiskFile>;
  /** Names in a folder, sorted; undefined when there is no such folder. */
  list(folder: string): Promise<string[] | undefined>;
  /** Facts without following a link; undefined when nothing is there. Synchronous: the check before each ack uses it. */
  factsSync(path: string): EntryFacts | undefined;
  /** Makes one folder; answers whether it was made, false when it was there. */
  makeFolder(path: string, permissions?: number): Promise<boolean>;
  /** Forces a folder's names to the disk. */
  syncFolder(path: string): Promise<void>;
  /** A second name for a file; answers false, atomically, when `to` is there. */
  link(from: string, to: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; answers false when it was not there. */
  remove(path: string): Promise<boolean>;
  /** The real path: links resolved. */
  realPath(path: string): Promise<string>;
}

/** There may be room again later. */
const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export function isNoSpace(error: unknown): boolean {
  return error instanceof DiskError && NO_SPACE.has(error.errno);
}
