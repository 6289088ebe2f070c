/**
 * What a handler gets and gives: the public face of a worker, exported as `agentopsd/worker`.
 *
 * A handler is the default export of a module named in `.agents/config.yaml`, or one of the built-in ones:
 * `(job, context) => result`, where the result is plain JSON data or undefined.
 */
import type { JsonObject } from '../lib/base/json.js';
import type { Progress, WorkerClaim, WorkerJob } from '../lib/model/worker-protocol.js';

export type { Progress, WorkerJob };

export interface SpawnOptions {
  /** Folder to start in; default: the repository root. */
  cwd?: string;
  /** Variables beside the allowed ones (EXECUTION: PATH HOME USER LOGNAME SHELL LANG LC_* TZ TMPDIR TERM, AGENTOPS_*). */
  env?: Record<string, string>;
  /** Names of the daemon's variables to pass on. */
  passEnv?: readonly string[];
  /** Written to the standard input, which is then closed. */
  input?: string | Uint8Array;
  /** Wall clock limit in milliseconds. */
  timeoutMs?: number;
  /** Ends a process that prints nothing for so long, in milliseconds. */
  idleMs?: number;
  /** Called with each whole line of the standard output, without its newline. */
  onLine?: (line: string) => void;
  /** Whether the standard output also goes to `output.log`; default true. */
  log?: boolean;
}

/** How a process ended. */
export interface SpawnResult {
  exitCode: number | undefined;
  /** Name of the signal that ended it. */
  signal: string | undefined;
  /** Why the daemon ended it, if it did. */
  stopped: 'timeout' | 'idle' | 'aborted' | undefined;
}

export interface JobContext {
  /** Aborts when the job is cancelled, loses its lease, or the daemon stops. */
  readonly signal: AbortSignal;
  /** From 1. */
  readonly attempt: number;
  readonly claim: WorkerClaim;
  /** Real path of the repository. */
  readonly root: string;
  /** Absolute path of this attempt's folder; it exists. */
  readonly runDir: string;
  /** Appends to `output.log`, with a newline when there is none. */
  log(text: string): void;
  progress(progress: Progress): void;
  /**
   * Writes an artifact atomically to `<runDir>/artifacts/<name>` and records its path, size and SHA-256.
   * @returns its path relative to the root
   */
  artifact(name: string, data: string | Uint8Array): Promise<string>;
  /**
   * Starts a process: the only way that the daemon's ladder covers.
   * @throws Error when the program can't be started
   */
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): Promise<SpawnResult>;
}

export type Handler = (job: WorkerJob, context: JobContext) => unknown;

/** Thrown by a handler to fail the job with a code of the contract; anything else thrown is `request_rejected`. */
export interface JobFailure extends Error {
  failure: { code: string; message: string; retryable?: boolean };
}

export type { JsonObject };
