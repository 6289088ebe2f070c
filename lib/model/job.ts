/** A job as the events tell it: the record that `fold` keeps and the views are made from. Never changed in place. */
import type { JsonObject } from '../base/json.js';
import type {
  AgentRunOfJob,
  ArtifactRefs,
  Artifacts,
  Failure,
  JobType,
  ProjectionName,
  ResultStatus,
} from './event.js';

/** The states of the machine. `degraded` of the contract is reserved and no state. */
export const jobStates = ['queued', 'running', 'retry_waiting', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export interface Job {
  readonly job_id: string;
  readonly job_type: JobType;
  readonly request_id: string;
  readonly request_ids: readonly string[];
  readonly status: JobState;
  readonly idempotency_key: string | undefined;
  readonly payload: JsonObject;
  readonly attempt: number;
  readonly max_attempts: number;
  /** Set while a worker holds the lease, like `lease_expires_at`; the epoch stays when the lease ends. */
  readonly claim_token: string | undefined;
  readonly lease_epoch: number;
  readonly lease_expires_at: string | undefined;
  readonly failure: Failure | undefined;
  readonly result_status: ResultStatus | undefined;
  readonly artifacts: Artifacts | undefined;
  readonly artifact_refs: ArtifactRefs | undefined;
  readonly projection_targets: readonly ProjectionName[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly last_event_id: string;
  /** `seq` of its job.accepted, and of the last event that changed it. */
  readonly accepted_seq: number;
  readonly last_seq: number;
  /** Ids of the events that its workers recorded of it beyond its life, by type: the first of each type stands. */
  readonly recorded: Readonly<Record<string, string>> | undefined;
  /** What its agents did, oldest first, over all attempts: at most `AGENT_RUNS_KEPT`, the newest. */
  readonly agent_runs: readonly AgentRunOfJob[] | undefined;
  /** Accepted in a batch of another home and not adopted here: shown, never claimed or expired. */
  readonly foreign: boolean;
}

export function isTerminal(job: Pick<Job, 'status'>): boolean {
  return job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled';
}

/**
 * The status at a moment: a lease that has run out shows as `retry_waiting` before any event says so.
 * @param wallMs the wall clock in milliseconds since 1970
 */
export function statusAt(job: Job, wallMs: number): JobState {
  if (job.status !== 'running' || job.lease_expires_at === undefined) return job.status;
  return Date.parse(job.lease_expires_at) <= wallMs ? 'retry_waiting' : 'running';
}
