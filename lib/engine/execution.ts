/**
 * Everything that runs jobs, put together: threads, dispatcher, leases, reaper and what they leave on the disk. It starts
 * in two steps, because the leftovers of a dead daemon are dealt with before anyone may see this one.
 */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Random } from '../base/random.js';
import type { Configuration } from '../model/configuration.js';
import type { JobType } from '../model/event.js';
import type { Progress } from '../model/worker-protocol.js';
import type { LeaseFiles } from '../storage/lease-file.js';
import { Dispatcher } from './dispatcher.js';
import { drain } from './drain.js';
import type { Kernel } from './kernel.js';
import { sweepLeaseFolder } from './lease-folder.js';
import { LeaseKeeper } from './lease-keeper.js';
import { createWorkerPool, type WorkerPool } from './pool.js';
import { endProcesses, processMoment } from './processes.js';
import { Reaper } from './reaper.js';
import { RunRetention } from './run-retention.js';
import { takerOf } from './takers.js';

export interface ExecutionOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Real path of the repository. */
  readonly root: string;
  /** Threads. */
  readonly workers: number;
  readonly configuration: () => Configuration;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: the worker file of this package. */
  readonly workerEntry: URL | undefined;
  readonly leaseFiles: LeaseFiles;
  /** Id of the writer: it stands in the lease files. */
  readonly writer: string;
  /** Verifies that this daemon still owns the ledger. */
  readonly recheck: () => Promise<void>;
}

export class Execution {
  readonly #options: ExecutionOptions;
  readonly #pool: WorkerPool;
  readonly #dispatcher: Dispatcher;
  readonly #keeper: LeaseKeeper;
  readonly #reaper: Reaper;
  readonly #retention: RunRetention;
  #problem: string | undefined;

  constructor(options: ExecutionOptions) {
    const { kernel, clock, logger, root, workers, configuration, environment, leaseFiles, writer } = options;
    this.#options = options;
    const processes = { moment: processMoment, end: endProcesses };
    const isHeldHere = (jobId: string) => this.#dispatcher.attempts().has(jobId);
    this.#pool = createWorkerPool({
      workers,
      clock,
      environment,
      memoryMb: () => configuration().limits.memory_mb,
      ...(options.workerEntry && { entry: options.workerEntry }),
    });
    this.#dispatcher = new Dispatcher({
      ...options,
      processes,
      slots: this.#pool.slots,
      takerOf: (jobType) => takerOf(jobType, configuration(), root),
      leases: { write: (lease) => leaseFiles.write({ ...lease, writer }), remove: (jobId) => leaseFiles.remove(jobId) },
    });
    this.#keeper = new LeaseKeeper({
      clock,
      logger,
      attempts: () => this.#dispatcher.attempts().values(),
      graceMs: () => this.#graceMs(),
      recheck: options.recheck,
    });
    this.#reaper = new Reaper({
      kernel,
      clock,
      logger,
      processes,
      isHeldHere,
      recorded: () => leaseFiles.recorded(),
      forget: (jobId) => leaseFiles.remove(jobId),
      afterEachLook: () => this.#dispatcher.lookAgain(),
    });
    this.#retention = new RunRetention({
      root,
      state: kernel.state,
      clock,
      logger,
      isHeldHere,
      runsBytes: () => configuration().limits.runs_bytes,
    });
  }

  /** Ends what dead daemons left, expires their leases, and makes sure that a thread can work at all. */
  async prepare(): Promise<void> {
    await this.#reaper.reconcile();
    await sweepLeaseFolder(this.#options.root).catch((error: unknown) =>
      this.#options.logger('warn', `lease files: ${error instanceof Error ? error.message : String(error)}`),
    );
    this.#problem = await this.#pool.probe();
    if (this.#problem !== undefined) this.#options.logger('error', `the workers can't run: ${this.#problem}`);
  }

  /** From now on jobs are claimed. */
  start(): void {
    const { kernel } = this.#options;
    kernel.onChange((events) => this.#dispatcher.onEvents(events));
    kernel.onStopped(() => void this.#dispatcher.stopAll('writer_stopped', this.#graceMs()));
    this.#keeper.start();
    this.#reaper.start();
    this.#retention.start();
    if (this.#problem === undefined) this.#dispatcher.start();
  }

  /** The configuration changed, or something else that may let a job run. */
  lookAgain(): void {
    this.#dispatcher.lookAgain();
  }

  /** Why nobody takes a type here, or undefined when somebody does. */
  noWorkerFor(jobType: JobType): string | undefined {
    if (this.#options.workers === 0) return 'nobody here takes jobs: the daemon runs without workers';
    if (this.#problem !== undefined) return `nobody here takes jobs: the workers can't run: ${this.#problem}`;
    return takerOf(jobType, this.#options.configuration(), this.#options.root).nobody;
  }

  /** How far a job that runs here is, as its worker told last. */
  progressOf(jobId: string): Progress | undefined {
    return this.#dispatcher.attempts().get(jobId)?.lease?.progress;
  }

  /** Lets running jobs finish for `drain_seconds`, then stops them. Idempotent with the same end. */
  async drain(hurry: AbortSignal): Promise<void> {
    const drainMs = this.#options.configuration().queue.drain_seconds * 1000;
    await drain({ dispatcher: this.#dispatcher, clock: this.#options.clock, drainMs, graceMs: this.#graceMs(), hurry });
  }

  /** Lets go of everything; to be called when no attempt is left. Idempotent. */
  async close(): Promise<void> {
    this.#dispatcher.hold();
    await Promise.all([this.#keeper.stop(), this.#reaper.stop(), this.#retention.stop()]);
    await this.#dispatcher.stopAll('released', 0);
    await this.#pool.close();
  }

  #graceMs(): number {
    return this.#options.configuration().queue.cancel_grace_seconds * 1000;
  }
}
