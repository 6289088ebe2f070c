/**
 * The jobs of one type that wait for a worker, first in first out. Removing from the middle marks an entry as gone; the
 * front moves over such entries, so that every operation costs the same whatever the length.
 */
interface Entry {
  readonly jobId: string;
  gone: boolean;
}

const COMPACT_FROM = 1024;

export class ClaimQueue implements Iterable<string> {
  #entries: Entry[] = [];
  #front = 0;
  readonly #live = new Map<string, Entry>();

  get size(): number {
    return this.#live.size;
  }

  add(jobId: string): void {
    if (this.#live.has(jobId)) return;
    const entry = { jobId, gone: false };
    this.#entries.push(entry);
    this.#live.set(jobId, entry);
  }

  remove(jobId: string): void {
    const entry = this.#live.get(jobId);
    if (entry === undefined) return;
    entry.gone = true;
    this.#live.delete(jobId);
    this.#advance();
  }

  *[Symbol.iterator](): Iterator<string> {
    for (let at = this.#front; at < this.#entries.length; at++) {
      const entry = this.#entries[at];
      if (entry !== undefined && !entry.gone) yield entry.jobId;
    }
  }

  #advance(): void {
    while (this.#entries[this.#front]?.gone) this.#front++;
    if (this.#front < COMPACT_FROM || this.#front * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#front);
    this.#front = 0;
  }
}
