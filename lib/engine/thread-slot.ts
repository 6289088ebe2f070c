/**
 * A place for one job at a time, and the thread that serves there.
 *
 * The slot is free when its task has answered, or after the `exit` of its thread: never before. A thread is used again
 * for the next job, unless it was made to end, died, or reported that its job left something running in it.
 */
import type { Clock } from '../base/clock.js';
import type { ToMain, ToWorker, WorkerResult, WorkerTask } from '../model/worker-protocol.js';
import { ServingThread } from './serving-thread.js';

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

export type TaskBody = Omit<WorkerTask, 'shared'>;

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
  #thread: ServingThread | undefined;

  constructor(options: ThreadSlotOptions) {
    this.#options = options;
  }

  /** Starts a task; the slot must be free. `onMessage` is told everything that the thread says before `ended` resolves. */
  start(body: TaskBody, memoryMb: number, onMessage: (message: ToMain) => void): RunningTask {
    return this.#prepare(memoryMb).start(body, onMessage);
  }

  /** Loads the worker file and answers why that failed, or undefined. */
  async probe(memoryMb: number): Promise<string | undefined> {
    return this.#prepare(memoryMb).probe();
  }

  async close(): Promise<void> {
    await this.#thread?.end('the daemon stops');
  }

  /** The thread for the next task: a new one after a loss, and when the memory limit has changed. */
  #prepare(memoryMb: number): ServingThread {
    const thread = this.#thread;
    if (thread !== undefined && !thread.isGone && thread.memoryMb === memoryMb) return thread;
    void thread?.end('another memory limit counts');
    this.#thread = new ServingThread(this.#options, memoryMb);
    return this.#thread;
  }
}
