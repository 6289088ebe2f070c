/** Chance that repeats, in the forms that a simulation asks for. */
import { chance } from '../support/test-clock.js';

export class Dice {
  readonly unit: () => number;

  constructor(seed: number) {
    this.unit = chance(seed);
  }
  /** 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.unit() * below);
  }
  maybe(probability: number): boolean {
    return this.unit() < probability;
  }
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.int(items.length)];
    if (item === undefined) throw new Error('there is nothing to pick from');
    return item;
  }
  /** One of the items, each as likely as its weight says. */
  weighted<Item>(items: readonly (readonly [weight: number, item: Item])[]): Item {
    let at = this.unit() * items.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of items) {
      at -= weight;
      if (at < 0) return item;
    }
    throw new Error('there is nothing to pick from');
  }
  hex(byteCount: number): string {
    return Array.from({ length: byteCount }, () => this.int(256).toString(16).padStart(2, '0')).join('');
  }
  /** Another, independent one. */
  fork(): Dice {
    return new Dice(this.int(0x1_0000_0000));
  }
}
