/**
 * One run: a seed draws a plan, and then, step by step, who does what. Crash follows upon crash; what a loss of power may
 * leave is tried in the worst and in the best way on copies of the disk, and by chance on the disk that goes on. At the
 * end nothing fails any more, and everything has to come to its end.
 */
import { allKept, allLost, chanceChoice, type PowerLossChoice } from '../support/memory-disk.js';
import { judgeState } from './checker/judge-opened.js';
import { Violation, Witness } from './checker/witness.js';
import { cloneAndJudge } from './clones.js';
import { Coverage } from './coverage.js';
import { anchoredSeq, damageAndJudge, spoilCheckpoint } from './damage.js';
import { Dice } from './dice.js';
import { tamper, whyNotSaved } from './outside.js';
import { SimulatedProcess } from './process.js';
import { Died } from './process-disk.js';
import { recoverAndJudge } from './recovery.js';
import { drawCrash, drawError, drawPlan, drawRare } from './run-plan.js';
import { Trace } from './trace.js';
import { Workload } from './workload.js';
import { type Parked, World } from './world.js';

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

/** A run that takes more turns hangs. */
const MOST_STEPS = 60_000;
const CALM_STEPS = 8_000;
/** What a loss of power leaves is drawn so many times on copies. */
const CHANCE_FATES = 10;

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

function namesKept(choice: PowerLossChoice): PowerLossChoice {
  return { ...choice, name: () => 'new' };
}

