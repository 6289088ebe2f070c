/** Files that were no JSON when they were looked at: somebody may still be writing them. */
import type { Clock } from '../base/clock.js';
import { limits } from '../base/limits.js';

export class Unsettled {
  readonly #clock: Clock;
  /** By name: their bytes, and since when they are these. */
  readonly #files = new Map<string, { readonly hash: string; readonly sinceMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether these bytes have stood there for long enough to be all that comes. */
  hasSettled(name: string, hash: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const before = this.#files.get(name);
    if (before?.hash === hash) return nowMs - before.sinceMs >= limits.inboxSettleMs;
    this.#files.set(name, { hash, sinceMs: nowMs });
    return false;
  }

  forget(name: string): void {
    this.#files.delete(name);
  }

  /** Forgets all others. */
  keep(names: readonly string[]): void {
    for (const name of this.#files.keys()) if (!names.includes(name)) this.#files.delete(name);
  }
}
