/** Who reads beside those who ask: what a reader is shown must never be lost. */
import type { Asking } from './asking.js';
import type { SimulatedProcess } from './process.js';
import type { World } from './world.js';

export class Readers {
  readonly #world: World;
  readonly #asking: Asking;

  constructor(world: World, asking: Asking) {
    this.#world = world;
    this.#asking = asking;
  }

  /** A reader looks at the state. */
  look(process: SimulatedProcess): void {
    const { lastEventId, lastSeq } = process.kernel?.state ?? {};
    if (lastEventId === undefined || lastSeq === undefined) return;
    this.#world.judge(() => this.#world.witness.shows(lastEventId, lastSeq));
    this.#asking.requireDurable(`${lastEventId} was shown to a reader`, `"event_id":"${lastEventId}"`);
  }

  /** A reader asks for the events themselves. */
  async read(process: SimulatedProcess): Promise<void> {
    const { ledger } = process;
    if (ledger === undefined || this.#world.tampered !== undefined) return;
    const toSeq = ledger.lastSeq();
    let seq = Math.max(0, toSeq - this.#world.dice.int(12));
    const excuses = process.excuses;
    try {
      for await (const { event } of ledger.read(seq + 1, toSeq)) {
        if (process.isOver) return;
        seq += 1;
        if (event.seq !== seq) return this.#world.violated(`a reader was given event ${event.seq} for ${seq}`);
        this.#world.judge(() => this.#world.witness.shows(event.event_id, event.seq));
      }
      if (seq !== toSeq && !process.isOver) this.#world.violated(`a reader was given events up to ${seq} of ${toSeq}`);
    } catch (error) {
      if (!process.isOver && process.excuses === excuses && !this.#world.everTampered)
        this.#world.violated(`a reader was refused: ${String(error)}`);
    }
  }
}
