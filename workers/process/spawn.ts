/**
 * Starts the processes of an attempt, each in a group of its own, without a shell, with a filtered environment, and told
 * to the main thread at once with pid and start time.
 *
 * What ends a process: itself; its limits, here, by SIGINT, SIGTERM and SIGKILL to its group; or a stop of the attempt,
 * for which the main thread climbs the ladder over all processes that carry the marker. What a process leaves behind is
 * swept by the main thread when the attempt is over.
 */
import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn as startProcess,
} from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { limits } from '../../lib/base/limits.js';
import { parseProcessStat } from '../../lib/base/process-stat.js';
import type { ToMain, WorkerTask } from '../../lib/model/worker-protocol.js';
import type { SpawnOptions, SpawnResult } from '../context.js';
import { failure } from '../failure.js';
import { childEnvironment, DEFAULT_PATH, type Variables } from './environment.js';
import { createLineReader } from './lines.js';
import type { OutputLog } from './output-log.js';
import { resolveProgram } from './program.js';

/** What we ourselves may ask for beside what handlers may. */
export interface OwnSpawnOptions extends SpawnOptions {
  /** Opens a channel to the process, which has to be a Node.js; called before anything of it is read. */
  channel?: (child: ChildProcess) => void;
  /** The standard output as it comes; answers whether it counts as a sign of life. */
  onOutput?: (bytes: Buffer) => boolean;
  /** The standard error as it comes. */
  onErrorOutput?: (bytes: Buffer) => void;
  /** Aborting it ends the process as its silence would. */
  ending?: AbortSignal;
}

export type Spawn = (command: string, args?: readonly string[], options?: OwnSpawnOptions) => Promise<SpawnResult>;

export interface SpawnSeams {
  readonly task: Pick<WorkerTask, 'job' | 'claim' | 'root' | 'runDir' | 'limits'>;
  readonly output: Pick<OutputLog, 'write'>;
  /** Aborts when the attempt is to stop. Asked for only when a process is started. */
  readonly signal: AbortSignal;
  readonly post: (message: ToMain) => void;
  /** Throws once the attempt is over: what would start then would start behind its sweep. */
  readonly alive?: () => void;
  /** Awaited before each process: what has to be there before one may start. */
  readonly beforeProcess?: () => Promise<void>;
  /** Default `process.env`, as the thread sees it. */
  readonly source?: Variables;
}

/** From SIGTERM to SIGKILL. */
const TERMINATE_MS = 1000;
/** After its end, output that still stands in the pipe is waited for; somebody else may hold the pipe open for ever. */
const DRAIN_MS = 500;
/** The main thread asks who is stopped; of a process as young as this it may not have heard yet. */
const YOUNG_MS = 1000;
/** A timer that is later than this was held up with the whole daemon. */
const STALL_MS = 1000;

export function createSpawn(seams: SpawnSeams): Spawn {
  return async (command, args = [], options = {}) => {
    seams.signal.throwIfAborted();
    const folder = resolve(seams.task.root, options.cwd ?? '.');
    const env = childEnvironment(seams.task, {
      source: seams.source ?? process.env,
      passEnv: options.passEnv,
      env: options.env,
    });
    const program = await resolveProgram(command, env['PATH'] ?? DEFAULT_PATH, folder);
    await seams.beforeProcess?.();
    seams.signal.throwIfAborted();
    seams.alive?.();
    const stdio: 'pipe'[] = ['pipe', 'pipe', 'pipe', ...(options.channel === undefined ? [] : ['ipc' as 'pipe'])];
    const child = await start(
      command,
      () =>
        startProcess(program, args, {
          cwd: folder,
          env,
          argv0: command,
          detached: true,
          stdio,
        }) as ChildProcessWithoutNullStreams,
    );
    options.channel?.(child);
    return new RunningChild(seams, child, options).result();
  };
}

/** @throws JobFailure `provider_unreachable` */
async function start(
  command: string,
  starting: () => ChildProcessWithoutNullStreams,
): Promise<ChildProcessWithoutNullStreams> {
  const refused = (error: Error) => failure('provider_unreachable', `${command} can't be started: ${error.message}`);
  let child: ChildProcessWithoutNullStreams;
  try {
    child = starting();
  } catch (error) {
    throw refused(error as Error);
  }
  if (child.pid !== undefined) return child;
  return new Promise((_, reject) => child.once('error', (error) => reject(refused(error))));
}

class RunningChild {
  readonly #seams: SpawnSeams;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #options: OwnSpawnOptions;
  readonly #bornMs = performance.now();
  readonly #idleMs: number;
  #heardMs = 0;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #onAbort = () => this.#abort();
  readonly #onEnding = () => this.#stop('idle');
  #stopped: SpawnResult['stopped'];
  #broken: unknown;
  #exited = false;

