/**
 * One run: a seed draws a plan, and then, step by step, who does what. Crash follows upon crash; what a loss of power may
 * leave is tried in the worst and in the best way on copies of the disk, and by chance on the disk that goes on. At the
 * end nothing fails any more, and everything has to come to its end.
 */
import { Aftermath } from './aftermath.js';
import { calmDown } from './calm.js';
import { Violation, Witness } from './checker/witness.js';
import { Coverage } from './coverage.js';
import { Dice } from './dice.js';
import { putRight, tamper } from './outside.js';
import { Population } from './population.js';
import { Died } from './process-disk.js';
import { drawCrash, drawError, drawPlan, drawRare, isRare } from './run-plan.js';
import { stealLock, strangeTime, turnRoom } from './surroundings.js';
import { Trace } from './trace.js';
import { Turns, turn } from './turns.js';
import { Workload } from './workload.js';
import { World } from './world.js';

export interface RunResult {
  readonly seed: number;
  readonly violation: string | undefined;
  readonly traceHash: string;
  /** Ledgers opened behind a crash, on the disk that goes on and on its copies. */
  readonly recoveries: number;
  readonly crashes: number;
  readonly acknowledged: number;
  readonly steps: number;
  readonly coverage: Coverage;
  readonly trace: readonly string[] | undefined;
}

/** Faults that wait for a call of their own; each hinders those behind it no more than it has to. */
const RARE_AT_ONCE = 3;

/** The world of the run that is under way, for a promise that nobody looks after. */
let running: World | undefined;
process.on('unhandledRejection', (reason) => {
  if (reason instanceof Died) return;
  if (running === undefined) throw reason;
  running.violated(`a promise was rejected and nobody looked: ${whole(reason)}`);
});

export async function simulate(seed: number, options: { readonly keepsTrace?: boolean } = {}): Promise<RunResult> {
  const run = new Run(seed, options.keepsTrace ?? false);
  await run.live();
  return run.result();
}

