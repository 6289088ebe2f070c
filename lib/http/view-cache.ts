/**
 * Views whose text is kept until something changed that they show: a new event, the condition of the ledger, a warning,
 * or a lease that ran out. The `ETag` is made of the same facts (not of ids: a header holds latin1 only), so a reader
 * that has the current one costs no view at all.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { limits } from '../base/limits.js';
import { type Random, randomHex } from '../base/random.js';
import { jobTypes } from '../model/event.js';
import type { State } from '../model/state.js';
import type { HttpKernel } from './dependencies.js';
import { jsonTexts } from './json-text.js';
import type { LongView } from './long-views.js';
import { inPieces } from './outflow.js';

export interface View {
  readonly etag: string;
  /** The whole text, where it is at hand; otherwise its pieces, in order. */
  readonly text?: Buffer;
  readonly pieces: Iterable<Buffer>;
}

interface Kept {
  readonly etag: string;
  readonly text: Buffer;
}

/** How many selections of the status are kept at once. */
const KEPT_VIEWS = 8;

export class ViewCache {
  readonly #kept = new Map<string, Kept>();
  /** A restart counts events anew, with other content perhaps: tags of different processes never match. */
  readonly #process: string;
  readonly #kernel: HttpKernel;
  readonly #clock: Clock;
  #facts = '';
  /** Until when `#facts` hold, as far as leases go. */
  #nextExpiryMs = 0;
  #expiryKnownAt = -1;
  #expiryTakenMs = 0;

  constructor(kernel: HttpKernel, clock: Clock, random: Random) {
    this.#kernel = kernel;
    this.#clock = clock;
    this.#process = randomHex(random, 8);
  }

  /** The tag of a view as it would be made now. `name` tells views and their selections apart. */
  etag(name: string): string {
    this.#refresh();
    return `"${createHash('sha256').update(`${this.#facts}\n${name}`).digest('hex').slice(0, 32)}"`;
  }

  view(name: string, make: LongView): View {
    const etag = this.etag(name);
    const kept = this.#kept.get(name);
    if (kept?.etag === etag) return { etag, text: kept.text, pieces: [kept.text] };
    return { etag, pieces: this.#keeping(name, etag, make(this.#kernel.state, this.#kernel.viewContext())) };
  }

  /** Makes the pieces, and keeps them together when the view was taken whole and is not too large. */
  *#keeping(name: string, etag: string, value: unknown): Generator<Buffer> {
    let pieces: Buffer[] | undefined = [];
    let size = 0;
    for (const text of inPieces(jsonTexts(value))) {
      const piece = Buffer.from(text, 'utf8');
      size += piece.length;
      if (size > limits.httpKeptViewBytes) pieces = undefined;
      pieces?.push(piece);
      yield piece;
    }
    if (pieces === undefined) return;
    this.#kept.delete(name);
    this.#kept.set(name, { etag, text: Buffer.concat(pieces) });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_VIEWS) break;
      this.#kept.delete(oldest);
    }
  }

  #refresh(): void {
    const { state } = this.#kernel;
    const context = this.#kernel.viewContext();
    const wallMs = this.#clock.wallMs();
    const steppedBack = wallMs < this.#expiryTakenMs;
    if (this.#expiryKnownAt !== state.lastSeq || wallMs >= this.#nextExpiryMs || steppedBack)
      this.#takeExpiry(state, wallMs);
    const { rebuiltAt, health, warnings, projectionFailure } = context;
    const withoutWorker = jobTypes.map((type) => context.noWorkerFor(type));
    const shown = [
      this.#process,
      state.lastSeq,
      this.#nextExpiryMs,
      rebuiltAt,
      health,
      warnings(),
      projectionFailure,
      withoutWorker,
    ];
    this.#facts = JSON.stringify(shown);
  }

  /** When the next of the leases that still hold runs out. A lease that ran out already shows so. */
  #takeExpiry(state: State, wallMs: number): void {
    let next = Number.MAX_SAFE_INTEGER;
    for (const jobId of state.running()) {
      const expiresMs = Date.parse(state.job(jobId)?.lease_expires_at ?? '');
      if (expiresMs > wallMs && expiresMs < next) next = expiresMs;
    }
    this.#nextExpiryMs = next;
    this.#expiryKnownAt = state.lastSeq;
    this.#expiryTakenMs = wallMs;
  }
}