function whole(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Run {
  readonly #seed: number;
  readonly #dice: Dice;
  readonly #world: World;
  readonly #workload: Workload;
  readonly #trace: Trace;
  #steps = 0;
  #lifeSteps = 0;
  #lifeLimit = 0;
  #tampersAt = 0;
  #waitsToTamper = false;
  #crashes = 0;
  #recoveries = 0;
  #processes = 0;

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
    this.#workload = new Workload(this.#world);
    this.#world.disk.plantFolder('/repository');
  }

  async live(): Promise<void> {
    const world = this.#world;
    running = world;
    try {
      this.#beginLife();
      while (this.#crashes < world.plan.crashes && !this.#isOver()) {
        await turn();
        if (world.violation !== undefined) break;
        if (world.crashed !== undefined) await this.#afterCrash(world.crashed);
        else this.#step();
      }
      if (!this.#isOver()) await this.#calm();
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
      recoveries: this.#recoveries,
      crashes: this.#crashes,
      acknowledged: this.#world.witness.acknowledgedCount,
      steps: this.#steps,
      coverage: this.#world.coverage,
      trace: this.#trace.lines,
    };
  }

  #isOver(): boolean {
    if (++this.#steps > MOST_STEPS) this.#world.violated(`nothing came of ${MOST_STEPS} steps`);
    return this.#world.violation !== undefined;
  }

  // ----------------------------------------------------------------------------------------------------------- steps
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
    if (world.tampered !== undefined) for (const process of serving) this.#judgeSaved(process);
    dice.weighted<() => void>([
      [ready.length > 0 ? 10 : 0, () => this.#letThrough(ready)],
      [serving.length > 0 ? 2 : 0, () => this.#workload.act(dice.pick(serving))],
      [ready.length + serving.length > 0 ? 0.15 : 5, () => this.#wait(ready.length + serving.length === 0)],
      [this.#mayStartAnother() ? 0.06 : 0, () => this.#start()],
      [world.plan.writers > 1 ? 0.04 : 0, () => this.#pause(dice.pick(world.living))],
      [world.living.some((process) => process.isPaused) ? 0.3 : 0, () => this.#wake()],
      [serving.length > 0 ? 0.03 : 0, () => this.#close(dice.pick(serving))],
      [serving.some(({ stopped }) => stopped !== undefined) ? 0.3 : 0, () => this.#endStopped(serving)],
      [0.04, () => this.#strangeTime()],
      [world.plan.errors > 0 ? (world.diskFull ? 0.4 : 0.05) : 0, () => this.#turnRoom()],
      [world.plan.guarded && world.lock.holder !== undefined ? 0.02 : 0, () => this.#stealLock()],
    ])();
  }

  /** What leaves no choice. */
  #whatIsDue(): (() => void) | undefined {
    const world = this.#world;
    const { wanted } = world;
    if (wanted !== undefined) return () => this.#grant(wanted);
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

  #letThrough(ready: readonly Parked[]): void {
    const chosen = this.#dice.pick(ready);
    this.#world.parked.splice(this.#world.parked.indexOf(chosen), 1);
    chosen.go();
  }

  #wait(idle: boolean): void {
    const { time } = this.#world;
    const next = time.nextDueInMs();
    if (idle && next === undefined) this.#wake();
    else time.pass(idle ? (next ?? 0) : this.#dice.int(1_500));
  }

  #mayStartAnother(): boolean {
    const { living, plan, tampered } = this.#world;
    return living.length < plan.writers && tampered === undefined;
  }

  #start(): void {
    const world = this.#world;
    // Mostly on the same machine; sometimes in another container.
    const process = new SimulatedProcess(world, ++this.#processes, this.#dice.maybe(0.7) ? 0 : 1);
    for (const other of world.living) {
      other.excuses++;
      process.excuses++;
    }
    world.processes.push(process);
    world.note(`${process.name} starts as pid ${process.pid} in namespace ${process.namespace}`);
    process.start();
  }

  /** Nobody lives any more. */
  #rise(): void {
    const world = this.#world;
    world.processes = world.processes.slice(-6);
    this.#putRight();
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
    world.armed = world.armed.filter(({ call }) => call === 'truncate' || call === 'makeFolder' || dice.maybe(0.5));
    if (this.#crashes === 0) world.armed.push(drawRare(dice));
    if (!world.armed.some(({ kind, call }) => kind === 'crash' && call !== 'truncate' && call !== 'makeFolder'))
      world.armed.push(drawCrash(dice));
    if (dice.maybe(world.plan.errors)) world.armed.push(drawError(dice));
    if (dice.maybe(world.plan.errors / 2)) world.armed.push(drawError(dice));
    this.#start();
  }

  /** What was done from outside is undone; then everything that was acknowledged is there. */
  #putRight(): void {
    const world = this.#world;
    if (world.tampered === undefined) return;
    world.tampered.restore();
    world.tampered = undefined;
    world.judge(() => world.witness.audit(world.files(), 'everything was put back'));
  }

  // ------------------------------------------------------------------------------------------------------ who lives
  #pause(process: SimulatedProcess): void {
    if (process.isPaused) return;
    process.isPaused = true;
    process.pausedAtMs = this.#world.time.monotonicMs;
    this.#world.note(`${process.name} is paused`);
  }

  #wake(): void {
    const paused = this.#world.living.filter((process) => process.isPaused);
    if (paused.length === 0) return;
    const process = this.#dice.pick(paused);
    process.isPaused = false;
    this.#world.note(`${process.name} wakes`);
  }

  #close(process: SimulatedProcess): void {
    this.#world.happens('clean stop');
    process.close();
  }

  /** A daemon whose writer stopped is ended, in one way or the other. */
  #endStopped(serving: readonly SimulatedProcess[]): void {
    const world = this.#world;
    const process = this.#dice.pick(serving.filter(({ stopped }) => stopped !== undefined));
    if (world.parked.some((one) => one.process === process)) return;
    if (this.#dice.maybe(0.5)) this.#close(process);
    else world.crash('kill', process);
  }

  /** Who stopped because a segment was removed, and met nothing else, has saved it. */
  #judgeSaved(process: SimulatedProcess): void {
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

  #grant(wanted: 'second writer' | 'pause'): void {
    const world = this.#world;
    world.wanted = undefined;
    if (world.meeting !== undefined && !world.meeting.isOver) this.#pause(world.meeting);
    if (wanted === 'second writer' && world.tampered === undefined && world.living.length < 3) this.#start();
  }

  // ------------------------------------------------------------------------------------------------- the surroundings
  #strangeTime(): void {
    const { time } = this.#world;
    if (this.#dice.maybe(0.5)) {
      this.#world.happens('suspend');
      time.wallMs += this.#dice.int(3_600_000);
    } else {
      this.#world.happens('clock step');
      time.wallMs += this.#dice.int(7_200_000) - 3_600_000;
    }
  }

  #turnRoom(): void {
    const world = this.#world;
    world.diskFull = !world.diskFull;
    if (world.diskFull) world.happens('disk full for a while');
  }

  #stealLock(): void {
    this.#world.happens('lock stolen');
    this.#world.lock.steal();
  }

  // ----------------------------------------------------------------------------------------------------------- crash
  async #afterCrash(end: 'kill' | 'power'): Promise<void> {
    const world = this.#world;
    world.crashed = undefined;
    this.#crashes++;
    if (end === 'kill') {
      // The same moment, had the whole machine ended: others live on, on a copy they don't.
      if (world.tampered !== undefined) return;
      const disk = world.disk.fork();
      disk.losePower(this.#dice.pick([allLost, allKept]));
      return this.#recover(disk, 'killed, and power lost');
    }
    if (world.tampered !== undefined) this.#putRight();
    const dice = this.#dice.fork();
    for (const [name, choice] of this.#fates(dice)) {
      const disk = world.disk.fork();
      disk.losePower(choice);
      await this.#recover(disk, `power lost, ${name}`);
    }
    if (dice.maybe(0.3)) {
      const what = await damageAndJudge(world.disk, world.witness, dice);
      if (what !== undefined) {
        world.happens(what);
        this.#recoveries++;
      }
    }
    if (dice.maybe(0.15)) {
      const what = await cloneAndJudge(world.disk, world.witness, dice);
      if (what !== undefined) {
        world.happens(what);
        this.#recoveries++;
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

  async #recover(disk: Parameters<typeof recoverAndJudge>[0], what: string): Promise<void> {
    const world = this.#world;
    const { witness } = world;
    await recoverAndJudge(disk, witness, this.#dice.int(1e9), what, { verifiesBehind: this.#dice.maybe(0.3) });
    this.#recoveries++;
    if (!this.#dice.maybe(0.15)) return;
    // Once with what the first opening left, checkpoints among it, and once by the events alone; a checkpoint that is not
    // what was written is passed over.
    const isSpoiled = this.#dice.maybe(0.3) && spoilCheckpoint(disk, this.#dice);
    if (isSpoiled) world.happens('checkpoint spoiled');
    const again = `${what}, opened twice${isSpoiled ? ', a checkpoint spoiled' : ''}`;
    await recoverAndJudge(disk, witness, this.#dice.int(1e9), again, { withoutCheckpoint: this.#dice.maybe(0.5) });
    this.#recoveries++;
    world.happens('opened twice');
  }

  // ------------------------------------------------------------------------------------------------------------ calm
  /** No fault is left: a daemon has to open, every job to end, and all of it has to be there. */
  async #calm(): Promise<void> {
    const world = this.#world;
    for (const process of world.living) world.end(process);
    world.armed = [];
    world.wanted = undefined;
    world.diskFull = false;
    this.#putRight();
    this.#start();
    const process = world.processes.at(-1);
    if (process === undefined || this.#isOver()) return;
    await this.#drain(() => process.phase === 'opening');
    if (world.violation !== undefined) return;
    if (process.phase !== 'serving') return world.violated('nothing failed any more, and no daemon came up');
    this.#recoveries++;
    await this.#workload.finish(process, () => this.#drain(() => world.parked.length > 0));
    if (world.violation !== undefined) return;
    const audit = world.witness.audit(world.files(), 'at the end');
    if (process.kernel !== undefined) judgeState(process.kernel, audit, audit.ledger.events, 'at the end');
    process.close();
    await this.#drain(() => !process.isOver);
    const { length } = audit.ledger.events;
    const anchored = anchoredSeq(world.disk);
    if (anchored < length) world.violated(`a clean stop left the anchor at ${anchored} of ${length} events`);
    await this.#recover(world.disk, 'after a clean stop');
  }

  async #drain(goesOn: () => boolean): Promise<void> {
    const world = this.#world;
    for (let step = 0; step < CALM_STEPS; step++) {
      await turn();
      this.#steps++;
      if (!goesOn() || world.violation !== undefined) return;
      if (world.parked.length > 0) this.#letThrough(world.parked);
      else world.time.pass(world.time.nextDueInMs() ?? 0);
    }
    world.violated(`nothing failed any more, and nothing came of ${CALM_STEPS} steps`);
  }
}