function whole(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

class Run {
  readonly #seed: number;
  readonly #dice: Dice;
  readonly #world: World;
  readonly #turns: Turns;
  readonly #workload: Workload;
  readonly #population: Population;
  readonly #aftermath: Aftermath;
  readonly #trace: Trace;
  #lifeSteps = 0;
  #lifeLimit = 0;
  #tampersAt = 0;
  #waitsToTamper = false;
  #crashes = 0;

  constructor(seed: number, keepsTrace: boolean) {
    this.#seed = seed;
    this.#dice = new Dice(seed);
    this.#trace = new Trace(keepsTrace);
    const plan = drawPlan(this.#dice);
    this.#trace.note(JSON.stringify(plan));
    this.#world = new World({
      witness: new Witness(),
      dice: this.#dice,
      plan,
      coverage: new Coverage(),
      trace: this.#trace,
    });
    this.#turns = new Turns(this.#world);
    this.#workload = new Workload(this.#world);
    this.#population = new Population(this.#world, this.#dice);
    this.#aftermath = new Aftermath(this.#world, this.#dice);
    this.#world.disk.plantFolder('/repository');
  }

  async live(): Promise<void> {
    const world = this.#world;
    running = world;
    try {
      this.#beginLife();
      while (this.#crashes < world.plan.crashes && !this.#turns.isOver()) {
        await turn();
        if (world.violation !== undefined) break;
        if (world.crashed !== undefined) await this.#crashed(world.crashed);
        else this.#step();
      }
      if (!this.#turns.isOver())
        await calmDown({
          world,
          turns: this.#turns,
          population: this.#population,
          aftermath: this.#aftermath,
          workload: this.#workload,
        });
    } catch (error) {
      // Whatever it is, what is judged here has thrown what it must not.
      world.violation ??= error instanceof Violation ? error : new Violation(whole(error));
    }
    for (const process of world.living) world.end(process);
    await turn();
  }

  result(): RunResult {
    return {
      seed: this.#seed,
      violation: this.#world.violation?.message,
      traceHash: this.#trace.hash(),
      recoveries: this.#aftermath.recoveries,
      crashes: this.#crashes,
      acknowledged: this.#world.witness.acknowledgedCount,
      steps: this.#turns.steps,
      coverage: this.#world.coverage,
      trace: this.#trace.lines,
    };
  }

  async #crashed(end: 'kill' | 'power'): Promise<void> {
    this.#world.crashed = undefined;
    this.#crashes++;
    await this.#aftermath.crashed(end);
  }

  #step(): void {
    const world = this.#world;
    const dice = this.#dice;
    this.#lifeSteps++;
    const due = this.#whatIsDue();
    if (due !== undefined) {
      due();
      return;
    }
    const ready = world.parked.filter(({ process }) => !process.isPaused);
    const serving = world.living.filter((process) => process.isServing);
    if (world.tampered !== undefined) for (const process of serving) this.#population.judgeSaved(process);
    dice.weighted<() => void>([
      [ready.length > 0 ? 10 : 0, () => this.#turns.letThrough(ready)],
      [serving.length > 0 ? 2 : 0, () => this.#workload.act(dice.pick(serving))],
      [ready.length + serving.length > 0 ? 0.15 : 5, () => this.#wait(ready.length + serving.length === 0)],
      [this.#population.mayStartAnother() ? 0.06 : 0, () => this.#population.start()],
      [world.plan.writers > 1 ? 0.04 : 0, () => this.#population.pause(dice.pick(world.living))],
      [world.living.some((process) => process.isPaused) ? 0.3 : 0, () => this.#population.wake()],
      [serving.length > 0 ? 0.03 : 0, () => this.#population.close(dice.pick(serving))],
      [serving.some(({ stopped }) => stopped !== undefined) ? 0.3 : 0, () => this.#population.endStopped(serving)],
      [0.04, () => strangeTime(world)],
      [world.plan.errors > 0 ? (world.diskFull ? 0.4 : 0.05) : 0, () => turnRoom(world)],
      [world.plan.guarded && world.lock.holder !== undefined ? 0.02 : 0, () => stealLock(world)],
    ])();
  }

  /** What leaves no choice. */
  #whatIsDue(): (() => void) | undefined {
    const world = this.#world;
    const { wanted } = world;
    if (wanted !== undefined) return () => this.#population.grant(wanted);
    if (world.living.length === 0) return () => this.#rise();
    if (this.#lifeSteps > this.#lifeLimit)
      return () => world.crash(this.#dice.maybe(0.7) ? 'power' : 'kill', this.#dice.pick(world.living));
    return this.#isTimeToTamper() ? () => this.#tamper() : undefined;
  }

  #tamper(): void {
    const what = tamper(this.#world);
    if (what !== undefined) this.#world.happens(what);
    // Not while somebody opens: a little later then.
    this.#tampersAt = what === undefined ? this.#lifeSteps + 20 : 0;
  }

  /** Half of the time while a batch is on its way to the disk. */
  #isTimeToTamper(): boolean {
    if (this.#tampersAt === 0 || this.#lifeSteps < this.#tampersAt) return false;
    const onItsWay = this.#world.parked.some(({ call, process }) => call === 'datasync' && process.phase === 'serving');
    return onItsWay || !this.#waitsToTamper || this.#lifeSteps > this.#tampersAt + 100;
  }

  #wait(idle: boolean): void {
    const { time } = this.#world;
    const next = time.nextDueInMs();
    if (idle && next === undefined) this.#population.wake();
    else time.pass(idle ? (next ?? 0) : this.#dice.int(1_500));
  }

  /** Nobody lives any more. */
  #rise(): void {
    const world = this.#world;
    world.processes = world.processes.slice(-6);
    putRight(world);
    if (world.violation === undefined) this.#beginLife();
  }

  #beginLife(): void {
    const { world, dice } = { world: this.#world, dice: this.#dice };
    this.#lifeSteps = 0;
    this.#lifeLimit = 350 + dice.int(250);
    this.#tampersAt = dice.maybe(world.plan.tampering) ? 200 + dice.int(200) : 0;
    this.#waitsToTamper = dice.maybe(0.5);
    world.diskFull = false;
    // A fault whose call is rare waits for it through many lives.
    world.armed = world.armed.filter((armed) => isRare(armed) || dice.maybe(0.5));
    if (world.armed.filter(isRare).length < RARE_AT_ONCE) world.armed.push(drawRare(dice));
    if (!world.armed.some((armed) => armed.kind === 'crash' && !isRare(armed))) world.armed.push(drawCrash(dice));
    if (dice.maybe(world.plan.errors)) world.armed.push(drawError(dice));
    if (dice.maybe(world.plan.errors / 2)) world.armed.push(drawError(dice));
    this.#population.start();
  }
}
