/**
 * The thread's side of its line to the main thread: tasks come over it one at a time, and their answers go. Every other
 * message names its task: what comes for one that is over is not heard, and what it still says is not either.
 */
import type { MessagePort } from 'node:worker_threads';
import type {
  Said,
  SentTask,
  ThreadAnswer,
  ThreadMessage,
  ToMain,
  ToWorker,
  WorkerTask,
} from '../../lib/model/worker-protocol.js';

export interface TaskLine {
  readonly post: (message: ToMain) => void;
  /** @param onMessage told what the main thread says about this task */
  hear(onMessage: (message: ToWorker) => void): void;
  /** Nothing is heard or said any more. Idempotent. */
  end(): void;
}

/** Carries a task out. Never rejects. */
export type Attend = (task: WorkerTask, line: TaskLine) => Promise<Omit<ThreadAnswer, 'serial'>>;

type Service = Extract<ThreadMessage, { readonly kind: 'serve' }>;

/** Attends to every task that comes, for as long as the thread lives. */
export function serve({ port, shared }: Service, attend: Attend): Promise<never> {
  let current: Line | undefined;
  const begin = async (text: string): Promise<void> => {
    const { serial, task } = JSON.parse(text) as SentTask;
    const line = new Line(port, serial);
    current = line;
    const { result, reusable } = await attend(Object.assign(task, { shared }), line);
    line.end();
    port.postMessage(JSON.stringify({ serial, result, reusable } satisfies ThreadAnswer));
  };
  port.on('message', (said: string | Said<ToWorker>) => {
    if (typeof said === 'string') void begin(said);
    else current?.take(said);
  });
  return new Promise(() => {});
}

class Line implements TaskLine {
  readonly #port: MessagePort;
  readonly #serial: number;
  #onMessage: ((message: ToWorker) => void) | undefined;
  #over = false;

  constructor(port: MessagePort, serial: number) {
    this.#port = port;
    this.#serial = serial;
  }

  readonly post = (message: ToMain): void => {
    if (!this.#over) this.#port.postMessage({ serial: this.#serial, message } satisfies Said<ToMain>);
  };

  hear(onMessage: (message: ToWorker) => void): void {
    this.#onMessage = onMessage;
  }

  take({ serial, message }: Said<ToWorker>): void {
    if (serial === this.#serial && !this.#over) this.#onMessage?.(message);
  }

  end(): void {
    this.#over = true;
  }
}
