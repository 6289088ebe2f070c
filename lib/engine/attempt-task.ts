/** What a thread is told of the attempt that it carries out. */
import type { Configuration } from '../model/configuration.js';
import type { Job } from '../model/job.js';
import type { WorkerExecutor } from '../model/worker-protocol.js';
import { attemptFolder } from './run-folder.js';
import type { TaskBody } from './thread-slot.js';

export interface TaskGround {
  /** Real path of the repository. */
  readonly root: string;
  readonly configuration: Configuration;
  readonly executor: WorkerExecutor;
  /** Of the lease. */
  readonly marker: string;
}

/** @param job under the claim that counts */
export function taskOf(job: Job, { root, configuration, executor, marker }: TaskGround): TaskBody {
  const { limits, queue } = configuration;
  return {
    job: {
      job_id: job.job_id,
      job_type: job.job_type,
      request_id: job.request_id,
      attempt: job.attempt,
      max_attempts: job.max_attempts,
      payload: job.payload,
    },
    claim: { claim_token: job.claim_token ?? '', lease_epoch: job.lease_epoch, marker },
    executor,
    root,
    runDir: attemptFolder(root, job.job_id, job.attempt),
    prepared: startsProcesses(executor),
    limits: {
      outputBytes: limits.output_bytes,
      artifactBytes: limits.artifact_bytes,
      cancelGraceMs: queue.cancel_grace_seconds * 1000,
      memoryMb: limits.memory_mb,
    },
  };
}

/**
 * Whether a process may be needed before the thread's own code runs: then folder and lease files stand before it does.
 * Otherwise the thread asks when it comes to that.
 */
export function startsProcesses(executor: WorkerExecutor): boolean {
  return executor.kind !== 'builtin' || executor.agent !== undefined;
}
