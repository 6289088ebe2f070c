/** The turns of one run: each lets through what waits, and too many of them are a run that hangs. */
import type { Parked, World } from './world.js';

/** A run that takes more turns hangs. */
const MOST_STEPS = 60_000;
const CALM_STEPS = 8_000;

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Turns {
  steps = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** To be asked once a turn. */
  isOver(): boolean {
    if (++this.steps > MOST_STEPS) this.#world.violated(`nothing came of ${MOST_STEPS} steps`);
    return this.#world.violation !== undefined;
  }

  letThrough(ready: readonly Parked[]): void {
    const chosen = this.#world.dice.pick(ready);
    this.#world.parked.splice(this.#world.parked.indexOf(chosen), 1);
    chosen.go();
  }

  /** With no fault left, and everybody at work. */
  async drain(goesOn: () => boolean): Promise<void> {
    const world = this.#world;
    for (let step = 0; step < CALM_STEPS; step++) {
      await turn();
      this.steps++;
      if (!goesOn() || world.violation !== undefined) return;
      if (world.parked.length > 0) this.letThrough(world.parked);
      else world.time.pass(world.time.nextDueInMs() ?? 0);
    }
    world.violated(`nothing failed any more, and nothing came of ${CALM_STEPS} steps`);
  }
}
