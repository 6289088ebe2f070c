/**
 * How much is taken in at a time. Group commit makes a slow disk's batches larger, not more: every caller waits a little
 * longer. But what is acknowledged later than `limits.acknowledgeMs` finds its caller gone, and what waits meanwhile
 * takes memory: from there on callers are told 503 at once, with a time to come again, until the disk has caught up.
 * Reads, health first of all, are answered throughout.
 */
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { HttpKernel } from './dependencies.js';

const COME_AGAIN = 'try again later';

export class Intake {
  readonly #kernel: Pick<HttpKernel, 'waitingMs'>;
  #heldBytes = 0;

  constructor(kernel: Pick<HttpKernel, 'waitingMs'>) {
    this.#kernel = kernel;
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
  hold(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes > limits.heldBodyBytes) {
      throw new AgentopsdError(
        'overloaded',
        `more than ${limits.heldBodyBytes} bytes of requests wait for the disk; ${COME_AGAIN}`,
      );
    }
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}
