/**
 * Ends a run that its two configured times would let go on for too long: one that says nothing but that it does not reach
 * its model, and one that stays behind its final event.
 */
import type { Heard } from './adapter.js';
import type { Ended } from './verdict.js';

export interface LifeLimits {
  readonly unreachableMs: number;
  readonly lingerMs: number;
}

export class LifeWatch {
  readonly #limits: LifeLimits;
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #waitsFor: Ended | undefined;
  #ended: Ended | undefined;
  /** It said last that it does not reach its model. */
  #complained = false;

  constructor(limits: LifeLimits) {
    this.#limits = limits;
  }

  /** Aborts when the process is to be ended. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Complaining that the model can't be reached is none. */
  get isSignOfLife(): boolean {
    return this.#waitsFor !== 'unreachable';
  }

  /**
   * Only what comes of its model shows that it reaches it: other lines come between two complaints, and behind them.
   * @param isOver whether it has told its end
   */
  heard({ unreachable, text }: Heard, isOver: boolean): void {
    if (unreachable === true) this.#waitFor('unreachable');
    else if (isOver) this.#waitFor('lingering');
    else if (text !== undefined || this.#waitsFor === 'lingering') this.#waitFor(undefined);
    this.#complained = unreachable === true || (this.#complained && text === undefined);
  }

  /**
   * Why it was ended, if not for its configured times. Complaints count as silence: which of the two limits came first
   * makes no difference.
   */
  whyEnded(stopped: 'timeout' | 'idle' | 'aborted' | undefined): Ended | undefined {
    return this.#ended ?? (stopped === 'idle' && this.#complained ? 'unreachable' : undefined);
  }

  /** Idempotent. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #waitFor(what: Ended | undefined): void {
    if (what === 'unreachable' && this.#waitsFor === what) return;
    this.stop();
    this.#waitsFor = what;
    if (what === undefined) return;
    const end = () => {
      this.#ended = what;
      this.#ending.abort();
    };
    this.#timer = setTimeout(end, what === 'unreachable' ? this.#limits.unreachableMs : this.#limits.lingerMs);
  }
}
