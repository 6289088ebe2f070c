/**
 * A disk in memory that can lose power. Files keep what is durable beside what is seen (`memory-file.ts`), folders keep
 * their durable names beside the present ones, and open descriptors outlive names. Faults are planned by call and count;
 * `beforeCall` sees every call and may throw, which is a crash at that very place.
 */
import { posix } from 'node:path';
import { AgentopsdError } from '../../lib/base/errors.js';
import type { Disk, DiskFile, EntryFacts, EntryKind, OpenMode } from '../../lib/storage/disk.js';
import { DiskError } from '../../lib/storage/disk.js';
import type { FailedSync, SectorFate } from './memory-file.js';
import { MemoryFile } from './memory-file.js';

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
  | 'remove'
  | 'facts'
  | 'realPath';

/** A planned fault: at the n-th call of its kind from now (1 is the next), on any path or those that match. */
export interface Fault {
  readonly call: DiskCall;
  readonly nth?: number;
  readonly path?: RegExp;
  readonly errno?: string;
  /** Of a write: so many bytes are taken (before the error, where there is an `errno` too). */
  readonly takenBytes?: number;
  /** Of a datasync: what becomes of the page; default `clean`. */
  readonly failedSync?: FailedSync;
  /** It stays after it struck. */
  readonly lasting?: boolean;
}

/** What power loss makes of each thing that was not synced. */
export interface PowerLossChoice {
  sector(path: string, sector: number): SectorFate;
  size(path: string): 'old' | 'new';
  name(folder: string, name: string): 'old' | 'new';
}
export const allLost: PowerLossChoice = { sector: () => 'old', size: () => 'old', name: () => 'old' };
export const allKept: PowerLossChoice = { sector: () => 'new', size: () => 'new', name: () => 'new' };

/** Chooses by chance; `unit` gives numbers from 0 to below 1. */
export function chanceChoice(unit: () => number): PowerLossChoice {
  const either = (): 'old' | 'new' => (unit() < 0.5 ? 'old' : 'new');
  return { sector: () => (unit() < 0.34 ? 'zero' : either()), size: either, name: either };
}

class MemoryFolder {
  readonly inode: number;
  readonly entries = new Map<string, Node>();
  durable = new Map<string, Node>();
  constructor(inode: number) {
    this.inode = inode;
  }
}
interface Odd {
  readonly odd: Exclude<EntryKind, 'file' | 'folder'>;
  readonly inode: number;
}
type Node = MemoryFile | MemoryFolder | Odd;

const UID = 1000;
const DEVICE = 1;

export class MemoryDisk implements Disk {
  /** Called before each call, with how many there were before it. What it throws is thrown by the call. */
  beforeCall: ((call: DiskCall, path: string, count: number) => void) | undefined;
  calls = 0;
  #root = new MemoryFolder(1);
  #inodes = 1;
  /** Descriptors of an earlier life are dead. */
  #life = 0;
  #faults: { fault: Fault; left: number }[] = [];

