/** What an attempt needs of the rest of the daemon. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Random } from '../base/random.js';
import type { Configuration } from '../model/configuration.js';
import type { Progress, ToMain } from '../model/worker-protocol.js';
import type { Kernel } from './kernel.js';
import type { EndedProcesses, EndProcesses, RecordedChild } from './ladder.js';
import type { RunningTask, TaskBody } from './thread-slot.js';

/** The lease of one attempt: what the lease file and its twin in the state folder hold. */
export interface HeldLease {
  readonly job_id: string;
  readonly job_type: string;
  readonly attempt: number;
  readonly claim_token: string;
  readonly lease_epoch: number;
  readonly lease_expires_at: string;
  /** Unique to the lease: it stands in the environment of each process of the attempt. */
  readonly marker: string;
  readonly children: readonly RecordedChild[];
  /** `Processes.moment()` at the claim: what began before is not the attempt's. */
  readonly started_after?: string | undefined;
  /** As the handler told it last. */
  readonly progress?: Progress | undefined;
}

export interface LeaseFiles {
  write(lease: HeldLease): Promise<void>;
  remove(jobId: string): Promise<void>;
}

/** The processes of the machine, as far as an attempt has to do with them. */
export interface Processes {
  /** This moment, to be kept with a lease; undefined where the machine can't tell. */
  moment(): string | undefined;
  /** The whole ladder: ask, wait, insist, force, sweep until nothing is left. Never rejects. */
  end(order: EndProcesses): Promise<EndedProcesses>;
}

/** Where a task runs. */
export interface TaskStarter {
  readonly name: string;
  start(body: TaskBody, memoryMb: number, onMessage: (message: ToMain) => void): RunningTask;
}

export interface AttemptSeams {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly leases: LeaseFiles;
  readonly processes: Processes;
  readonly logger: Logger;
  readonly configuration: () => Configuration;
  /** Real path of the repository. */
  readonly root: string;
  /** Default `prepareRunFolder`. */
  readonly makeRunFolder?: (root: string, jobId: string, attempt: number) => Promise<string>;
}
