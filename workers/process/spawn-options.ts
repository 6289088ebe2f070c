/** What a process is started with: what its starter asks for, and what the attempt gives it. */
import type { ChildProcess } from 'node:child_process';
import type { ToMain, WorkerTask } from '../../lib/model/worker-protocol.js';
import type { SpawnOptions } from '../context.js';
import type { Variables } from './environment.js';
import type { OutputLog } from './output-log.js';

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
