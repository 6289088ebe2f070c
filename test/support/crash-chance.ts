/** Chance from one seed, so that a round can be named; what processes do beside it can't be repeated. */
export class Chance {
  readonly seed: number;
  #state: number;

  /** @param given text of `CRASH_SEED`; a new seed without it */
  constructor(given = process.env['CRASH_SEED']) {
    this.seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
    this.#state = this.seed;
  }

  /** From 0 up to `end`, which is left out. */
  below(end: number): number {
    return Math.floor(this.#next() * end);
  }

  /** Both ends can come out. */
  between(from: number, to: number): number {
    return Math.min(from, to) + this.below(Math.abs(to - from) + 1);
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** mulberry32 */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** How many rounds a test goes: `CRASH_ROUNDS`, or few. */
export function rounds(few: number): number {
  return Number(process.env['CRASH_ROUNDS'] ?? few);
}
