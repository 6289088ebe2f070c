/**
 * The content of one file on the disk in memory: what a reader sees, what is on the platter, and the changes between the
 * two in their order.
 */
const SECTOR_BYTES = 512;

/** A byte array that grows. */
class Image {
  #bytes = Buffer.alloc(0);
  size = 0;

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(end, this.#bytes.length * 2, 1024));
      this.#bytes.copy(grown, 0, 0, this.size);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, position);
    this.size = Math.max(this.size, end);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.size) this.#bytes.fill(0, sizeBytes, this.size);
    else this.write(Buffer.alloc(sizeBytes - this.size), this.size);
    this.size = sizeBytes;
  }

  read(position: number, length: number): Buffer {
    return Buffer.from(this.#bytes.subarray(Math.min(position, this.size), Math.min(position + length, this.size)));
  }

  copy(): Image {
    const copy = new Image();
    copy.write(this.read(0, this.size), 0);
    return copy;
  }
}

type Change = { readonly bytes: Buffer; readonly position: number } | { readonly sizeBytes: number };

function make(image: Image, change: Change): void {
  if ('bytes' in change) image.write(change.bytes, change.position);
  else image.truncate(change.sizeBytes);
}

/** How a failed sync leaves the page cache. */
export type FailedSync = 'clean' | 'reverted' | 'once';
export type SectorFate = 'old' | 'new' | 'zero';

export class MemoryFile {
  readonly inode: number;
  readonly mode: number;
  links = 0;
  /** Goes up with every change of what is seen: whoever keeps something about the content compares it. */
  revision = 0;
  #seen = new Image();
  #durable = new Image();
  #unsynced: Change[] = [];
  /** A sync failed and left bytes to be seen that no later sync writes. */
  #neverWritten = false;

  constructor(inode: number, mode: number) {
    this.inode = inode;
    this.mode = mode;
  }

  get size(): number {
    return this.#seen.size;
  }
  get isSynced(): boolean {
    return this.#unsynced.length === 0 && !this.#neverWritten;
  }
  read(position: number, length: number): Buffer {
    return this.#seen.read(position, length);
  }
  durable(): Buffer {
    return this.#durable.read(0, this.#durable.size);
  }

  /** Another file with the same content, durable and not. */
  copy(): MemoryFile {
    const copy = new MemoryFile(this.inode, this.mode);
    copy.links = this.links;
    copy.#seen = this.#seen.copy();
    copy.#durable = this.#durable.copy();
    copy.#unsynced = this.#unsynced.slice();
    copy.#neverWritten = this.#neverWritten;
    return copy;
  }

  /** Somebody else changes it, durably: what is not synced stays so. */
  tamper(change: Change): void {
    this.revision++;
    make(this.#seen, change);
    make(this.#durable, change);
  }

  change(change: Change): void {
    this.revision++;
    make(this.#seen, change);
    this.#unsynced.push(change);
  }

  sync(): void {
    for (const change of this.#unsynced) make(this.#durable, change);
    this.#unsynced = [];
  }

  /** `clean`: seen still, but never written; `reverted`: what was written is gone; `once`: still to be written. */
  failSync(how: FailedSync): void {
    if (how === 'once') return;
    this.#unsynced = [];
    this.revision++;
    if (how === 'reverted') this.#seen = this.#durable.copy();
    else this.#neverWritten = true;
  }

  /** Each unsynced sector comes out old, new or zero; the size old or new. */
  losePower(sectorFate: (sector: number) => SectorFate, sizeFate: () => 'old' | 'new'): void {
    this.revision++;
    const old = this.#durable;
    const fresh = old.copy();
    for (const change of this.#unsynced) make(fresh, change);
    const size = old.size === fresh.size || sizeFate() === 'new' ? fresh.size : old.size;
    const after = new Image();
    after.truncate(size);
    for (let at = 0; at < size; at += SECTOR_BYTES)
      after.write(sectorAfter(old, fresh, at, sectorFate).subarray(0, size - at), at);
    this.#seen = after;
    this.#durable = after.copy();
    this.#unsynced = [];
    this.#neverWritten = false;
  }
}

function sectorAfter(old: Image, fresh: Image, at: number, fate: (sector: number) => SectorFate): Buffer {
  const [before, now] = [padded(old, at), padded(fresh, at)];
  if (before.equals(now)) return now;
  switch (fate(at / SECTOR_BYTES)) {
    case 'old':
      return before;
    case 'new':
      return now;
    case 'zero':
      // Of what was durable before nothing is lost: a sector is rewritten with equal bytes in front.
      return Buffer.from(now.map((byte, index) => (byte === before[index] ? byte : 0)));
  }
}

function padded(image: Image, at: number): Buffer {
  const sector = Buffer.alloc(SECTOR_BYTES);
  image.read(at, SECTOR_BYTES).copy(sector);
  return sector;
}
