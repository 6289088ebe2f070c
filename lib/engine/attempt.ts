/**
 * One attempt at one job, from the claim to the end of everything that it started:
 *
 *     claim appended ─> run folder, lease file and its twin ─> thread works ─> processes swept ─> result appended ─> lease files gone
 *                                                   └─ stop(): flag and signal, ladder over the processes, thread ended
 *
 * Folder and files stand before a process can start. A built-in worker without an agent begins at once instead: the
 * folder is made when it first needs it, the files when it asks for a process or has run for a moment. So a job that
 * leaves nothing costs the disk nothing but its events.
 *
 * The claim is durable before anything runs, and nothing of the attempt runs any more when `over` resolves. A result is
 * told only when nobody asked the attempt to stop: what ends under a stop may have ended because of it.
 *
 * The loss of the thread, and a stop of the daemon, expire the lease: the job is tried again while it has attempts left.
 * So an attempt that a stop cuts short counts: the number of an attempt is the number of its claim, and stays so.
 */
import { timestamp } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import { randomHex } from '../base/random.js';
import type { LeaseHeld } from '../model/command.js';
import type { Job } from '../model/job.js';
import type { WorkerExecutor, WorkerResult } from '../model/worker-protocol.js';
import { makeFolderOf } from './attempt-folder.js';
import type { AttemptSeams, TaskStarter } from './attempt-seams.js';
import { startsProcesses, taskOf } from './attempt-task.js';
import type { LadderSignal, RecordedChild } from './ladder.js';
import { Lease } from './lease.js';
import { outputLogIn } from './run-folder.js';
import { ThreadDialog } from './thread-dialog.js';
import type { RunningTask, TaskEnd } from './thread-slot.js';

/** `lease_lost`: no sign of life. `released`: the daemon stops. `writer_stopped`: nothing can be recorded any more. */
export type StopReason = 'cancelled' | 'lease_lost' | 'released' | 'writer_stopped';

const TOKEN_BYTES = 16;

/** What a claim that counts has brought. */
interface Claimed {
  readonly job: Job;
  readonly lease: Lease;
  readonly held: LeaseHeld;
}

export class Attempt {
  readonly jobId: string;
  /** Resolves when the slot may take the next job. */
  readonly slotFree: Promise<void>;
  /** Resolves when nothing of the attempt is left and its end is recorded; never rejects. */
  readonly over: Promise<void>;
  lease: Lease | undefined;
  readonly #seams: AttemptSeams;
  readonly #slot: TaskStarter;
  readonly #executor: WorkerExecutor;
  readonly #children: RecordedChild[] = [];
  readonly #marker: string;
  readonly #startedAfter: string | undefined;
  readonly #hurry = new AbortController();
  #freeSlot: () => void = () => {};
  #task: RunningTask | undefined;
  #ownBeats = 0;
  #finishing = false;
  #stopReason: StopReason | undefined;
  #stopped: Promise<void> | undefined;

