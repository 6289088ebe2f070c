/**
 * The kernel: the one way in for whoever wants something to happen. A command is decided against everything decided so
 * far, its events go to the ledger, and the answer comes when they are durable, checked and folded:
 *
 *     execute(command) ─decide─> events ─ledger.append─> write, sync, check ─onDurable─> fold ─> answer
 *
 * It knows nothing of files, HTTP or threads.
 */
import type { Clock } from '../base/clock.js';
import { timestamp } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import type { Command, Decided, Outcome } from '../model/command.js';
import { decide } from '../model/decide.js';
import type { JobType, LedgerEvent } from '../model/event.js';
import type { LedgerHealth } from '../model/health.js';
import { PendingState } from '../model/pending-state.js';
import { State } from '../model/state.js';
import type { ViewContext } from '../model/view-context.js';
import type { Ledger, LedgerObserver } from '../storage/ledger.js';
import { stateKeeperOf } from './state-keeper.js';
import { Waiting } from './waiting.js';

/** What the views tell beside the state, asked at each view. */
export interface Surroundings {
  warnings(): readonly string[];
  /** Why nobody takes a type here; undefined when somebody does. */
  noWorkerFor(jobType: JobType): string | undefined;
}

export interface KernelOptions {
  readonly clock: Clock;
  /** Opens the ledger and replays it into the observer. */
  readonly openLedger: (observer: LedgerObserver) => Promise<Ledger>;
}

type ChangeListener = (events: readonly LedgerEvent[]) => void;

/**
 * @throws whatever `openLedger` throws: there is no kernel without a ledger
 */
export async function openKernel({ clock, openLedger }: KernelOptions): Promise<Kernel> {
  const kernel = new Kernel(clock);
  kernel.attach(await openLedger(kernel.observer));
  return kernel;
}

export class Kernel {
  /** What readers see: only events that are durable and checked. */
  readonly state = new State();
  readonly #clock: Clock;
  readonly #pending = new PendingState(this.state);
  readonly #changeListeners = new Set<ChangeListener>();
  readonly #stopListeners = new Set<(reason: string) => void>();
  #ledger: Ledger | undefined;
  #surroundings: Surroundings = { warnings: () => [], noWorkerFor: () => undefined };
  #rebuiltAt: string;
  #projectionFailure: string | undefined;
  #context: ViewContext | undefined;
  /** Why the writer stopped, once it stopped for good. */
  #stopReason: string | undefined;
  #lastAppend: Promise<unknown> = Promise.resolve();
  readonly #waiting = new Waiting();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#rebuiltAt = timestamp(clock.wallMs());
  }

  readonly observer: LedgerObserver = {
    keeper: stateKeeperOf(this.state),
    onReplayed: (event, ours) => {
      this.state.apply(event, ours);
    },
    onDurable: (events) => {
      for (const event of events) this.state.apply(event, true, this.#pending.settle(event));
      this.#waiting.durable(this.state.lastSeq);
      this.#rebuiltAt = timestamp(this.#clock.wallMs());
      for (const listener of this.#changeListeners) listener(events);
    },
    onDiscarded: () => {
      this.#pending.discard();
      this.#waiting.discard();
    },
    onStopped: (reason) => {
      this.#stopReason = reason;
      for (const listener of this.#stopListeners) listener(reason);
    },
  };

  /** Called once, when the replay is through. */
  attach(ledger: Ledger): void {
    this.#ledger = ledger;
    this.#pending.discard();
  }

  get ledger(): Ledger {
    if (this.#ledger === undefined) throw new Error('invariant broken: the kernel has its ledger before it is asked');
    return this.#ledger;
  }

  health(): LedgerHealth {
    return this.ledger.health();
  }

  /**
   * Carries a command out. Resolves when its events are durable, checked and folded; for a repeated request when the
   * events that it repeats are.
   * @throws AgentopsdError with the refusal's code, or `outcome_unknown` or `writer_stopped` from the ledger
   */
  async execute(command: Command): Promise<Outcome> {
    const decision = decide(this.#pending, command);
    if (decision.refused !== undefined) {
      const { code, message, hint, details } = decision.refused;
      throw new AgentopsdError(code, message, { ...(hint && { hint }), ...(details && { details }) });
    }
    if (decision.events.length > 0) await this.#append(decision.events);
    else await this.#repeated(command, decision.job_id);
    return this.#outcome(decision);
  }

  #append(events: readonly LedgerEvent[]): Promise<unknown> {
    // In this order: what the ledger does not take was never decided.
    const appended = this.ledger.append(events);
    this.#pending.decided(events);
    this.#waiting.decided(this.#pending.lastSeq, this.#clock.monotonicMs());
    this.#lastAppend = appended;
    return appended;
  }

  /** How long the oldest decision that is not durable has been waiting, in milliseconds; 0 when none is. */
  waitingMs(): number {
    return this.#waiting.sinceMs(this.#clock.monotonicMs());
  }

  /**
   * What a writer acknowledged that stopped for good may be gone from the folder, which is a reason to stop. Who hands
   * in a job again has to hear that, not a promise from memory.
   */
  async #repeated(command: Command, jobId: string): Promise<void> {
    await this.#durable(jobId);
    if (command.kind !== 'submit' || this.#stopReason === undefined) return;
    throw new AgentopsdError('writer_stopped', `nothing was written: ${this.#stopReason}`, {
      hint: 'start the daemon again, then ask again with the same key',
    });
  }

  /** An answer about a job waits until what it tells is durable. */
  async #durable(jobId: string): Promise<void> {
    const decidedSeq = this.#pending.job(jobId)?.last_seq ?? 0;
    if (decidedSeq > this.state.lastSeq) await this.#lastAppend;
  }

  #outcome(decision: Decided): Outcome {
    return {
      job: this.state.job(decision.job_id),
      appended: decision.events.length,
      deduplicated: decision.deduplicated ?? false,
      conflict: decision.conflict,
      cancelOutcome: decision.cancelOutcome,
    };
  }

  /** What the views need beside the state, as of now: one for all who ask within a millisecond, while nothing changes. */
  viewContext(): ViewContext {
    const wallMs = this.#clock.wallMs();
    const health = this.health();
    const known = this.#context;
    const holds =
      known !== undefined &&
      known.wallMs === wallMs &&
      known.rebuiltAt === this.#rebuiltAt &&
      known.health === health &&
      known.projectionFailure === this.#projectionFailure;
    if (holds) return known;
    this.#context = this.#contextAt(wallMs, health);
    return this.#context;
  }

  #contextAt(wallMs: number, health: LedgerHealth): ViewContext {
    const surroundings = this.#surroundings;
    return {
      wallMs,
      rebuiltAt: this.#rebuiltAt,
      health,
      warnings: () => surroundings.warnings(),
      noWorkerFor: (jobType) => surroundings.noWorkerFor(jobType),
      projectionFailure: this.#projectionFailure,
    };
  }

  surround(surroundings: Surroundings): void {
    this.#surroundings = surroundings;
    this.#context = undefined;
  }

  /** A read model could not be rebuilt, with the reason; undefined: it is whole again. */
  tellProjectionFailure(reason: string | undefined): void {
    this.#projectionFailure = reason;
  }

  /** Called with the events of each batch after they are folded; the answer ends it. */
  onChange(listener: ChangeListener): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Called when the writer stopped for good: work under leases has to end. */
  onStopped(listener: (reason: string) => void): () => void {
    this.#stopListeners.add(listener);
    return () => this.#stopListeners.delete(listener);
  }
}
