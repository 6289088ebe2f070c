/**
 * The records of a lease in the lease folder: who runs what, for whoever finds it without the process that wrote it.
 * One write at a time; they are taken away with the lease.
 */
import type { AttemptSeams, HeldLease } from './attempt-seams.js';

/** A lease that starts no process is shown in its file from this age on: shorter ones come and go unseen. */
const SHOWN_FROM_MS = 100;

export class LeaseRecords {
  readonly #seams: AttemptSeams;
  readonly #jobId: string;
  readonly #now: () => HeldLease;
  #writing: Promise<void> | undefined;
  #writeAgain = false;
  /** Whether there are, or may be, records to take away. */
  #recorded = false;
  #cancelShowing: () => void = () => {};

  /** @param now what they are to tell */
  constructor(seams: AttemptSeams, jobId: string, now: () => HeldLease) {
    this.#seams = seams;
    this.#jobId = jobId;
    this.#now = now;
  }

  /** Writes them now. @throws what the disk says */
  async write(): Promise<void> {
    await this.#writing;
    await this.#put();
  }

  /** Writes them in a moment, if the lease lasts that long. */
  writeSoon(): void {
    this.#cancelShowing = this.#seams.clock.after(SHOWN_FROM_MS, () => this.touch());
  }

  /** Writes them at once: one write at a time, and one more when something changed meanwhile. */
  touch(): void {
    this.#writeAgain = true;
    this.#writing ??= this.#writeWhileChanged().finally(() => {
      this.#writing = undefined;
    });
  }

  async remove(): Promise<void> {
    this.#cancelShowing();
    this.#writeAgain = false;
    await this.#writing;
    if (this.#recorded) await this.#seams.leases.remove(this.#jobId);
  }

  async #writeWhileChanged(): Promise<void> {
    while (this.#writeAgain) {
      this.#writeAgain = false;
      await this.#put().catch((error: unknown) =>
        this.#seams.logger(
          'warn',
          `job ${this.#jobId}: lease file: ${error instanceof Error ? error.message : String(error)}`,
        ),
      );
    }
  }

  async #put(): Promise<void> {
    this.#cancelShowing();
    this.#recorded = true;
    await this.#seams.leases.write(this.#now());
  }
}
