/**
 * Leases that nobody here holds: of a daemon that died, or of an attempt whose end could not be recorded. What is left of
 * their processes is ended first, then the lease is expired, so that two attempts never run at the same time.
 *
 * At the start every lease of ours is such a one, whatever time it has left: there is one writer, and it is this one.
 * Later on only those that have run out are. What may be killed is read from the state folder alone.
 */
import { type Clock, timestamp } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { type Job, statusAt } from '../model/job.js';
import type { HeldLease, Processes } from './attempt-seams.js';
import type { Kernel } from './kernel.js';

const REAP_INTERVAL_MS = 1000;
/** Nobody waits for what these would still say: from SIGTERM to SIGKILL. */
const LEFTOVER_GRACE_MS = 1000;
const ACTOR = 'daemon';

export interface ReaperOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly processes: Processes;
  /** Records of leases that nobody took away. */
  readonly recorded: () => Promise<readonly HeldLease[]>;
  readonly forget: (jobId: string) => Promise<void>;
  /** Whether an attempt of this daemon at the job is not over. */
  readonly isHeldHere: (jobId: string) => boolean;
  readonly afterEachLook?: () => void;
}

export class Reaper {
  readonly #options: ReaperOptions;
  #cancelTimer: (() => void) | undefined;
  #reaping: Promise<void> | undefined;
  #running = false;

  constructor(options: ReaperOptions) {
    this.#options = options;
  }

  /** Ends what dead daemons left, and expires their leases at once. Before anything is claimed. */
  async reconcile(): Promise<void> {
    const records = await this.#options.recorded();
    const resisting = new Set<string>();
    await Promise.all(
      records.map(async (record) => {
        if (!(await this.#endProcesses(record))) resisting.add(record.job_id);
      }),
    );
    for (const job of this.#runningJobs()) if (!resisting.has(job.job_id)) await this.#expire(job);
    const over = records.filter(({ job_id }) => !resisting.has(job_id));
    await Promise.all(over.map(({ job_id }) => this.#options.forget(job_id)));
  }

  /** Expires the leases that have run out and that nobody here holds. */
  async runOnce(): Promise<void> {
    const now = this.#options.clock.wallMs();
    const lost = [...this.#runningJobs()].filter((job) => statusAt(job, now) !== 'running');
    if (lost.length === 0) return;
    const records = new Map((await this.#options.recorded()).map((record) => [record.job_id, record]));
    for (const job of lost) {
      const record = records.get(job.job_id);
      if (record !== undefined && !(await this.#endProcesses(record))) continue;
      await this.#expire(job);
      if (record !== undefined) await this.#options.forget(job.job_id);
    }
  }

  start(): void {
    this.#running = true;
    this.#arm();
  }

  /** Idempotent; waits for what is under way. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer?.();
    await this.#reaping;
  }

  #arm(): void {
    this.#cancelTimer = this.#options.clock.after(REAP_INTERVAL_MS, () => {
      this.#reaping = this.runOnce()
        .catch((error: unknown) =>
          this.#options.logger('warn', `expired leases: ${error instanceof Error ? error.message : String(error)}`),
        )
        .finally(() => {
          this.#reaping = undefined;
          if (!this.#running) return;
          this.#options.afterEachLook?.();
          this.#arm();
        });
    });
  }

  /** Ours, held by nobody here, and not older than damage: a line that was lost may have told their end. */
  *#runningJobs(): Generator<Job> {
    const { kernel, isHeldHere } = this.#options;
    const { writable, claimsHeldThroughSeq } = kernel.health();
    if (!writable) return;
    for (const jobId of [...kernel.state.running()]) {
      const job = kernel.state.job(jobId);
      if (job === undefined || job.foreign || isHeldHere(jobId) || job.accepted_seq <= claimsHeldThroughSeq) continue;
      yield job;
    }
  }

  /** @returns false while something of it is left: its job must not run again beside it */
  async #endProcesses({ job_id, marker, children, started_after }: HeldLease): Promise<boolean> {
    const { processes, logger } = this.#options;
    const { ended, remaining } = await processes.end({
      marker,
      recorded: children,
      startedAfter: started_after,
      first: 'SIGTERM',
      graceMs: LEFTOVER_GRACE_MS,
    });
    if (ended.length > 0)
      logger('info', `job ${job_id}: ended processes ${ended.join(', ')} of an attempt that nobody looks after`);
    if (remaining.length > 0) logger('error', `job ${job_id}: processes ${remaining.join(', ')} can't be ended`);
    return remaining.length === 0;
  }

  async #expire(job: Job): Promise<void> {
    const { kernel, clock, logger } = this.#options;
    logger('info', `job ${job.job_id}: the lease of attempt ${job.attempt} is expired: nobody holds it any more`);
    try {
      await kernel.execute({
        kind: 'expire_lease',
        job_id: job.job_id,
        claim_token: job.claim_token ?? '',
        lease_epoch: job.lease_epoch,
        actor: ACTOR,
        occurredAt: timestamp(clock.wallMs()),
      });
    } catch (error) {
      if (!(error instanceof AgentopsdError && error.code === 'stale_lease')) throw error;
    }
  }
}
