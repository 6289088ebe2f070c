/**
 * The disk seam on `node:fs`: the one file of the storage layer that may import it. Every open refuses links (a folder
 * under `.agents` is under the control of whoever delivers the repository) and anything but a regular file of our uid,
 * and never blocks on a FIFO.
 */
import * as fs from 'node:fs';
import { AgentopsdError } from '../base/errors.js';
import type { Disk, DiskFile, EntryFacts, EntryKind, OpenMode } from './disk.js';
import { DiskError } from './disk.js';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = fs.constants;
const SAFE = O_NOFOLLOW | O_NONBLOCK;
const flagsOf: Record<OpenMode, number> = {
  read: O_RDONLY | SAFE,
  update: O_RDWR | SAFE,
  create: O_RDWR | O_CREAT | O_EXCL | SAFE,
};
const FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | SAFE;
const FILE_PERMISSIONS = 0o600;
const FOLDER_PERMISSIONS = 0o700;
const PERMISSION_BITS = 0o7777;
const NOTHING_THERE_IS_NO_ERROR = { throwIfNoEntry: false } as const;

export function createNodeDisk(): Disk {
  return nodeDisk;
}

const nodeDisk: Disk = {
  async open(path, mode, permissions = FILE_PERMISSIONS) {
    const handle = await opened(path, flagsOf[mode], permissions);
    try {
      assertOwnFile(path, factsOf(fs.fstatSync(handle.fd)));
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new NodeFile(path, handle);
  },

  list(folder) {
    return unless(['ENOENT'], undefined, async () => {
      await (await opened(folder, FOLDER_FLAGS)).close();
      const names = await told('list', folder, fs.promises.readdir(folder));
      return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    });
  },

  factsSync(path) {
    try {
      // Asked before every acknowledgement of a name that should not be there: an error made for it would be dear.
      const stats = fs.lstatSync(path, NOTHING_THERE_IS_NO_ERROR);
      return stats === undefined ? undefined : factsOf(stats);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
      throw new DiskError(errno, 'stat', path);
    }
  },

  async makeFolder(path, permissions = FOLDER_PERMISSIONS) {
    const made = await unless(['EEXIST'], false, async () => {
      await told('make folder', path, fs.promises.mkdir(path, permissions));
      return true;
    });
    if (!made) await (await opened(path, FOLDER_FLAGS)).close();
    return made;
  },

  async syncFolder(path) {
    const handle = await opened(path, FOLDER_FLAGS);
    try {
      await told('sync', path, handle.sync());
    } finally {
      await handle.close();
    }
  },

  link(from, to) {
    return unless(['EEXIST'], false, async () => {
      await told('link', to, fs.promises.link(from, to));
      return true;
    });
  },

  async rename(from, to) {
    await told('rename', to, fs.promises.rename(from, to));
  },

  remove(path) {
    return unless(['ENOENT'], false, async () => {
      await told('remove', path, fs.promises.unlink(path));
      return true;
    });
  },

  realPath(path) {
    return told('resolve', path, fs.promises.realpath(path));
  },
};

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #handle: fs.promises.FileHandle;
  #syncing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(path: string, handle: fs.promises.FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  writeSync(bytes: Uint8Array, position: number): number {
    try {
      return fs.writeSync(this.#handle.fd, bytes, 0, bytes.length, position);
    } catch (error) {
      throw new DiskError(errnoOf(error), 'write', this.path);
    }
  }

  async read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    let taken = 0;
    while (taken < length) {
      const { bytesRead } = await told(
        'read',
        this.path,
        this.#handle.read(buffer, taken, length - taken, position + taken),
      );
      if (bytesRead === 0) break;
      taken += bytesRead;
    }
    return taken === length ? buffer : buffer.subarray(0, taken);
  }

  /**
   * With a callback: the promises of a file handle take as much of the main thread again as the call itself. What the
   * handle would do, `close` does: it waits, so that the number of this file can't be that of another one meanwhile.
   */
  datasync(): Promise<void> {
    const { fd } = this.#handle;
    const synced = new Promise<void>((resolve, reject) => {
      if (fd < 0) throw new DiskError('EBADF', 'datasync', this.path);
      fs.fdatasync(fd, (error) => {
        if (error === null) resolve();
        else reject(new DiskError(errnoOf(error), 'datasync', this.path));
      });
    });
    this.#syncing = synced;
    return synced;
  }

  async truncate(sizeBytes: number): Promise<void> {
    await told('truncate', this.path, this.#handle.truncate(sizeBytes));
  }

  factsSync(): EntryFacts {
    try {
      return factsOf(fs.fstatSync(this.#handle.fd));
    } catch (error) {
      throw new DiskError(errnoOf(error), 'stat', this.path);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#syncing?.catch(() => undefined);
    await this.#handle.close();
  }
}

// ----------------------------------------------------------------------------------------------------- facts, errors

function factsOf(stats: fs.Stats): EntryFacts {
  return {
    kind: kindOf(stats),
    device: stats.dev,
    inode: stats.ino,
    links: stats.nlink,
    sizeBytes: stats.size,
    uid: stats.uid,
    mode: stats.mode & PERMISSION_BITS,
  };
}

function kindOf(stats: fs.Stats): EntryKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function assertOwnFile(path: string, facts: EntryFacts): void {
  if (facts.kind !== 'file') throw unsafe(path, 'it is no regular file');
  if (process.getuid !== undefined && facts.uid !== process.getuid())
    throw unsafe(path, `it belongs to another user (uid ${facts.uid})`);
}

function unsafe(path: string, why: string): AgentopsdError {
  return new AgentopsdError('file_unsafe', `${path} is refused: ${why}`, {
    hint: 'Look where it came from, move it away, and try again.',
  });
}

function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== 'string') throw error;
  return code;
}

async function told<T>(call: string, path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new DiskError(errnoOf(error), call, path);
  }
}

/** Answers `answer` where the system refuses with one of `errnos`. */
async function unless<T, A>(errnos: readonly string[], answer: A, work: () => Promise<T>): Promise<T | A> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DiskError && errnos.includes(error.errno)) return answer;
    throw error;
  }
}

/** Opens without following a link; what is no file or folder, as asked, is told as unsafe instead of by its errno. */
async function opened(path: string, flags: number, permissions?: number): Promise<fs.promises.FileHandle> {
  try {
    return await fs.promises.open(path, flags, permissions);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ELOOP' || errno === 'EMLINK') throw unsafe(path, 'it is a symbolic link');
    if (errno === 'ENXIO' || errno === 'EISDIR') throw unsafe(path, 'it is no regular file');
    if (errno === 'ENOTDIR' && nodeDisk.factsSync(path) !== undefined)
      throw unsafe(path, 'it is no folder, or a symbolic link to one');
    throw new DiskError(errno, 'open', path);
  }
}
