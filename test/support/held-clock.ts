/** A clock whose waits are kept until the test lets the time of one length pass; everything else is real. */
import { MovedClock } from './http-kernel.js';

export class HeldClock extends MovedClock {
  readonly #held: { delayMs: number; work: () => void }[] = [];
  #told = (): void => {};

  override after(delayMs: number, work: () => void): () => void {
    const held = { delayMs, work };
    this.#held.push(held);
    this.#told();
    return () => {
      const at = this.#held.indexOf(held);
      if (at >= 0) this.#held.splice(at, 1);
    };
  }

  count(delayMs: number): number {
    return this.#held.filter((held) => held.delayMs === delayMs).length;
  }

  pass(delayMs: number): void {
    for (const held of this.#held.filter((each) => each.delayMs === delayMs)) {
      this.#held.splice(this.#held.indexOf(held), 1);
      held.work();
    }
  }

  async waited(delayMs: number, count = 1): Promise<void> {
    while (this.count(delayMs) < count) await new Promise<void>((resolve) => (this.#told = resolve));
  }

  /** A server that closes looks now and then whether it may. */
  async whileClosing(closing: Promise<void>): Promise<void> {
    const stepMs = 50;
    const closed = closing.then(() => true);
    while (!(await Promise.race([closed, new Promise<false>((resolve) => setImmediate(() => resolve(false)))])))
      this.pass(stepMs);
  }
}
