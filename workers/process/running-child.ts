/**
 * A process of an attempt while it runs: its output, its limits of time and of silence, and its end. A limit ends it by
 * SIGINT, SIGTERM and SIGKILL to its group; at a stop of the attempt the main thread climbs the ladder over all.
 */
import { type ChildProcessWithoutNullStreams, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { limits } from '../../lib/base/limits.js';
import { parseProcessStat } from '../../lib/base/process-stat.js';
import type { SpawnResult } from '../context.js';
import { failure } from '../failure.js';
import { createLineReader } from './lines.js';
import type { OwnSpawnOptions, SpawnSeams } from './spawn-options.js';

/** From SIGTERM to SIGKILL. */
const TERMINATE_MS = 1000;
/** After its end, output that still stands in the pipe is waited for; somebody else may hold the pipe open for ever. */
const DRAIN_MS = 500;
/** The main thread asks who is stopped; of a process as young as this it may not have heard yet. */
const YOUNG_MS = 1000;
/** A timer that is later than this was held up with the whole daemon. */
const STALL_MS = 1000;

export class RunningChild {
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
