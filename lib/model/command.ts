/**
 * What can be asked of the kernel. A command is whole: ids, tokens and times were made outside, so that `decide` needs
 * no clock and no randomness.
 */
import type { ErrorData } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import type { AgentRuns, ArtifactRefs, Artifacts, Failure, JobType, LedgerEvent, RecordedEventType } from './event.js';
import type { Job } from './job.js';

interface Asked {
  /** Who: `ao-http:<token name>`, `openclaw-trigger:<token name>`, `inbox`, `worker-<n>`, `daemon`, `cli`. */
  readonly actor: string;
  /** RFC 3339 in UTC. */
  readonly occurredAt: string;
}

export interface SubmitCommand extends Asked {
  readonly kind: 'submit';
  readonly job_type: JobType;
  /** The caller's, or a generated one. */
  readonly request_id: string;
  /** The caller's; undefined lets `generatedJobId` stand. */
  readonly job_id: string | undefined;
  readonly generatedJobId: string;
  readonly idempotency_key: string | undefined;
  readonly payload: JsonObject;
  readonly max_attempts: number;
  /** Of a worker that submits while it does a job: refused with `stale_lease` when that lease is no longer held. */
  readonly under?: LeaseHeld;
}
export interface CancelCommand extends Asked {
  readonly kind: 'cancel';
  readonly job_id: string;
  /** Undefined: the job's own stands in the event. */
  readonly request_id: string | undefined;
  readonly reason: string;
}
export interface ClaimCommand extends Asked {
  readonly kind: 'claim';
  readonly job_id: string;
  readonly claim_token: string;
  readonly lease_expires_at: string;
}
export interface LeaseHeld {
  readonly job_id: string;
  readonly claim_token: string;
  readonly lease_epoch: number;
}
/** The token and epoch of a lease: a stale one is refused with `stale_lease`. */
interface UnderLease extends Asked, LeaseHeld {}
export interface HeartbeatCommand extends UnderLease {
  readonly kind: 'heartbeat';
  readonly lease_expires_at: string;
  readonly artifacts: Artifacts | undefined;
  /** Those that changed since they were last told. */
  readonly agent_runs?: AgentRuns | undefined;
}
/** The loss of a worker: expires the lease; with the attempts used up it fails the job too, in the same batch. */
export interface ExpireLeaseCommand extends UnderLease {
  readonly kind: 'expire_lease';
}
export interface CompleteCommand extends UnderLease {
  readonly kind: 'complete';
  readonly artifacts: Artifacts | undefined;
  readonly artifact_refs: ArtifactRefs | undefined;
  readonly agent_runs?: AgentRuns | undefined;
}
export interface FailCommand extends UnderLease {
  readonly kind: 'fail';
  readonly failure: Failure;
  readonly artifacts: Artifacts | undefined;
  readonly agent_runs?: AgentRuns | undefined;
}
/** An event of a job beyond its life: once a job, also over several attempts. A second one appends nothing. */
export interface RecordCommand extends UnderLease {
  readonly kind: 'record';
  readonly event_type: RecordedEventType;
  /** Token and epoch are added to it. */
  readonly payload: JsonObject;
}
export interface AdoptCommand extends Asked {
  readonly kind: 'adopt';
  readonly job_id: string;
}
/** Accepts known damage. `payload` names the broken lines and hashes. */
export interface AdoptDamageCommand extends Asked {
  readonly kind: 'adopt_damage';
  readonly request_id: string;
  readonly payload: JsonObject;
}

export type Command =
  | SubmitCommand
  | CancelCommand
  | ClaimCommand
  | HeartbeatCommand
  | ExpireLeaseCommand
  | CompleteCommand
  | FailCommand
  | RecordCommand
  | AdoptCommand
  | AdoptDamageCommand;

/** How a second use of a key or job id differed from the first. */
export type IdempotencyConflict = 'payload' | 'job_type' | 'foreign';
export type CancelOutcome =
  | 'cancelled'
  | 'already_terminal_completed'
  | 'already_terminal_failed'
  | 'already_terminal_cancelled';

/** What `decide` answers: events to append (none for a repeated request), or a refusal. */
export type Decision = Decided | Refused;
export interface Refused {
  readonly refused: ErrorData;
  readonly events?: undefined;
}
export interface Decided {
  readonly refused?: undefined;
  readonly events: readonly LedgerEvent[];
  /** The job that the answer is about; after the events are folded the kernel reads it anew. */
  readonly job_id: string;
  /** Submit: the job was there already. */
  readonly deduplicated?: boolean;
  readonly conflict?: IdempotencyConflict;
  readonly cancelOutcome?: CancelOutcome;
}

/** What the kernel answers once the events are durable, checked and folded. */
export interface Outcome {
  readonly job: Job | undefined;
  readonly appended: number;
  readonly deduplicated: boolean;
  readonly conflict: IdempotencyConflict | undefined;
  readonly cancelOutcome: CancelOutcome | undefined;
}
