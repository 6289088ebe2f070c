/** One daemon of the simulated machine: the real kernel over the real ledger, from its start to its end. */

import type { Clock } from '../../lib/base/clock.js';
import { AgentopsdError } from '../../lib/base/errors.js';
import type { Random } from '../../lib/base/random.js';
import { type Kernel, openKernel } from '../../lib/engine/kernel.js';
import { DiskError } from '../../lib/storage/disk.js';
import { type FileLedger, openFileLedger } from '../../lib/storage/file-ledger.js';
import { openHome } from '../../lib/storage/home.js';
import type { LedgerObserver } from '../../lib/storage/ledger.js';
import { factsFor } from './folder-lock.js';
import { Died, ProcessDisk } from './process-disk.js';
import type { World } from './world.js';

export const ROOT = '/repository';
export const STATE = '/state';

export class SimulatedProcess {
  readonly name: string;
  readonly pid: number;
  readonly started: string;
  readonly namespace: number;
  readonly disk: ProcessDisk;
  readonly clock: Clock;
  phase: 'opening' | 'serving' | 'closing' | 'over' = 'opening';
  /** Why its ledger stopped for good. */
  stopped: string | undefined;
  /** The error of the disk behind which it may acknowledge nothing any more. */
  writerEnded: string | undefined;
  isPaused = false;
  pausedAtMs = 0;
  /** Of a dead one: when it could renew its lock for the last time. */
  lastAwakeMs = 0;
  /** Callers that wait for an answer. */
  unanswered = 0;
  /** Faults that it met, and others that lived beside it: whoever met none has no excuse. */
  excuses = 0;
  /** How often it waited for the lock. */
  waits = 0;
  /** Who started before it, where nobody lived any more then. */
  readonly predecessor: SimulatedProcess | undefined;
  readonly boot: number;
  hasServed = false;
  segmentName: string | undefined;
  kernel: Kernel | undefined;
  ledger: FileLedger | undefined;
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, number: number, namespace: number) {
    this.#world = world;
    this.name = `p${number}`;
    // Few pids, so that they are used again.
    this.pid = 100 + (number % 3);
    this.started = String(number);
    this.namespace = namespace;
    this.boot = world.boot;
    this.predecessor = world.living.length === 0 ? world.processes.at(-1) : undefined;
    this.disk = new ProcessDisk(this, world);
    this.clock = world.time.clockFor(this);
    const dice = world.dice.fork();
    this.#random = { bytes: (count) => Uint8Array.from({ length: count }, () => dice.int(256)) };
  }

  get isOver(): boolean {
    return this.phase === 'over';
  }
  get phaseOfFaults(): 'opening' | 'serving' {
    return this.phase === 'opening' ? 'opening' : 'serving';
  }
  /** Whether commands can be given to it. */
  get isServing(): boolean {
    return this.phase === 'serving' && !this.isPaused;
  }

  start(): void {
    this.#open().then(
      () => this.#opened(),
      (error: unknown) => this.#refused(error),
    );
  }

  /** Ends by kill -9. */
  die(): void {
    this.phase = 'over';
    this.isPaused = false;
  }

  /** Ends by itself, cleanly. */
  close(): void {
    this.phase = 'closing';
    const end = (): void => {
      if (this.isOver) return;
      this.phase = 'over';
      this.#world.note(`${this.name} closed`);
      if (this.unanswered > 0)
        this.#world.violated(`${this.name} closed, and left ${this.unanswered} callers without an answer`);
      this.#judgeDescriptors('closed');
    };
    this.ledger?.close().then(end, (error: unknown) => {
      this.#judge(error);
      end();
    });
  }

  async #open(): Promise<void> {
    const { disk, clock } = this;
    const world = this.#world;
    const random = this.#random;
    const home = await openHome({ disk, random, root: ROOT, env: { AGENTOPSD_STATE_DIR: STATE } });
    world.witness.knowHome(home);
    this.kernel = await openKernel({
      clock,
      openLedger: async (observer) => {
        const { ledger } = await openFileLedger({
          disk,
          clock,
          random,
          root: ROOT,
          home,
          observer: this.#watched(observer),
          lock: world.lock.for(this, world),
          facts: factsFor(this, world),
          lockStaleMs: world.plan.lockStaleMs,
          segmentBytes: world.plan.segmentBytes,
          verifiedAtOnceBytes: world.plan.verifiedAtOnceBytes,
          checkpointAfterEvents: world.plan.checkpointAfterEvents,
          progress: (text) => world.note(`${this.name} says ${text}`),
        });
        this.ledger = ledger;
        return ledger;
      },
    });
  }

  #watched(observer: LedgerObserver): LedgerObserver {
    return {
      ...observer,
      onReplayed: (event, ours) => {
        if (!ours) this.#world.violated(`event ${event.seq} of our own home counts as foreign`);
        observer.onReplayed(event, ours);
      },
      onDurable: (events) => {
        if (this.writerEnded !== undefined)
          this.#world.violated(`${this.name} acknowledges event ${events[0]?.seq} behind ${this.writerEnded}`);
        observer.onDurable(events);
      },
      onStopped: (reason) => {
        this.stopped = reason;
        if (!this.isOver) this.#world.stopped(this, reason);
        observer.onStopped(reason);
      },
    };
  }

  #opened(): void {
    if (this.isOver) return;
    this.phase = 'serving';
    this.hasServed = true;
    this.segmentName = this.ledger?.segment.name;
    this.#world.opened(this);
  }

  #refused(error: unknown): void {
    if (this.isOver) return;
    this.#judge(error);
    this.phase = 'over';
    this.#judgeDescriptors('was refused');
    this.#world.refused(this, error);
  }

  /** Who met no fault lets go of every file. */
  #judgeDescriptors(what: string): void {
    const [left] = this.disk.descriptors;
    if (left !== undefined && this.excuses === 0)
      this.#world.violated(`${this.name} ${what} and still holds ${this.disk.descriptors.size} files, ${left.path}`);
  }

  #judge(error: unknown): void {
    if (this.isOver || error instanceof AgentopsdError || error instanceof DiskError || error instanceof Died) return;
    this.#world.violated(
      `${this.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
}
