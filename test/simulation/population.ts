/** The daemons of a run: who begins, sleeps, wakes, and ends. */
import type { Dice } from './dice.js';
import { whyNotSaved } from './outside.js';
import { SimulatedProcess } from './process.js';
import type { World } from './world.js';

export class Population {
  readonly #world: World;
  readonly #dice: Dice;
  #begun = 0;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  mayStartAnother(): boolean {
    const { living, plan, tampered } = this.#world;
    return living.length < plan.writers && tampered === undefined;
  }

  start(): void {
    const world = this.#world;
    // Mostly on the same machine; sometimes in another container.
    const process = new SimulatedProcess(world, ++this.#begun, this.#dice.maybe(0.7) ? 0 : 1);
    for (const other of world.living) {
      other.excuses++;
      process.excuses++;
    }
    world.processes.push(process);
    world.note(`${process.name} starts as pid ${process.pid} in namespace ${process.namespace}`);
    process.start();
  }

  pause(process: SimulatedProcess): void {
    if (process.isPaused) return;
    process.isPaused = true;
    process.pausedAtMs = this.#world.time.monotonicMs;
    this.#world.note(`${process.name} is paused`);
  }

  wake(): void {
    const paused = this.#world.living.filter((process) => process.isPaused);
    if (paused.length === 0) return;
    const process = this.#dice.pick(paused);
    process.isPaused = false;
    this.#world.note(`${process.name} wakes`);
  }

  close(process: SimulatedProcess): void {
    this.#world.happens('clean stop');
    process.close();
  }

  /** A daemon whose writer stopped is ended, in one way or the other. */
  endStopped(serving: readonly SimulatedProcess[]): void {
    const world = this.#world;
    const process = this.#dice.pick(serving.filter(({ stopped }) => stopped !== undefined));
    if (world.parked.some((one) => one.process === process)) return;
    if (this.#dice.maybe(0.5)) this.close(process);
    else world.crash('kill', process);
  }

  /** Who stopped because a segment was removed, and met nothing else, has saved it. */
  judgeSaved(process: SimulatedProcess): void {
    const world = this.#world;
    const gone = world.tampered?.what;
    if (gone === undefined || world.files().has(gone) || process.excuses > 0 || !process.stopped?.includes(gone))
      return;
    if (world.parked.some((one) => one.process === process)) return;
    // One that was just being made held nothing yet.
    if (gone > (process.ledger?.segment.name ?? '')) return;
    const why = whyNotSaved(world, gone);
    if (why !== undefined) world.violated(why);
  }

  grant(wanted: 'second writer' | 'pause'): void {
    const world = this.#world;
    world.wanted = undefined;
    if (world.meeting !== undefined && !world.meeting.isOver) this.pause(world.meeting);
    if (wanted === 'second writer' && world.tampered === undefined && world.living.length < 3) this.start();
  }
}
