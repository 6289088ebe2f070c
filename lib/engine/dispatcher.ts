/**
 * Which job is started next, and where. Free slots stand in a line and are used in turn; of the types that somebody
 * takes here the job that was accepted first is claimed first, so a type that nobody takes never holds another up.
 *
 * A job is left alone while an attempt of this daemon at it is not wholly over, and after a refused claim until
 * something happened to it.
 */
import type { JobType, LedgerEvent } from '../model/event.js';
import type { Job } from '../model/job.js';
import { PassingMap } from '../model/passing-map.js';
import type { WorkerExecutor } from '../model/worker-protocol.js';
import { Attempt, type StopReason } from './attempt.js';
import type { AttemptSeams, TaskStarter } from './attempt-seams.js';
import type { Taker } from './takers.js';

export interface DispatcherOptions extends AttemptSeams {
  readonly slots: readonly TaskStarter[];
  readonly takerOf: (jobType: JobType) => Taker;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #free: TaskStarter[];
  readonly #attempts = new PassingMap<Attempt>();
  /** Jobs whose claim was refused, until an event of theirs. */
  readonly #refused = new Set<string>();
  #claiming = false;
  #woken = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#free = [...options.slots];
  }

  /** From now on jobs are claimed. */
  start(): void {
    this.#claiming = true;
    this.wake();
  }

  /** From now on none are; what runs goes on. */
  hold(): void {
    this.#claiming = false;
  }

  /** Attempts that are not over, by job. */
  attempts(): Pick<PassingMap<Attempt>, 'has' | 'get' | 'values' | 'size'> {
    return this.#attempts;
  }

  /** To be called with the events of each batch, folded. */
  onEvents(events: readonly LedgerEvent[]): void {
    for (const { event_type, job_id } of events) {
      this.#refused.delete(job_id);
      if (event_type === 'job.cancelled') this.#cancel(job_id);
    }
    this.wake();
  }

  /** Looks for work soon; several calls in one turn are one look. */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.runOnce();
    });
  }

  /** Something outside of the events may let a job run now: refused claims are tried again too. */
  lookAgain(): void {
    this.#refused.clear();
    this.wake();
  }

  /** Starts as many attempts as there are free slots and jobs. */
  runOnce(): void {
    if (!this.#claiming) return;
    while (this.#free.length > 0) {
      const next = this.#next();
      if (next === undefined) return;
      this.#begin(this.#free.shift() as TaskStarter, next);
    }
  }

  /** Stops every attempt. @returns when all are over */
  async stopAll(reason: StopReason, graceMs: number): Promise<void> {
    this.hold();
    await Promise.all([...this.#attempts.values()].map((attempt) => attempt.stop(reason, graceMs)));
  }

  #cancel(jobId: string): void {
    const graceMs = this.#options.configuration().queue.cancel_grace_seconds * 1000;
    void this.#attempts.get(jobId)?.stop('cancelled', graceMs);
  }

  /** The first accepted of the heads of all lines that somebody takes. */
  #next(): { job: Job; executor: WorkerExecutor } | undefined {
    const { kernel, takerOf } = this.#options;
    const health = kernel.health();
    if (!health.writable) return undefined;
    let first: { job: Job; executor: WorkerExecutor } | undefined;
    for (const jobType of kernel.state.claimableTypes()) {
      const taker = takerOf(jobType);
      if (taker.nobody !== undefined) continue;
      const job = this.#head(jobType, health.claimsHeldThroughSeq);
      if (job !== undefined && (first === undefined || job.accepted_seq < first.job.accepted_seq)) {
        first = { job, executor: taker.executor };
      }
    }
    return first;
  }

  #head(jobType: JobType, heldThroughSeq: number): Job | undefined {
    const { state } = this.#options.kernel;
    for (const jobId of state.claimable(jobType)) {
      if (this.#attempts.has(jobId) || this.#refused.has(jobId)) continue;
      const job = state.job(jobId);
      if (job !== undefined && job.accepted_seq > heldThroughSeq) return job;
    }
    return undefined;
  }

  #begin(slot: TaskStarter, { job, executor }: { job: Job; executor: WorkerExecutor }): void {
    const attempt = new Attempt(this.#options, slot, job.job_id, executor);
    this.#attempts.set(job.job_id, attempt);
    void attempt.slotFree.then(() => {
      this.#free.push(slot);
      this.wake();
    });
    void attempt.over.then(() => {
      this.#attempts.delete(job.job_id);
      // Without a lease nothing was changed by the attempt: trying again at once would go in circles.
      if (attempt.lease === undefined) this.#refused.add(job.job_id);
      this.wake();
    });
  }
}
