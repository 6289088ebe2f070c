/** What the built-in workers get beside the public context. */
import type { components } from '../lib/model/contract.js';
import type { WorkerJob } from '../lib/model/worker-protocol.js';
import type { JobContext } from './context.js';

export type ConsumerSnapshot = components['schemas']['ConsumerSnapshot'];

export interface BuiltinContext extends JobContext {
  /** The consumer snapshot at the ledger's head. */
  consumerSnapshot(): Promise<ConsumerSnapshot>;
  /**
   * Records a regular file below the root as an artifact, where it stands, with its size and SHA-256.
   * @param path absolute
   * @returns its path relative to the root
   */
  recordArtifact(name: string, path: string): Promise<string>;
}

export type BuiltinHandler = (job: WorkerJob, context: BuiltinContext) => unknown;
