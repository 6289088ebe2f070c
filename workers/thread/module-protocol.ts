/** What the worker thread and the process of a module say to each other, as JSON over the channel between them. */
import type { ToMain, WorkerResult, WorkerTask } from '../../lib/model/worker-protocol.js';

export interface ModuleTask extends Pick<WorkerTask, 'job' | 'claim' | 'root' | 'runDir' | 'limits'> {
  /** Of the module; absolute. */
  readonly path: string;
}

export type ToModule =
  | { readonly kind: 'begin'; readonly task: ModuleTask }
  | { readonly kind: 'stop'; readonly reason: string };

export type FromModule =
  /** A sign of life of its event loop. */
  | { readonly kind: 'beat' }
  /** For the main thread. */
  | { readonly kind: 'pass_on'; readonly message: ToMain }
  /** The last word. */
  | { readonly kind: 'result'; readonly result: WorkerResult };
