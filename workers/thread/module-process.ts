/**
 * The `module` executor: the module runs in a process of its own, one a job. A heap that overflows in a thread may take
 * the whole daemon with it (a single large allocation aborts the process, whatever limits the thread has), and what a
 * module leaves behind in a thread would reach the next job; so neither is a thread's.
 *
 * The thread stands between: it starts the process under the attempt's ladder, keeps its output, hands on what it tells,
 * and takes its signs of life for the job's. A process that is gone without a result is a worker that was lost.
 */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerExecutor, WorkerLost, WorkerResult, WorkerTask } from '../../lib/model/worker-protocol.js';
import type { SpawnResult } from '../context.js';
import { failure } from '../failure.js';
import type { AttemptInThread } from './job-context.js';
import type { FromModule, ToModule } from './module-protocol.js';
import type { Pulse } from './pulse.js';

type ModuleExecutor = Extract<WorkerExecutor, { kind: 'module' }>;

const ENTRY = fileURLToPath(new URL('./module-entry.js', import.meta.url));
/** From the start of the process to its first sign of life; so long the thread beats for it. */
const START_MS = 20_000;
/** After its end, what it has told may still stand in the channel. */
const LAST_WORDS_MS = 500;
/** Without a core file: it would stand in the repository. */
const LAUNCH = ['-c', 'ulimit -c 0 2>/dev/null; exec "$@"', 'sh'];

/** @throws JobFailure `provider_unreachable` when it can't start, `request_rejected` when its time is up */
export async function runModule(
  task: WorkerTask,
  attempt: AttemptInThread,
  { path, timeoutMs }: ModuleExecutor,
  pulse: Pulse,
): Promise<WorkerResult | WorkerLost> {
  const { job, claim, root, runDir, limits } = task;
  const talk = new Talk(attempt, pulse);
  const memory = `--max-old-space-size=${limits.memoryMb}`;
  try {
    const end = await attempt.spawn('/bin/sh', [...LAUNCH, process.execPath, memory, ENTRY], {
      passEnv: Object.keys(process.env),
      timeoutMs,
      // A module need not print: its beat says that it lives.
      idleMs: timeoutMs + START_MS,
      channel: (child) => talk.begin(child, { kind: 'begin', task: { job, claim, root, runDir, limits, path } }),
    });
    await talk.over();
    if (end.stopped === 'timeout') {
      const after = `was ended after ${timeoutMs / 1000} s`;
      throw failure('request_rejected', `module ${path} ran longer than its timeout_seconds and ${after}`);
    }
    return talk.result ?? { kind: 'lost', why: whyLost(path, end, limits.memoryMb) };
  } finally {
    talk.end();
  }
}

function whyLost(path: string, { exitCode, signal }: SpawnResult, memoryMb: number): string {
  if (signal === 'SIGABRT')
    return `module ${path} was aborted, as when it needs more than limits.memory_mb, ${memoryMb}: see its output`;
  const how = signal === undefined ? `exit code ${exitCode}` : `the signal ${signal}`;
  return `module ${path} ended with ${how} before its handler had answered: see its output`;
}

/** The thread's side of the channel. */
class Talk {
  result: WorkerResult | undefined;
  readonly #attempt: AttemptInThread;
  readonly #pulse: Pulse;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #onAbort = () => {
    this.#send({ kind: 'stop', reason: String((this.#attempt.context.signal.reason as Error).message) });
  };

  constructor(attempt: AttemptInThread, pulse: Pulse) {
    this.#attempt = attempt;
    this.#pulse = pulse;
  }

  begin(child: ChildProcess, first: ToModule): void {
    this.#child = child;
    child.on('message', (message) => this.#take(message as FromModule));
    this.#attempt.context.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#timer = setTimeout(() => this.#pulse.handOver(), START_MS);
    this.#send(first);
  }

  /** Resolves when nothing more can come. */
  async over(): Promise<void> {
    const child = this.#child;
    this.#pulse.takeBack();
    if (child === undefined || !child.connected) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, LAST_WORDS_MS);
      child.once('disconnect', () => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#attempt.context.signal.removeEventListener('abort', this.#onAbort);
    if (this.#child?.connected) this.#child.disconnect();
  }

  #take(message: FromModule): void {
    // A module can send what it likes over the same channel: what is none of ours is passed over.
    if (this.result !== undefined || typeof message !== 'object' || message === null) return;
    if (message.kind === 'beat') this.#pulse.beatFor();
    else if (message.kind === 'pass_on') this.#attempt.post(message.message);
    else if (message.kind === 'result') this.result = message.result;
  }

  #send(message: ToModule): void {
    // One that is gone already is told by its end.
    if (this.#child?.connected) this.#child.send(message, () => {});
  }
}