  constructor(seams: SpawnSeams, child: ChildProcessWithoutNullStreams, options: OwnSpawnOptions) {
    this.#seams = seams;
    this.#child = child;
    this.#options = options;
    this.#idleMs = options.idleMs ?? limits.childIdleMs;
    const pid = child.pid as number;
    seams.post({ kind: 'child', pid, started: startTimeOf(pid) });
  }

  async result(): Promise<SpawnResult> {
    const { signal } = this.#seams;
    const closed = new Promise<void>((done) => this.#child.once('close', () => done()));
    const exit = new Promise<SpawnResult>((done) => {
      this.#child.once('exit', (code, endedBy) =>
        done({ exitCode: code ?? undefined, signal: endedBy ?? undefined, stopped: this.#stopped }),
      );
    });
    this.#child.on('error', () => {});
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#options.ending?.addEventListener('abort', this.#onEnding, { once: true });
    this.#limitTime();
    this.#connect();
    try {
      const result = await exit;
      this.#exited = true;
      this.#clearTimers();
      await this.#drain(closed);
      if (this.#broken !== undefined) throw this.#broken;
      return result;
    } finally {
      signal.removeEventListener('abort', this.#onAbort);
      this.#options.ending?.removeEventListener('abort', this.#onEnding);
    }
  }

  #connect(): void {
    const { stdin, stdout, stderr } = this.#child;
    const { input, onLine, onOutput, onErrorOutput, log } = this.#options;
    const { output } = this.#seams;
    const lines = onLine === undefined ? undefined : createLineReader(limits.outputLineBytes, onLine);
    stdout.on('data', (bytes: Buffer) => {
      if (log ?? true) output.write(bytes);
      let isAlive = true;
      this.#guarded(() => {
        isAlive = onOutput?.(bytes) ?? true;
        lines?.take(bytes);
      });
      if (isAlive) this.#restartIdle();
    });
    stdout.once('close', () => this.#guarded(() => lines?.end()));
    stderr.on('data', (bytes: Buffer) => {
      this.#restartIdle();
      output.write(bytes);
      this.#guarded(() => onErrorOutput?.(bytes));
    });
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});
    // A process that reads nothing may end before the input is written: that is no error of the job.
    stdin.end(input);
  }

  /** What the reader of the lines throws ends the process, and is thrown to whoever started it. */
  #guarded(work: () => void): void {
    if (this.#broken !== undefined) return;
    try {
      work();
    } catch (error) {
      this.#broken = error instanceof RangeError ? failure('request_rejected', error.message) : error;
      this.#end();
    }
  }

  #limitTime(): void {
    this.#timer('timeout', this.#options.timeoutMs ?? limits.childTimeoutMs, () => this.#stop('timeout'));
    this.#restartIdle();
  }

  #restartIdle(): void {
    if (this.#exited || this.#stopped !== undefined) return;
    this.#heardMs = performance.now();
    const idle = this.#timers.get('idle');
    if (idle === undefined) this.#timer('idle', this.#idleMs, () => this.#judgeSilence());
    else idle.refresh();
  }

  /** A timer that comes late says that we stood still ourselves: what was printed meanwhile is not read yet. */
  #judgeSilence(): void {
    const lateMs = performance.now() - this.#heardMs - this.#idleMs;
    if (lateMs > STALL_MS) this.#restartIdle();
    else this.#stop('idle');
  }

  #stop(why: 'timeout' | 'idle'): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    this.#end();
  }

  #abort(): void {
    this.#stopped ??= 'aborted';
    // Older ones the main thread asks itself; two SIGINTs would tell some programs to drop everything.
    if (performance.now() - this.#bornMs < YOUNG_MS) this.#signalGroup('SIGINT');
  }

  /** SIGINT, after the grace SIGTERM, then SIGKILL. */
  #end(): void {
    const { cancelGraceMs } = this.#seams.task.limits;
    this.#signalGroup('SIGINT');
    this.#timer('terminate', cancelGraceMs, () => this.#signalGroup('SIGTERM'));
    this.#timer('kill', cancelGraceMs + TERMINATE_MS, () => this.#signalGroup('SIGKILL'));
  }

  /** Only while the child is not collected: until then nobody else can have its pid. */
  #signalGroup(signal: NodeJS.Signals): void {
    if (this.#exited || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    for (const sent of signal === 'SIGKILL' ? [signal] : [signal, 'SIGCONT' as const]) {
      try {
        process.kill(-(this.#child.pid as number), sent);
      } catch {
        // It has just ended.
      }
    }
  }

  #timer(name: string, delayMs: number, work: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(work, delayMs));
  }

  #clearTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #drain(closed: Promise<void>): Promise<void> {
    const { stdin, stdout, stderr } = this.#child;
    const late = setTimeout(() => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
    }, DRAIN_MS);
    await closed;
    clearTimeout(late);
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}

/** As the process table tells it: what a pid has to be believed with. */
function startTimeOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.started;
    const columns = ['-ww', '-o', 'lstart=', '-p', String(pid)];
    return execFileSync('ps', columns, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
