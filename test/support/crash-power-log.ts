/**
 * The log of the preloaded shim (`crash-power.c`), and what is on the platter by it. A record is, little endian:
 *
 *   u32 bytes of the record, u32 kind, u64 inode, u64 parent, u64 parent of the target, u64 number,
 *   u32 bytes of the name, u32 bytes of the target's name, name, target's name, data
 *
 * The last one may be cut short: its process was killed. The model: each file has its durable bytes and the changes
 * since; each folder its durable names and the changes since. A sync of a file makes durable what was changed before the
 * sync began, of this file's bytes alone; a sync of a folder the names in it. Nothing else makes anything durable.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';

const kinds = [
  'none',
  'create',
  'write',
  'truncate',
  'sync_begin',
  'sync_end',
  'link',
  'rename',
  'unlink',
  'mkdir',
  'rmdir',
  'unknown',
] as const;

interface LogRecord {
  readonly kind: (typeof kinds)[number];
  readonly inode: number;
  readonly parent: number;
  readonly parentTo: number;
  readonly number: number;
  readonly name: string;
  readonly nameTo: string;
  readonly data: Buffer;
}

const HEAD_BYTES = 48;

function* recordsOf(log: Buffer): Generator<LogRecord> {
  for (let at = 0; at + HEAD_BYTES <= log.length; ) {
    const bytes = log.readUInt32LE(at);
    if (bytes < HEAD_BYTES || at + bytes > log.length) return;
    const big = (offset: number): number => Number(log.readBigUInt64LE(at + offset));
    const nameAt = at + HEAD_BYTES;
    const nameToAt = nameAt + log.readUInt32LE(at + 40);
    const dataAt = nameToAt + log.readUInt32LE(at + 44);
    yield {
      kind: kinds[log.readUInt32LE(at + 4)] ?? 'unknown',
      inode: big(8),
      parent: big(16),
      parentTo: big(24),
      number: big(32),
      name: log.toString('utf8', nameAt, nameToAt),
      nameTo: log.toString('utf8', nameToAt, dataAt),
      data: log.subarray(dataAt, at + bytes),
    };
    at += bytes;
  }
}

/** Bytes written at a position, or a new size. */
export type Change = { readonly position: number; readonly data: Buffer } | { readonly sizeBytes: number };
export type NameChange = {
  readonly set?: readonly [string, Node];
  readonly unset?: readonly [string, Node];
};
type Numbered<What> = What & { readonly order: number };

export interface FileNode {
  readonly kind: 'file';
  readonly mode: number;
  durable: Buffer;
  unsynced: Numbered<Change>[];
}
export interface FolderNode {
  readonly kind: 'folder';
  readonly mode: number;
  durable: Map<string, Node>;
  unsynced: Numbered<NameChange>[];
}
export type Node = FileNode | FolderNode;

export function changed(bytes: Buffer, change: Change): Buffer {
  const end = 'data' in change ? Math.max(bytes.length, change.position + change.data.length) : change.sizeBytes;
  const result = Buffer.alloc(end);
  bytes.copy(result, 0, 0, Math.min(bytes.length, end));
  if ('data' in change) change.data.copy(result, change.position);
  return result;
}

export function renamed(names: ReadonlyMap<string, Node>, { set, unset }: NameChange): Map<string, Node> {
  const result = new Map(names);
  if (unset !== undefined && result.get(unset[0]) === unset[1]) result.delete(unset[0]);
  if (set !== undefined) result.set(...set);
  return result;
}

/** What stands below a folder: on the platter, and since. */
export class PowerTree {
  readonly top: FolderNode;
  /** Calls that the model does not know: with one of them no answer of its is worth anything. */
  readonly unknown: string[] = [];
  readonly #nodes = new Map<number, Node>();
  readonly #syncs = new Map<number, { node: Node; order: number }>();
  #order = 0;

  /** Takes all that stands there now for durable. */
  constructor(folder: string) {
    this.top = this.#read(folder) as FolderNode;
  }