  constructor(seams: AttemptSeams, slot: TaskStarter, jobId: string, executor: WorkerExecutor) {
    this.jobId = jobId;
    this.#seams = seams;
    this.#slot = slot;
    this.#executor = executor;
    this.#marker = randomHex(seams.random, TOKEN_BYTES);
    this.#startedAfter = seams.processes.moment();
    this.slotFree = new Promise((resolve) => {
      this.#freeSlot = resolve;
    });
    this.over = this.#run()
      .catch((error: unknown) => this.#tell(error))
      .finally(() => this.#freeSlot());
  }

  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** Whether its thread has given a sign of life. */
  get hasBegun(): boolean {
    return (this.#task?.beats() ?? 0) > 0;
  }

  /**
   * Signs of life so far. Before the thread's first one, and after its end, they are our own: starting a thread and
   * sweeping are bounded, and how busy the machine is must not cost the job its lease.
   */
  beats(): number {
    const told = this.#task?.beats() ?? 0;
    if (told === 0 || this.#finishing) this.#ownBeats++;
    return told + this.#ownBeats;
  }

  /** Stops the attempt in bounded time, `graceMs` and what the ladder takes. The first reason counts. */
  async stop(reason: StopReason, graceMs: number): Promise<void> {
    this.#stopReason ??= reason;
    if (reason === 'writer_stopped') this.lease?.giveUp();
    this.#stopped ??= this.#stopTask(reason, graceMs);
    await this.over;
  }

  /** No sign of life: the lease is expired before anything is ended, so that nothing under it counts any more. */
  lose(graceMs: number): void {
    this.lease?.expire().catch((error: unknown) => this.#tell(error));
    void this.stop('lease_lost', graceMs);
  }

  /** Waits for no grace period any more. */
  hurry(): void {
    this.#task?.terminate('the daemon stops at once');
    this.#hurry.abort();
    this.lease?.giveUp();
  }

  async #run(): Promise<void> {
    const claimed = await this.#claim();
    if (claimed === undefined) return;
    const end = await this.#work(claimed).catch((error: unknown): TaskEnd => ({ kind: 'lost', why: textOf(error) }));
    this.#finishing = true;
    if (this.#stopped !== undefined) await this.#stopped;
    // Also after a clean exit: what the job left behind ends with it. A thread that was lost may have started what it
    // could not tell any more.
    if (end.kind === 'lost' || this.#children.length > 0) await this.#endProcesses('SIGKILL', 0);
    this.#freeSlot();
    await this.#record(end);
    await this.lease?.records.remove();
  }

  async #claim(): Promise<Claimed | undefined> {
    const { kernel, clock, random, configuration } = this.#seams;
    const leaseMs = configuration().queue.lease_seconds * 1000;
    const claim_token = randomHex(random, TOKEN_BYTES);
    const wallMs = clock.wallMs();
    const monotonicMs = clock.monotonicMs();
    const { job } = await kernel.execute({
      kind: 'claim',
      job_id: this.jobId,
      claim_token,
      lease_expires_at: timestamp(wallMs + leaseMs),
      actor: this.#slot.name,
      occurredAt: timestamp(wallMs),
    });
    if (job === undefined || job.status !== 'running' || job.claim_token !== claim_token) return undefined;
    const lease = new Lease(this.#seams, job, {
      marker: this.#marker,
      children: this.#children,
      startedAfter: this.#startedAfter,
      actor: this.#slot.name,
      leaseMs,
      heartbeatMs: configuration().queue.heartbeat_seconds * 1000,
      endsAtMonotonicMs: monotonicMs + leaseMs,
    });
    this.lease = lease;
    return { job, lease, held: { job_id: job.job_id, claim_token, lease_epoch: job.lease_epoch } };
  }

  async #work({ job, lease, held }: Claimed): Promise<TaskEnd> {
    const { configuration, root } = this.#seams;
    const isStopping = (): boolean => this.#stopReason !== undefined;
    if (startsProcesses(this.#executor)) {
      const refused = await makeFolderOf(job, this.#seams, isStopping);
      if (refused !== undefined) return { kind: 'result', result: refusal(refused) };
      await lease.records.write();
    } else lease.records.writeSoon();
    if (isStopping()) return { kind: 'lost', why: 'stopped before it began' };
    const task = taskOf(job, { root, configuration: configuration(), executor: this.#executor, marker: this.#marker });
    lease.tellArtifacts({ output: outputLogIn(task.runDir).slice(root.length + 1) });
    const dialog = new ThreadDialog({
      seams: this.#seams,
      lease,
      held,
      actor: this.#slot.name,
      children: this.#children,
      task: () => this.#task,
      isStopping,
    });
    this.#task = this.#slot.start(task, task.limits.memoryMb, (message) => dialog.hear(message));
    return this.#task.ended;
  }

  async #stopTask(reason: StopReason, graceMs: number): Promise<void> {
    const task = this.#task;
    if (task === undefined) return;
    task.stop(reason);
    const ladder = this.#endProcesses('SIGINT', graceMs);
    const cancelTimer = this.#seams.clock.after(graceMs, () =>
      task.terminate(`it did not stop within ${graceMs} ms (${reason})`),
    );
    await task.ended;
    cancelTimer();
    await ladder;
  }

  /** The ladder over what was started so far, from `first` on: whoever was told, and whoever carries the marker. */
  async #endProcesses(first: LadderSignal, graceMs: number): Promise<void> {
    const { processes, logger } = this.#seams;
    const { remaining } = await processes.end({
      marker: this.#marker,
      recorded: this.#children,
      startedAfter: this.#startedAfter,
      graceMs,
      first,
      hurry: this.#hurry.signal,
    });
    if (remaining.length > 0) logger('error', `job ${this.jobId}: processes ${remaining.join(', ')} can't be ended`);
  }

  async #record(end: TaskEnd): Promise<void> {
    if (this.#stopReason === 'cancelled' || this.#stopReason === 'writer_stopped') return;
    if (this.#stopReason !== undefined || end.kind === 'lost') {
      if (end.kind === 'lost') this.#seams.logger('warn', `job ${this.jobId}: the attempt was lost: ${end.why}`);
      await this.lease?.expire();
      return;
    }
    await this.lease?.settle(end.result);
  }

  /** A refusal of the ledger is no harm: the job went another way meanwhile, or nothing is recorded any more. */
  #tell(error: unknown): void {
    const { logger } = this.#seams;
    const level = error instanceof AgentopsdError ? 'warn' : 'error';
    logger(level, `job ${this.jobId}: ${textOf(error)}`);
  }
}

function refusal(error: AgentopsdError): WorkerResult {
  return { kind: 'failed', failure: { code: 'request_rejected', message: error.message }, artifacts: {} };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