  // --------------------------------------------------------------------------------------------------- for the test
  plan(...faults: readonly Fault[]): void {
    for (const fault of faults) this.#faults.push({ fault, left: fault.nth ?? 1 });
  }
  clearFaults(): void {
    this.#faults = [];
  }
  /** The process dies; the machine goes on. Its descriptors are dead, everything written stays to be seen. */
  killProcess(): void {
    this.#life++;
    this.clearFaults();
  }
  losePower(choice: PowerLossChoice): void {
    this.killProcess();
    this.#loseNames('', this.#root, choice);
  }
  /** The content as it is seen. */
  contentOf(path: string): Buffer | undefined {
    const node = this.#find(path);
    return node instanceof MemoryFile ? node.read(0, node.size) : undefined;
  }
  durableContentOf(path: string): Buffer | undefined {
    const node = this.#find(path);
    return node instanceof MemoryFile ? node.durable() : undefined;
  }
  /** Puts a file there, durable, with every folder on the way: from outside, without calls. */
  plant(path: string, content: Uint8Array | string): void {
    const folder = this.#plantFolders(posix.dirname(path));
    const file = new MemoryFile(++this.#inodes, 0o600);
    file.links = 1;
    file.change({ bytes: Buffer.from(content as Uint8Array), position: 0 });
    file.sync();
    folder.entries.set(posix.basename(path), file);
    folder.durable.set(posix.basename(path), file);
  }
  plantFolder(path: string): void {
    this.#plantFolders(path);
  }
  /** Puts something there that is neither file nor folder. */
  plantOdd(path: string, odd: Odd['odd']): void {
    this.#plantFolders(posix.dirname(path)).entries.set(posix.basename(path), { odd, inode: ++this.#inodes });
  }
  /** Takes a name away from outside, without calls. */
  unplant(path: string): void {
    const folder = this.#find(posix.dirname(path));
    const node = this.#find(path);
    if (!(folder instanceof MemoryFolder)) return;
    folder.entries.delete(posix.basename(path));
    folder.durable.delete(posix.basename(path));
    if (node instanceof MemoryFile) node.links--;
  }
  /** Another disk with the same content, all of it durable: a copy of the folder on another machine. */
  clone(): MemoryDisk {
    const copy = new MemoryDisk();
    this.#walk('', this.#root, (path, node) => {
      if (node instanceof MemoryFile) copy.plant(path, node.read(0, node.size));
      else if (node instanceof MemoryFolder) copy.plantFolder(path);
    });
    return copy;
  }
  /** Another disk in the same state, to the last unsynced byte and name. Descriptors and planned faults stay behind. */
  fork(): MemoryDisk {
    const copy = new MemoryDisk();
    const copies = new Map<Node, Node>();
    const copied = (node: Node): Node => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      const made =
        node instanceof MemoryFile ? node.copy() : node instanceof MemoryFolder ? new MemoryFolder(node.inode) : node;
      copies.set(node, made);
      if (node instanceof MemoryFolder && made instanceof MemoryFolder) {
        for (const [name, entry] of node.entries) made.entries.set(name, copied(entry));
        for (const [name, entry] of node.durable) made.durable.set(name, copied(entry));
      }
      return made;
    };
    copy.#root = copied(this.#root) as MemoryFolder;
    copy.#inodes = this.#inodes;
    return copy;
  }
  /** What a loss of power leaves of a file at the least: names and content that are durable. */
  survivingContentOf(path: string): Buffer | undefined {
    let node: Node | undefined = this.#root;
    for (const name of namesOf(path)) {
      if (!(node instanceof MemoryFolder)) return undefined;
      node = node.durable.get(name);
    }
    return node instanceof MemoryFile ? node.durable() : undefined;
  }
  /** The file itself, for whoever keeps something about its content. */
  fileAt(path: string): MemoryFile | undefined {
    const node = this.#find(path);
    return node instanceof MemoryFile ? node : undefined;
  }
  /** Names in a folder as they are seen, without a call. */
  namesIn(folder: string): string[] {
    const node = this.#find(folder);
    return node instanceof MemoryFolder ? [...node.entries.keys()].sort() : [];
  }
  /** Takes a whole folder away from outside, durably. */
  unplantFolder(path: string): void {
    const parent = this.#find(posix.dirname(path));
    if (!(parent instanceof MemoryFolder)) return;
    parent.entries.delete(posix.basename(path));
    parent.durable.delete(posix.basename(path));
  }
  paths(): string[] {
    const found: string[] = [];
    this.#walk('', this.#root, (path, node) => void (node instanceof MemoryFile && found.push(path)));
    return found.sort();
  }

  // --------------------------------------------------------------------------------------------------- the disk
  async open(path: string, mode: OpenMode, permissions = 0o600): Promise<DiskFile> {
    this.#enter('open', path);
    const there = this.#find(path);
    if (mode === 'create') return this.#create(path, there, permissions);
    if (there === undefined) throw new DiskError('ENOENT', 'open', path);
    if (!(there instanceof MemoryFile))
      throw new AgentopsdError('file_unsafe', `${path} is refused: it is no regular file`);
    return this.#descriptor(path, there);
  }
  async list(folder: string): Promise<string[] | undefined> {
    this.#enter('list', folder);
    const node = this.#find(folder);
    if (node === undefined) return undefined;
    if (!(node instanceof MemoryFolder))
      throw new AgentopsdError('file_unsafe', `${folder} is refused: it is no folder`);
    return [...node.entries.keys()].sort();
  }
  factsSync(path: string): EntryFacts | undefined {
    this.#enter('facts', path);
    const node = this.#find(path);
    return node && factsOf(node);
  }
  async makeFolder(path: string): Promise<boolean> {
    this.#enter('makeFolder', path);
    const there = this.#find(path);
    if (there instanceof MemoryFolder) return false;
    if (there !== undefined) throw new AgentopsdError('file_unsafe', `${path} is refused: it is no folder`);
    this.#parentOf(path, 'makeFolder').entries.set(posix.basename(path), new MemoryFolder(++this.#inodes));
    return true;
  }
  async syncFolder(path: string): Promise<void> {
    this.#enter('syncFolder', path);
    const node = this.#find(path);
    if (!(node instanceof MemoryFolder)) throw new DiskError('ENOENT', 'open', path);
    node.durable = new Map(node.entries);
  }
  async link(from: string, to: string): Promise<boolean> {
    this.#enter('link', to);
    const file = this.#find(from);
    if (!(file instanceof MemoryFile)) throw new DiskError('ENOENT', 'link', from);
    const parent = this.#parentOf(to, 'link');
    if (parent.entries.has(posix.basename(to))) return false;
    parent.entries.set(posix.basename(to), file);
    file.links++;
    return true;
  }
  async rename(from: string, to: string): Promise<void> {
    this.#enter('rename', to);
    const node = this.#find(from);
    if (node === undefined) throw new DiskError('ENOENT', 'rename', from);
    const [source, target] = [this.#parentOf(from, 'rename'), this.#parentOf(to, 'rename')];
    const replaced = target.entries.get(posix.basename(to));
    if (replaced instanceof MemoryFile) replaced.links--;
    source.entries.delete(posix.basename(from));
    target.entries.set(posix.basename(to), node);
  }
  async remove(path: string): Promise<boolean> {
    this.#enter('remove', path);
    const node = this.#find(path);
    if (node === undefined) return false;
    this.#parentOf(path, 'remove').entries.delete(posix.basename(path));
    if (node instanceof MemoryFile) node.links--;
    return true;
  }
  async realPath(path: string): Promise<string> {
    this.#enter('realPath', path);
    if (this.#find(path) === undefined) throw new DiskError('ENOENT', 'resolve', path);
    return posix.normalize(path);
  }

  // --------------------------------------------------------------------------------------------------- within
  #create(path: string, there: Node | undefined, permissions: number): DiskFile {
    if (there !== undefined) throw new DiskError('EEXIST', 'open', path);
    const file = new MemoryFile(++this.#inodes, permissions);
    file.links = 1;
    this.#parentOf(path, 'open').entries.set(posix.basename(path), file);
    return this.#descriptor(path, file);
  }

  #descriptor(path: string, file: MemoryFile): DiskFile {
    const life = this.#life;
    const enter = (call: DiskCall): Fault | undefined => {
      if (life !== this.#life) throw new DiskError('EBADF', call, path);
      return this.#enter(call, path);
    };
    return {
      path,
      writeSync: (bytes, position) => {
        const fault = enter('write');
        const taken = Math.min(bytes.length, fault?.takenBytes ?? bytes.length);
        if (taken > 0) file.change({ bytes: Buffer.from(bytes.subarray(0, taken)), position });
        if (fault?.errno !== undefined) throw new DiskError(fault.errno, 'write', path);
        return taken;
      },
      read: async (position, length) => {
        enter('read');
        return file.read(position, length);
      },
      datasync: async () => {
        const fault = enter('datasync');
        if (fault?.errno === undefined) return file.sync();
        file.failSync(fault.failedSync ?? 'clean');
        throw new DiskError(fault.errno, 'datasync', path);
      },
      truncate: async (sizeBytes) => {
        enter('truncate');
        file.change({ sizeBytes });
      },
      factsSync: () => {
        enter('facts');
        return factsOf(file);
      },
      close: async () => {
        if (life === this.#life) this.#enter('close', path);
      },
    };
  }

  /** Answers a fault that the call itself has to play: those of write and datasync. */
  #enter(call: DiskCall, path: string): Fault | undefined {
    this.beforeCall?.(call, path, this.calls++);
    const struck = this.#faults
      .filter(({ fault }) => fault.call === call && (fault.path === undefined || fault.path.test(path)))
      .filter((planned) => (planned.left > 1 ? planned.left-- === 0 : true))[0];
    if (struck === undefined) return undefined;
    const { fault } = struck;
    if (!fault.lasting) this.#faults = this.#faults.filter((planned) => planned !== struck);
    if (call === 'write' || call === 'datasync') return fault;
    throw new DiskError(fault.errno ?? 'EIO', call, path);
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of namesOf(path)) {
      if (!(node instanceof MemoryFolder)) return undefined;
      node = node.entries.get(name);
    }
    return node;
  }
  #parentOf(path: string, call: string): MemoryFolder {
    const parent = this.#find(posix.dirname(path));
    if (!(parent instanceof MemoryFolder)) throw new DiskError('ENOENT', call, path);
    return parent;
  }
  #plantFolders(path: string): MemoryFolder {
    let folder = this.#root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      let next = folder.entries.get(name);
      if (!(next instanceof MemoryFolder)) {
        next = new MemoryFolder(++this.#inodes);
        folder.entries.set(name, next);
        folder.durable.set(name, next);
      }
      folder = next;
    }
    return folder;
  }
  #walk(at: string, folder: MemoryFolder, see: (path: string, node: Node) => void): void {
    for (const [name, node] of folder.entries) {
      see(`${at}/${name}`, node);
      if (node instanceof MemoryFolder) this.#walk(`${at}/${name}`, node, see);
    }
  }
  #loseNames(at: string, folder: MemoryFolder, choice: PowerLossChoice): void {
    for (const name of new Set([...folder.entries.keys(), ...folder.durable.keys()])) {
      const [present, durable] = [folder.entries.get(name), folder.durable.get(name)];
      const kept = present === durable || choice.name(at, name) === 'new' ? present : durable;
      if (kept === undefined) folder.entries.delete(name);
      else folder.entries.set(name, kept);
    }
    folder.durable = new Map(folder.entries);
    for (const [name, node] of folder.entries) this.#loseNode(`${at}/${name}`, node, choice);
  }
  #loseNode(path: string, node: Node, choice: PowerLossChoice): void {
    if (node instanceof MemoryFolder) this.#loseNames(path, node, choice);
    else if (node instanceof MemoryFile && !node.isSynced) {
      node.losePower(
        (sector) => choice.sector(path, sector),
        () => choice.size(path),
      );
    }
  }
}

/** The same few paths are asked for all the time. */
const knownPaths = new Map<string, readonly string[]>();
const MOST_KNOWN_PATHS = 2_000;

function namesOf(path: string): readonly string[] {
  let names = knownPaths.get(path);
  if (names === undefined) {
    if (knownPaths.size > MOST_KNOWN_PATHS) knownPaths.clear();
    names = path.split('/').filter((name) => name !== '');
    knownPaths.set(path, names);
  }
  return names;
}

function factsOf(node: Node): EntryFacts {
  const { inode } = node;
  if (node instanceof MemoryFile) {
    const { links, size: sizeBytes, mode } = node;
    return { kind: 'file', device: DEVICE, inode, links, sizeBytes, uid: UID, mode };
  }
  const folder = node instanceof MemoryFolder;
  return {
    kind: folder ? 'folder' : node.odd,
    device: DEVICE,
    inode,
    links: folder ? 2 : 1,
    sizeBytes: 0,
    uid: UID,
    mode: folder ? 0o700 : 0o777,
  };
}
