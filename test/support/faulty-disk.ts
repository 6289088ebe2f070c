/** Any disk, with a say in each call: throw to make it fail, answer a number to shorten a write. */
import type { Disk, DiskFile } from '../../lib/storage/disk.js';
import { DiskError } from '../../lib/storage/disk.js';

export type DiskCall =
  | 'open'
  | 'write'
  | 'read'
  | 'datasync'
  | 'truncate'
  | 'close'
  | 'list'
  | 'makeFolder'
  | 'syncFolder'
  | 'link'
  | 'rename'
  | 'remove';

/** Called before each call that it names. A number shortens a write; everything else passes, or throws. */
export type Before = (call: DiskCall, path: string) => number | undefined;

export function createFaultyDisk(disk: Disk, before: Before): Disk {
  const wrapped = <Value>(call: DiskCall, path: string, work: () => Promise<Value>): Promise<Value> =>
    Promise.resolve().then(() => {
      before(call, path);
      return work();
    });
  return {
    open: (path, mode, permissions) =>
      wrapped('open', path, async () => faultyFile(await disk.open(path, mode, permissions), before)),
    list: (folder) => wrapped('list', folder, () => disk.list(folder)),
    factsSync: (path) => disk.factsSync(path),
    makeFolder: (path, permissions) => wrapped('makeFolder', path, () => disk.makeFolder(path, permissions)),
    syncFolder: (path) => wrapped('syncFolder', path, () => disk.syncFolder(path)),
    link: (from, to) => wrapped('link', to, () => disk.link(from, to)),
    rename: (from, to) => wrapped('rename', to, () => disk.rename(from, to)),
    remove: (path) => wrapped('remove', path, () => disk.remove(path)),
    realPath: (path) => disk.realPath(path),
  };
}

function faultyFile(file: DiskFile, before: Before): DiskFile {
  const { path } = file;
  return {
    path,
    writeSync(bytes, position) {
      const shortened = before('write', path);
      return file.writeSync(
        shortened === undefined ? bytes : bytes.subarray(0, Math.max(1, Math.min(shortened, bytes.length))),
        position,
      );
    },
    async read(position, length) {
      before('read', path);
      return file.read(position, length);
    },
    async datasync() {
      before('datasync', path);
      return file.datasync();
    },
    async truncate(sizeBytes) {
      before('truncate', path);
      return file.truncate(sizeBytes);
    },
    factsSync: () => file.factsSync(),
    close: () => file.close(),
  };
}

export function failing(errno: string, call: DiskCall, path: string): never {
  throw new DiskError(errno, call, path);
}
