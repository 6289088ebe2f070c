/**
 * What a crash leaves, and whether it can be recovered from: the worst, the best and some in between on copies of the
 * disk, one by chance on the disk that goes on.
 */
import { allKept, allLost, chanceChoice, type MemoryDisk, type PowerLossChoice } from '../support/memory-disk.js';
import { cloneAndJudge } from './clones.js';
import { damageAndJudge, spoilCheckpoint } from './damage.js';
import type { Dice } from './dice.js';
import { putRight } from './outside.js';
import { recoverAndJudge } from './recovery.js';
import type { World } from './world.js';

/** What a loss of power leaves is drawn so many times on copies. */
const CHANCE_FATES = 10;

export class Aftermath {
  /** Ledgers opened so far, on the disk that goes on and on its copies. */
  recoveries = 0;
  readonly #world: World;
  readonly #dice: Dice;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  async crashed(end: 'kill' | 'power'): Promise<void> {
    const world = this.#world;
    if (end === 'kill') {
      // The same moment, had the whole machine ended: others live on, on a copy they don't.
      if (world.tampered !== undefined) return;
      const disk = world.disk.fork();
      disk.losePower(this.#dice.pick([allLost, allKept]));
      return this.recover(disk, 'killed, and power lost');
    }
    if (world.tampered !== undefined) putRight(world);
    const dice = this.#dice.fork();
    for (const [name, choice] of this.#fates(dice)) {
      const disk = world.disk.fork();
      disk.losePower(choice);
      await this.recover(disk, `power lost, ${name}`);
    }
    if (dice.maybe(0.3)) {
      const what = await damageAndJudge(world.disk, world.witness, dice);
      if (what !== undefined) {
        world.happens(what);
        this.recoveries++;
      }
    }
    if (dice.maybe(0.15)) {
      const what = await cloneAndJudge(world.disk, world.witness, dice);
      if (what !== undefined) {
        world.happens(what);
        this.recoveries++;
      }
    }
    world.disk.losePower(dice.pick([allLost, allKept, ...Array.from({ length: 5 }, () => chanceChoice(dice.unit))]));
    world.boot++;
    if (dice.maybe(0.5)) world.lock.steal();
    world.witness.audit(world.files(), 'power lost');
  }

  /** The worst, the best, and some in between. */
  #fates(dice: Dice): (readonly [string, PowerLossChoice])[] {
    const byChance = Array.from({ length: CHANCE_FATES }, () => ['by chance', chanceChoice(dice.unit)] as const);
    return [
      ['all lost', allLost],
      ['all kept', allKept],
      ['names kept', namesKept(chanceChoice(dice.unit))],
      ...byChance,
    ];
  }

  async recover(disk: MemoryDisk, what: string): Promise<void> {
    const world = this.#world;
    const { witness } = world;
    await recoverAndJudge(disk, witness, this.#dice.int(1e9), what, { verifiesBehind: this.#dice.maybe(0.3) });
    this.recoveries++;
    if (!this.#dice.maybe(0.15)) return;
    // Once with what the first opening left, checkpoints among it, and once by the events alone; a checkpoint that is not
    // what was written is passed over.
    const isSpoiled = this.#dice.maybe(0.3) && spoilCheckpoint(disk, this.#dice);
    if (isSpoiled) world.happens('checkpoint spoiled');
    const again = `${what}, opened twice${isSpoiled ? ', a checkpoint spoiled' : ''}`;
    await recoverAndJudge(disk, witness, this.#dice.int(1e9), again, { withoutCheckpoint: this.#dice.maybe(0.5) });
    this.recoveries++;
    world.happens('opened twice');
  }
}

function namesKept(choice: PowerLossChoice): PowerLossChoice {
  return { ...choice, name: () => 'new' };
}
