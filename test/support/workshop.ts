/**
 * Dispatcher, leases, reaper and real worker threads over a kernel whose ledger is in memory, in a temporary folder: for
 * tests of execution without the disk protocol. Jobs are `eval.suite` unless said otherwise; their handler is a module
 * that the test writes.
 */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Clock, timestamp } from '../../lib/base/clock.js';
import type { JsonObject } from '../../lib/base/json.js';
import type { Logger } from '../../lib/base/log.js';
import type { HeldLease, Processes, TaskStarter } from '../../lib/engine/attempt-seams.js';
import { Dispatcher } from '../../lib/engine/dispatcher.js';
import { Kernel } from '../../lib/engine/kernel.js';
import { LeaseKeeper } from '../../lib/engine/lease-keeper.js';
import { createWorkerPool, type WorkerPool } from '../../lib/engine/pool.js';
import { endProcesses, processMoment } from '../../lib/engine/processes.js';
import { Reaper } from '../../lib/engine/reaper.js';
import { takerOf } from '../../lib/engine/takers.js';
import { type Configuration, defaultConfiguration, type Executor } from '../../lib/model/configuration.js';
import type { JobType, LedgerEvent } from '../../lib/model/event.js';
import type { Job } from '../../lib/model/job.js';
import { createNodeClock, createNodeRandom } from '../../lib/storage/node-clock.js';
import { MemoryLedger } from './memory-ledger.js';

const DEADLINE_MS = 15_000;

export interface WorkshopOptions {
  readonly workers?: number;
  readonly queue?: Partial<Configuration['queue']>;
  readonly limits?: Partial<Configuration['limits']>;
  readonly executors?: Partial<Record<JobType, Executor>>;
  /** Source of the module that runs `eval.suite`. */
  readonly module?: string;
  readonly entry?: URL;
  readonly threadStartMs?: number;
  readonly processes?: Processes;
  readonly makeRunFolder?: (root: string, jobId: string, attempt: number) => Promise<string>;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Awaited before a lease counts as written. */
  readonly writeLease?: () => Promise<void>;
  /** Instead of real threads. */
  readonly slots?: readonly TaskStarter[];
}

export class Workshop {
  readonly root: string;
  readonly kernel: Kernel;
  readonly ledger: MemoryLedger;
  readonly dispatcher: Dispatcher;
  readonly keeper: LeaseKeeper;
  readonly reaper: Reaper;
  readonly pool: WorkerPool;
  readonly leases = new Map<string, HeldLease>();
  readonly leaseWrites: HeldLease[] = [];
  readonly log: string[] = [];
  readonly clock: Clock;
  rechecks = 0;
  configuration: Configuration;
  #serial = 0;