  #read(path: string): Node {
    const facts = fs.lstatSync(path);
    const mode = facts.mode & 0o7777;
    const known = this.#nodes.get(facts.ino);
    if (known !== undefined) return known;
    const node: Node = facts.isDirectory()
      ? { kind: 'folder', mode, durable: new Map(), unsynced: [] }
      : { kind: 'file', mode, durable: fs.readFileSync(path), unsynced: [] };
    this.#nodes.set(facts.ino, node);
    if (node.kind === 'folder') {
      for (const name of fs.readdirSync(path)) node.durable.set(name, this.#read(join(path, name)));
    }
    return node;
  }

  apply(log: Buffer): void {
    for (const record of recordsOf(log)) {
      this.#order += 1;
      this.#take(record);
    }
  }

  #take(record: LogRecord): void {
    const { kind, inode, name, number } = record;
    const parent = this.#folder(record.parent);
    const order = this.#order;
    if (kind === 'create' || kind === 'mkdir') {
      if (parent === undefined) return;
      const node: Node =
        kind === 'mkdir'
          ? { kind: 'folder', mode: number, durable: new Map(), unsynced: [] }
          : { kind: 'file', mode: number, durable: Buffer.alloc(0), unsynced: [] };
      this.#nodes.set(inode, node);
      parent.unsynced.push({ order, set: [name, node] });
    } else if (kind === 'unlink' || kind === 'rmdir') {
      const gone = parent && seenNames(parent).get(name);
      if (gone !== undefined) parent?.unsynced.push({ order, unset: [name, gone] });
    } else if (kind === 'rename' || kind === 'link') this.#move(record, parent);
    else if (kind === 'sync_begin' || kind === 'sync_end') this.#sync(record);
    else if (kind === 'write' || kind === 'truncate') {
      const node = this.#nodes.get(inode);
      if (node?.kind !== 'file') return;
      node.unsynced.push({
        order,
        ...(kind === 'write' ? { position: number, data: record.data } : { sizeBytes: number }),
      });
    } else this.unknown.push(name);
  }

  #folder(inode: number): FolderNode | undefined {
    const node = this.#nodes.get(inode);
    return node?.kind === 'folder' ? node : undefined;
  }

  #move({ kind, name, nameTo, parentTo, inode }: LogRecord, parent: FolderNode | undefined): void {
    const to = this.#folder(parentTo);
    const node = this.#nodes.get(inode);
    if (node === undefined || parent === undefined || to === undefined) return;
    const order = this.#order;
    const set: [string, Node] = [nameTo, node];
    if (kind === 'link') to.unsynced.push({ order, set });
    else if (parent === to) to.unsynced.push({ order, set, unset: [name, node] });
    else {
      to.unsynced.push({ order, set });
      parent.unsynced.push({ order, unset: [name, node] });
    }
  }

  #sync({ kind, inode, number }: LogRecord): void {
    if (kind === 'sync_begin') {
      const node = this.#nodes.get(inode);
      if (node !== undefined) this.#syncs.set(number, { node, order: this.#order });
      return;
    }
    const sync = this.#syncs.get(number);
    if (sync === undefined) return;
    this.#syncs.delete(number);
    settle(sync.node, ({ order }) => order < sync.order);
  }
}

/** Makes durable what `kept` names, in its order, and forgets it. */
export function settle(node: Node, kept: (change: { order: number }) => boolean): void {
  if (node.kind === 'file') {
    for (const change of node.unsynced.filter(kept)) node.durable = changed(node.durable, change);
    node.unsynced = node.unsynced.filter((change) => !kept(change));
  } else {
    for (const change of node.unsynced.filter(kept)) node.durable = renamed(node.durable, change);
    node.unsynced = node.unsynced.filter((change) => !kept(change));
  }
}

/** What a process sees now. */
export function seenNames(folder: FolderNode): Map<string, Node> {
  return folder.unsynced.reduce(renamed, folder.durable);
}

export function seenBytes(file: FileNode): Buffer {
  return file.unsynced.reduce(changed, file.durable);
}
