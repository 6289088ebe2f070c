/**
 * How much is taken in at a time. Group commit makes a slow disk's batches larger, not more: every caller waits a little
 * longer. But what is acknowledged later than `limits.acknowledgeMs` finds its caller gone, and what waits meanwhile
 * takes memory: from there on callers are told 503 at once, with a time to come again, until the disk has caught up. Who
 * was let in before is not left without an answer either: after `limits.outcomeMs` he is told that nobody knows.
 * Reads, health first of all, are answered throughout.
 */
import type { Clock } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { Places } from '../base/places.js';
import type { HttpKernel } from './dependencies.js';
import type { Exchange } from './exchange.js';

const COME_AGAIN = 'try again later';
/** Between two looks at how long callers have been waiting. */
const LOOK_MS = 1000;

export class Intake {
  readonly #kernel: Pick<HttpKernel, 'waitingMs'>;
  readonly #clock: Clock;
  readonly #waiting = new Places<Exchange>();
  #looks = false;
  #heldBytes = 0;

  constructor(kernel: Pick<HttpKernel, 'waitingMs'>, clock: Clock) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  /** Of all bodies whose requests are not answered yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Before more work is taken in. @throws AgentopsdError `overloaded` */
  check(): void {
    const waitingMs = this.#kernel.waitingMs();
    if (waitingMs <= limits.acknowledgeMs) return;
    throw new AgentopsdError(
      'overloaded',
      `the disk does not keep up: what came ${(waitingMs / 1000).toFixed(1)} s ago is not written yet; ${COME_AGAIN}`,
    );
  }

  /** A piece of a body came. @throws AgentopsdError `overloaded` when all of them together take too much */
  hold(exchange: Exchange, bytes: number): void {
    exchange.heldBytes += bytes;
    this.#heldBytes += bytes;
    if (this.#heldBytes > limits.heldBodyBytes) {
      throw new AgentopsdError(
        'overloaded',
        `more than ${limits.heldBodyBytes} bytes of requests wait for the disk; ${COME_AGAIN}`,
      );
    }
  }

  /** Answers as `carried` does, in time. What comes of it later happens all the same. @throws AgentopsdError `outcome_unknown` */
  inTime<Value>(exchange: Exchange, carried: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const place = this.#waiting.take(exchange);
      exchange.waiting = { place, sinceMs: this.#clock.monotonicMs(), giveUp: reject };
      this.#lookLater();
      carried.then(resolve, reject);
    });
  }

  /** It is answered: nothing of it is held any more, and it waits no longer. */
  release(exchange: Exchange): void {
    this.#heldBytes -= exchange.heldBytes;
    if (exchange.waiting === undefined) return;
    this.#waiting.leave(exchange.waiting.place);
    exchange.waiting = undefined;
  }

  #lookLater(): void {
    if (this.#looks) return;
    this.#looks = true;
    this.#clock.after(LOOK_MS, () => {
      this.#looks = false;
      this.#look();
    });
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const { waiting } of this.#waiting) {
      if (waiting === undefined || nowMs - waiting.sinceMs <= limits.outcomeMs) continue;
      waiting.giveUp(
        new AgentopsdError(
          'outcome_unknown',
          `the disk did not answer within ${limits.outcomeMs / 1000} s: it is not known whether this is written`,
          { hint: 'ask again with the same key' },
        ),
      );
    }
    if (this.#waiting.size > 0) this.#lookLater();
  }
}