  static async open(options: WorkshopOptions = {}): Promise<Workshop> {
    const root = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'agentopsd-')));
    await fs.mkdir(path.join(root, 'tools'));
    await fs.writeFile(path.join(root, 'tools', 'handler.mjs'), options.module ?? 'export default () => undefined;\n');
    return new Workshop(root, options);
  }

  private constructor(root: string, options: WorkshopOptions) {
    this.root = root;
    this.configuration = configurationOf(options);
    this.clock = options.clock ?? createNodeClock();
    this.kernel = new Kernel(this.clock);
    this.ledger = new MemoryLedger(this.kernel.observer);
    this.kernel.attach(this.ledger);
    const logger: Logger = (level, message) => this.log.push(`${level}: ${message}`);
    const processes = options.processes ?? { moment: processMoment, end: endProcesses };
    const configuration = () => this.configuration;
    this.pool = createWorkerPool({
      workers: options.workers ?? 2,
      clock: this.clock,
      environment: process.env,
      memoryMb: () => this.configuration.limits.memory_mb,
      ...(options.entry && { entry: options.entry }),
      ...(options.threadStartMs && { threadStartMs: options.threadStartMs }),
    });
    this.dispatcher = new Dispatcher({
      kernel: this.kernel,
      clock: this.clock,
      random: createNodeRandom(),
      logger,
      root,
      processes,
      configuration,
      ...(options.makeRunFolder && { makeRunFolder: options.makeRunFolder }),
      slots: options.slots ?? this.pool.slots,
      takerOf: (jobType) => takerOf(jobType, this.configuration, root),
      leases: {
        write: async (lease) => {
          await options.writeLease?.();
          this.leases.set(lease.job_id, lease);
          this.leaseWrites.push(lease);
        },
        remove: async (jobId) => {
          this.leases.delete(jobId);
        },
      },
    });
    this.keeper = new LeaseKeeper({
      clock: this.clock,
      logger,
      attempts: () => this.dispatcher.attempts().values(),
      graceMs: () => this.configuration.queue.cancel_grace_seconds * 1000,
      recheck: async () => {
        this.rechecks++;
      },
    });
    this.reaper = new Reaper({
      kernel: this.kernel,
      clock: this.clock,
      logger,
      processes,
      recorded: async () => [...this.leases.values()],
      forget: async (jobId) => {
        this.leases.delete(jobId);
      },
      isHeldHere: (jobId) => this.dispatcher.attempts().has(jobId),
    });
    this.kernel.onChange((events) => this.dispatcher.onEvents(events));
  }

  start(): this {
    this.keeper.start();
    this.dispatcher.start();
    return this;
  }

  async submit(payload: JsonObject = {}, jobType: JobType = 'eval.suite'): Promise<string> {
    const serial = ++this.#serial;
    const { job } = await this.kernel.execute({
      kind: 'submit',
      job_type: jobType,
      request_id: `req-${serial}`,
      job_id: undefined,
      generatedJobId: `job-${serial}`,
      idempotency_key: undefined,
      payload,
      max_attempts: this.configuration.queue.max_attempts,
      actor: 'test',
      occurredAt: timestamp(this.clock.wallMs()),
    });
    return job?.job_id ?? '';
  }

  async cancel(jobId: string): Promise<void> {
    await this.kernel.execute({
      kind: 'cancel',
      job_id: jobId,
      request_id: undefined,
      reason: 'cancelled',
      actor: 'test',
      occurredAt: timestamp(this.clock.wallMs()),
    });
  }

  job(jobId: string): Job {
    const job = this.kernel.state.job(jobId);
    if (job === undefined) throw new Error(`no job ${jobId}`);
    return job;
  }

  /** Events of a job, or their types. */
  eventsOf(jobId: string): LedgerEvent[] {
    return this.ledger.events.filter((event) => event.job_id === jobId);
  }
  typesOf(jobId: string): string[] {
    return this.eventsOf(jobId).map((event) => event.event_type);
  }

  /** Resolves at the first change after which `condition` holds. */
  async until(condition: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        end();
        resolve();
      };
      const off = this.kernel.onChange(look);
      const looking = setInterval(look, 10);
      const timer = setTimeout(() => {
        end();
        reject(new Error(`not within ${deadlineMs} ms: ${what}\n${this.log.join('\n')}`));
      }, deadlineMs);
      const end = () => {
        off();
        clearInterval(looking);
        clearTimeout(timer);
      };
    });
  }

  untilStatus(jobId: string, status: Job['status'], deadlineMs = DEADLINE_MS): Promise<void> {
    return this.until(() => this.job(jobId).status === status, `${jobId} ${status}`, deadlineMs);
  }

  /** Until no attempt is left. */
  untilIdle(): Promise<void> {
    return this.until(() => this.dispatcher.attempts().size === 0, 'no attempt is left');
  }

  runDir(jobId: string, attempt = 1): string {
    return path.join(this.root, '.agents', 'runs', jobId, `attempt-${attempt}`);
  }
  read(relative: string): Promise<string> {
    return fs.readFile(path.join(this.root, relative), 'utf8');
  }

  write(relative: string, text: string): Promise<void> {
    return fs.writeFile(path.join(this.root, relative), text);
  }
  async list(relative: string): Promise<string[]> {
    return (await fs.readdir(path.join(this.root, relative))).sort();
  }
  /** A symbolic link at `from` to `to`, both relative to the root. */
  async link(from: string, to: string): Promise<void> {
    await fs.mkdir(path.dirname(path.join(this.root, from)), { recursive: true });
    await fs.symlink(path.join(this.root, to), path.join(this.root, from));
  }

  async close(): Promise<void> {
    await this.keeper.stop();
    await this.reaper.stop();
    await this.dispatcher.stopAll('released', 0);
    await this.pool.close();
    await fs.rm(this.root, { recursive: true, force: true });
  }
}

function configurationOf({ queue, limits, executors }: WorkshopOptions): Configuration {
  const base = defaultConfiguration();
  return {
    ...base,
    queue: { ...base.queue, lease_seconds: 2, heartbeat_seconds: 0.5, cancel_grace_seconds: 1, ...queue },
    limits: { ...base.limits, memory_mb: 128, ...limits },
    executors: { 'eval.suite': { kind: 'module', module: 'tools/handler.mjs', timeout_seconds: 60 }, ...executors },
  };
}
