/**
 * A place for one job at a time: a Piscina pool of one thread. One pool a slot, so that it is always known which thread
 * a task runs in, its end can be waited for, and a thread that can't load harms no other slot.
 *
 * The slot is free when its task has answered, or after the `exit` of its thread: never before. A thread is used again
 * for the next job, unless it was made to end, died, or reported that its job left something running in it.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Clock } from '../base/clock.js';
import {
  BEAT_INDEX,
  SHARED_BYTES,
  STOP_INDEX,
  type ThreadAnswer,
  type ThreadMessage,
  type ToMain,
  type ToWorker,
  type WorkerResult,
  type WorkerTask,
} from '../model/worker-protocol.js';
import { ThreadLine } from './thread-line.js';

/** How a task ended: with the worker's own result, or with the loss of its thread. */
export type TaskEnd =
  | { readonly kind: 'result'; readonly result: WorkerResult }
  | { readonly kind: 'lost'; readonly why: string };

export interface RunningTask {
  /** Signs of life so far. */
  beats(): number;
  /** Asks the handler to stop: the flag, then its `AbortSignal`. */
  stop(reason: string): void;
  post(message: ToWorker): void;
  /** Ends the thread whatever it does; `ended` tells when it is gone. */
  terminate(why: string): void;
  /** Resolves once the slot is free again; never rejects. */
  readonly ended: Promise<TaskEnd>;
}

export type TaskBody = Omit<WorkerTask, 'shared' | 'serial' | 'port'>;

export interface ThreadSlotOptions {
  readonly entry: URL;
  readonly clock: Clock;
  /** Variables that a thread sees as its `process.env`. */
  readonly environment: Record<string, string>;
  /** From a task's start to its first sign of life. */
  readonly threadStartMs: number;
}

export class ThreadSlot {
  readonly #options: ThreadSlotOptions;
  #piscina: Piscina | undefined;
  #memoryMb = 0;
  #line: ThreadLine | undefined;
  #lastSerial = 0;
  #endRun: (why: string) => void = () => {};
  readonly #exits = new WeakMap<Worker, Promise<void>>();

  constructor(options: ThreadSlotOptions) {
    this.#options = options;
  }

  /** Starts a task; the slot must be free. `onMessage` is told everything that the thread says before `ended` resolves. */
  start(body: TaskBody, memoryMb: number, onMessage: (message: ToMain) => void): RunningTask {
    const shared = new SharedArrayBuffer(SHARED_BYTES);
    const counters = new Int32Array(shared);
    const serial = ++this.#lastSerial;
    const { line, port } = this.#connect(this.#prepare(memoryMb));
    line.take(serial, onMessage);
    const task: WorkerTask = { ...body, shared, serial, ...(port && { port }) };
    const run = this.#run(
      { kind: 'job', task },
      port ? [port] : [],
      memoryMb,
      () => Atomics.load(counters, BEAT_INDEX) > 0,
    );
    line.thread = this.#piscina?.threads[0];
    const ended = run.answer.then((answer) => {
      line.finish();
      return answer;
    });
    return {
      beats: () => Atomics.load(counters, BEAT_INDEX),
      stop: (reason) => {
        Atomics.store(counters, STOP_INDEX, 1);
        line.say({ serial, message: { kind: 'stop', reason } });
      },
      post: (message) => line.say({ serial, message }),
      terminate: run.terminate,
      ended,
    };
  }

  /** Loads the worker file and answers why that failed, or undefined. */
  async probe(memoryMb: number): Promise<string | undefined> {
    const answer = await this.#run({ kind: 'probe' }, [], memoryMb, () => false).answer;
    return answer.kind === 'lost' ? answer.why : undefined;
  }

  async close(): Promise<void> {
    await this.#discard();
  }

  /** The line to the slot's thread: its port goes with the first task that a thread gets. */
  #connect(piscina: Piscina): { line: ThreadLine; port?: MessagePort } {
    const thread = piscina.threads[0];
    if (this.#line !== undefined && thread !== undefined && this.#line.thread === thread) return { line: this.#line };
    this.#line?.close();
    const line = new ThreadLine();
    this.#line = line;
    return { line, port: line.threadPort };
  }

  #run(message: ThreadMessage, transferList: MessagePort[], memoryMb: number, hasBegun: () => boolean) {
    const piscina = this.#prepare(memoryMb);
    let why: string | undefined;
    let end: (reason: string) => void = () => {};
    const forced = new Promise<never>((_, reject) => {
      end = (reason) => {
        why ??= reason;
        reject(new Error(reason));
      };
    });
    this.#endRun = end;
    const disarm = this.#options.clock.after(this.#options.threadStartMs, () => {
      if (!hasBegun()) end(`the worker thread gave no sign of life within ${this.#options.threadStartMs} ms`);
    });
    const result: Promise<ThreadAnswer> = piscina.run(message, { transferList });
    const thread = piscina.threads[0];
    if (thread !== undefined) this.#watchExit(thread);
    const answer = Promise.race([result, forced])
      .then(
        (value) => this.#answered(value),
        (error: unknown) => this.#lost(thread, why ?? textOf(error)),
      )
      .finally(disarm);
    return { answer, terminate: end };
  }

  async #answered(answer: ThreadAnswer): Promise<TaskEnd> {
    if (!answer.reusable) await this.#discard();
    const { result } = answer;
    return result.kind === 'lost' ? result : { kind: 'result', result };
  }

  async #lost(thread: Worker | undefined, why: string): Promise<TaskEnd> {
    await this.#discard();
    if (thread !== undefined) await this.#exits.get(thread);
    return { kind: 'lost', why };
  }

  /** The pool for the next task: a new one after a loss, and when the memory limit has changed. */
  #prepare(memoryMb: number): Piscina {
    if (this.#piscina !== undefined && this.#memoryMb === memoryMb) return this.#piscina;
    void this.#discard();
    const piscina = new Piscina({
      filename: this.#options.entry.href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      env: this.#options.environment,
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    // Without a listener the process would die. A thread that fails between two tasks is replaced at the next one.
    piscina.on('error', (error: Error) => {
      if (this.#piscina !== piscina) return;
      this.#endRun(`the worker thread failed: ${error.message}`);
      void this.#discard();
    });
    this.#piscina = piscina;
    this.#memoryMb = memoryMb;
    return piscina;
  }

  async #discard(): Promise<void> {
    const piscina = this.#piscina;
    const line = this.#line;
    this.#piscina = undefined;
    this.#line = undefined;
    await piscina?.destroy();
    line?.finish();
    line?.close();
  }

  #watchExit(thread: Worker): void {
    if (this.#exits.has(thread)) return;
    this.#exits.set(thread, new Promise((resolve) => thread.once('exit', () => resolve())));
  }
}

function textOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : 'the worker thread was lost';
}
