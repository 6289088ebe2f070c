/**
 * One worker thread, from its start to its exit: a Piscina pool of one, so that it is always known which thread a job
 * runs in, its end can be waited for, and a thread that can't load harms no other slot.
 *
 * The pool starts, limits and ends the thread, and hears when it dies. Its one task is to serve: jobs come and answers
 * go over a channel of our own, one at a time, as JSON text. A pool's task for each of them would cost a short job more
 * than all else that is done for it. In one channel everything keeps its order too: what a job says is there before its
 * answer is.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import {
  BEAT_INDEX,
  type Said,
  type SentTask,
  SHARED_BYTES,
  STOP_INDEX,
  type ThreadAnswer,
  type ThreadMessage,
  type ToMain,
  type ToWorker,
} from '../model/worker-protocol.js';
import type { RunningTask, TaskBody, TaskEnd, ThreadSlotOptions } from './thread-slot.js';

interface Current {
  readonly serial: number;
  readonly sinceMs: number;
  readonly onMessage: (message: ToMain) => void;
  readonly resolve: (end: TaskEnd) => void;
}

export class ServingThread {
  readonly memoryMb: number;
  readonly #options: ThreadSlotOptions;
  readonly #piscina: Piscina;
  readonly #port: MessagePort;
  readonly #threadPort: MessagePort;
  readonly #shared = new SharedArrayBuffer(SHARED_BYTES);
  readonly #counters = new Int32Array(this.#shared);
  #serves = false;
  #lastSerial = 0;
  #current: Current | undefined;
  /** Resolves when the thread is gone; set once it is to go. */
  #gone: Promise<void> | undefined;
  #why: string | undefined;
  #exit: Promise<void> = Promise.resolve();
  #disarm: (() => void) | undefined;

  constructor(options: ThreadSlotOptions, memoryMb: number) {
    this.#options = options;
    this.memoryMb = memoryMb;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#threadPort = port2;
    port1.on('message', (said: string | Said<ToMain>) => this.#hear(said));
    // The thread itself keeps the process alive, as long as it is to.
    port1.unref();
    this.#piscina = new Piscina({
      filename: options.entry.href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      env: options.environment,
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    // Without a listener the process would die.
    this.#piscina.on('error', (error: Error) => void this.end(`the worker thread failed: ${error.message}`));
  }

  get isGone(): boolean {
    return this.#gone !== undefined;
  }

  /** Starts a task; none may be running. `onMessage` is told everything that the thread says before `ended` resolves. */
  start(body: TaskBody, onMessage: (message: ToMain) => void): RunningTask {
    const serial = ++this.#lastSerial;
    const counters = this.#counters;
    Atomics.store(counters, BEAT_INDEX, 0);
    Atomics.store(counters, STOP_INDEX, 0);
    const ended = new Promise<TaskEnd>((resolve) => {
      this.#current = { serial, sinceMs: this.#options.clock.monotonicMs(), onMessage, resolve };
    });
    this.#port.postMessage(JSON.stringify({ serial, task: body } satisfies SentTask));
    this.#serve();
    this.#watch();
    const isCurrent = (): boolean => this.#current?.serial === serial;
    let beatsAtEnd = 0;
    return {
      beats: () => {
        if (isCurrent()) beatsAtEnd = Atomics.load(counters, BEAT_INDEX);
        return beatsAtEnd;
      },
      stop: (reason) => {
        if (!isCurrent()) return;
        Atomics.store(counters, STOP_INDEX, 1);
        this.#say({ serial, message: { kind: 'stop', reason } });
      },
      post: (message) => this.#say({ serial, message }),
      terminate: (why) => {
        if (isCurrent()) void this.end(why);
      },
      ended,
    };
  }

  /** Loads the worker file and answers why that failed, or undefined. */
  async probe(): Promise<string | undefined> {
    let disarm = (): void => {};
    const late = new Promise<string>((resolve) => {
      disarm = this.#options.clock.after(this.#options.threadStartMs, () => resolve(this.#noSign()));
    });
    const why = await Promise.race([this.#ask({ kind: 'probe' }).then(() => undefined, textOf), late]);
    disarm();
    if (why !== undefined) await this.end(why);
    return this.#why;
  }

  /** Ends the thread whatever it does. A task that was running is lost, unless its answer is there. Idempotent. */
  end(why: string): Promise<void> {
    this.#why ??= why;
    this.#gone ??= this.#leave(this.#why);
    return this.#gone;
  }

  #ask(message: ThreadMessage, transferList: MessagePort[] = []): Promise<unknown> {
    const answered: Promise<unknown> = this.#piscina.run(message, { transferList });
    const [thread] = this.#piscina.threads;
    if (thread !== undefined) this.#exit = exitOf(thread);
    return answered;
  }

  #serve(): void {
    if (this.#serves) return;
    this.#serves = true;
    const port = this.#threadPort;
    this.#ask({ kind: 'serve', port, shared: this.#shared }, [port]).then(
      () => this.end('the worker thread left its service'),
      (error: unknown) => this.end(textOf(error)),
    );
  }

  /** One timer for all tasks that follow each other: it looks at the one that runs when it is due. */
  #watch(): void {
    if (this.#disarm !== undefined) return;
    this.#arm(this.#options.threadStartMs);
  }

  #arm(delayMs: number): void {
    const { clock, threadStartMs } = this.#options;
    this.#disarm = clock.after(delayMs, () => {
      this.#disarm = undefined;
      const current = this.#current;
      if (current === undefined || Atomics.load(this.#counters, BEAT_INDEX) > 0) return;
      const leftMs = current.sinceMs + threadStartMs - clock.monotonicMs();
      if (leftMs > 0) this.#arm(leftMs);
      else void this.end(this.#noSign());
    });
  }

  #noSign(): string {
    return `the worker thread gave no sign of life within ${this.#options.threadStartMs} ms`;
  }

  #say(said: Said<ToWorker>): void {
    this.#port.postMessage(said);
  }

  #hear(said: string | Said<ToMain>): void {
    if (typeof said === 'string') this.#answered(JSON.parse(said) as ThreadAnswer);
    else if (this.#current?.serial === said.serial) this.#current.onMessage(said.message);
  }

  #answered({ serial, result, reusable }: ThreadAnswer): void {
    const current = this.#current;
    if (current?.serial !== serial) return;
    this.#current = undefined;
    const end: TaskEnd = result.kind === 'lost' ? result : { kind: 'result', result };
    if (reusable) current.resolve(end);
    else void this.end('its job left something running in it').then(() => current.resolve(end));
  }

  async #leave(why: string): Promise<void> {
    this.#disarm?.();
    await this.#piscina.destroy();
    await this.#exit;
    // What the thread said last may still stand in the channel.
    for (let entry = receiveMessageOnPort(this.#port); entry !== undefined; entry = receiveMessageOnPort(this.#port)) {
      this.#hear(entry.message as string | Said<ToMain>);
    }
    this.#port.close();
    this.#current?.resolve({ kind: 'lost', why });
    this.#current = undefined;
  }
}

const exits = new WeakMap<Worker, Promise<void>>();

function exitOf(thread: Worker): Promise<void> {
  let exit = exits.get(thread);
  if (exit === undefined) {
    exit = new Promise((resolve) => thread.once('exit', () => resolve()));
    exits.set(thread, exit);
  }
  return exit;
}

function textOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : 'the worker thread was lost';
}
