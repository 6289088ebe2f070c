/**
 * Looks after the leases of all running attempts: signs of life renew them, and one without is lost: its lease is
 * expired first (its token is worth nothing from then on), then its processes and its thread are ended.
 *
 * The leases can't be judged over a gap in our own time: when the machine slept (the wall clock went on, the monotonic
 * one did not), when somebody set the clock, or when this process itself was stopped for a while. Then the ownership of
 * the ledger is verified anew, and every lease counts from now, before anything else.
 */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';

/** Between two looks. The thread beats as often. */
const LOOK_INTERVAL_MS = 250;
/** The clocks may drift apart by this between two looks; more is a jump. */
const CLOCK_JUMP_MS = 2000;
/** A look that comes this late says that we were stopped. */
const STALL_MS = 2000;

/** An attempt, as far as its lease is concerned. */
export interface Leased {
  readonly jobId: string;
  /** Set once it is to stop: its lease is nobody's concern any more. */
  readonly stopReason: string | undefined;
  readonly lease: { renew(beats: number): boolean; rearm(): void } | undefined;
  beats(): number;
  lose(graceMs: number): void;
}

export interface LeaseKeeperOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly attempts: () => Iterable<Leased>;
  /** From the lost lease to the force. */
  readonly graceMs: () => number;
  /** Verifies that this daemon still owns the ledger. */
  readonly recheck: () => Promise<void>;
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #wallMs: number;
  #monotonicMs: number;
  #cancelTimer: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #running = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#wallMs = options.clock.wallMs();
    this.#monotonicMs = options.clock.monotonicMs();
  }

  start(): void {
    this.#running = true;
    this.#arm();
  }

  /** Idempotent; waits for the look under way. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer?.();
    await this.#looking;
  }

  /** One look at all leases. */
  async runOnce(): Promise<void> {
    const gap = this.#gap();
    if (gap !== undefined) await this.#startOver(gap);
    for (const attempt of this.#options.attempts()) {
      if (attempt.stopReason !== undefined || attempt.lease === undefined) continue;
      if (!attempt.lease.renew(attempt.beats())) this.#lose(attempt);
    }
  }

  #arm(): void {
    this.#cancelTimer = this.#options.clock.after(LOOK_INTERVAL_MS, () => {
      this.#looking = this.runOnce()
        .catch((error: unknown) =>
          this.#options.logger('error', `leases: ${error instanceof Error ? error.message : String(error)}`),
        )
        .finally(() => {
          this.#looking = undefined;
          if (this.#running) this.#arm();
        });
    });
  }

  /** Why the time since the last look can't be believed, or undefined. */
  #gap(): string | undefined {
    const wallMs = this.#options.clock.wallMs();
    const monotonicMs = this.#options.clock.monotonicMs();
    const passedMs = monotonicMs - this.#monotonicMs;
    const jumpMs = wallMs - this.#wallMs - passedMs;
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    if (Math.abs(jumpMs) > CLOCK_JUMP_MS) return `the wall clock jumped by ${Math.round(jumpMs / 1000)} s`;
    return passedMs > LOOK_INTERVAL_MS + STALL_MS
      ? `the daemon stood still for ${Math.round(passedMs / 1000)} s`
      : undefined;
  }

  async #startOver(gap: string): Promise<void> {
    this.#options.logger('warn', `${gap}: the ledger's owner is verified and every lease counts from now`);
    await this.#options.recheck();
    for (const attempt of this.#options.attempts()) {
      if (attempt.stopReason === undefined) attempt.lease?.rearm();
    }
  }

  #lose(attempt: Leased): void {
    this.#options.logger('warn', `job ${attempt.jobId}: no sign of life: its lease is lost`);
    attempt.lose(this.#options.graceMs());
  }
}
