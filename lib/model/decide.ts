/**
 * `decide`: what a command makes of the state, as events to append; or a refusal. Pure: time, ids and tokens come with
 * the command. A request that was already carried out appends nothing and answers with the job as it stands.
 */
import type { ErrorCode } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import type {
  CancelCommand,
  CancelOutcome,
  ClaimCommand,
  Command,
  CompleteCommand,
  Decision,
  IdempotencyConflict,
  LeaseHeld,
  RecordCommand,
  SubmitCommand,
} from './command.js';
import {
  type AgentRuns,
  type ArtifactRefs,
  type Artifacts,
  DAMAGE_ADOPTED,
  eventIdOf,
  type Failure,
  type LedgerEvent,
  recordedEventTypes,
} from './event.js';
import { isClaimable, samePayload } from './fold.js';
import { isTerminal, type Job } from './job.js';
import { projectionTargetsOf } from './payloads.js';
import type { JobLookup } from './state.js';

/** The job id of events that concern the ledger itself. */
export const LEDGER_ITSELF = 'ledger';

export function decide(state: JobLookup, command: Command): Decision {
  switch (command.kind) {
    case 'submit':
      return submit(state, command);
    case 'cancel':
      return cancel(state, command);
    case 'claim':
      return claim(state, command);
    case 'heartbeat': {
      const { lease_expires_at } = command;
      return underLease(state, command, () => [
        ['job.heartbeat', Object.assign(toldOf(command), { lease_expires_at })],
      ]);
    }
    case 'expire_lease':
      return underLease(state, command, (job) => expire(job));
    case 'complete':
      return underLease(state, command, () => [['job.completed', completedOf(command)]]);
    case 'fail': {
      const { failure } = command;
      return underLease(state, command, () => [['job.failed', Object.assign(toldOf(command), { failure })]]);
    }
    case 'record':
      return record(state, command);
    case 'adopt':
      return adopt(state, command);
    case 'adopt_damage':
      return decided(state, command, LEDGER_ITSELF, command.request_id, [[DAMAGE_ADOPTED, command.payload]]);
    default:
      return impossible(command);
  }
}

function submit(state: JobLookup, command: SubmitCommand): Decision {
  const stale = command.under === undefined ? undefined : whyStale(state, command.under);
  if (stale !== undefined) return stale;
  const existing = recover(state, command);
  if (existing !== undefined) {
    const conflict = conflictWith(existing, command);
    return { events: [], job_id: existing.job_id, deduplicated: true, ...(conflict === undefined ? {} : { conflict }) };
  }
  const { job_type, payload, max_attempts, idempotency_key } = command;
  const jobId = command.job_id ?? command.generatedJobId;
  // In the order of their names, as the line has them: so it needs no sorting. Written out, like the event: thousands are
  // made a second, and an object that is put together from parts costs several times as much.
  const projection_targets = projectionTargetsOf(job_type);
  const accepted =
    idempotency_key === undefined
      ? { job_payload: payload, job_type, max_attempts, projection_targets }
      : { idempotency_key, job_payload: payload, job_type, max_attempts, projection_targets };
  return decided(state, command, jobId, command.request_id, [['job.accepted', accepted]]);
}

/** The job that this submit asks for again: by its key first, then by its job id. */
function recover(state: JobLookup, command: SubmitCommand): Job | undefined {
  const { idempotency_key, job_id } = command;
  const byKey = idempotency_key === undefined ? undefined : state.jobIdForKey(idempotency_key);
  if (byKey !== undefined) return state.job(byKey);
  return job_id === undefined ? undefined : state.job(job_id);
}

function conflictWith(job: Job, command: SubmitCommand): IdempotencyConflict | undefined {
  if (job.foreign) return 'foreign';
  if (job.job_type !== command.job_type) return 'job_type';
  return samePayload(job.payload, command.payload) ? undefined : 'payload';
}

const outcomeOfTerminal = {
  completed: 'already_terminal_completed',
  failed: 'already_terminal_failed',
  cancelled: 'already_terminal_cancelled',
} as const satisfies Record<string, CancelOutcome>;

function cancel(state: JobLookup, command: CancelCommand): Decision {
  const job = state.job(command.job_id);
  if (job === undefined) return unknownJob(command.job_id);
  const { status } = job;
  if (status === 'completed' || status === 'failed' || status === 'cancelled') {
    return { events: [], job_id: job.job_id, cancelOutcome: outcomeOfTerminal[status] };
  }
  const payload = { result_status: 'cancelled', reason: command.reason };
  const made = decided(state, command, job.job_id, command.request_id ?? job.request_id, [['job.cancelled', payload]]);
  return { ...made, cancelOutcome: 'cancelled' };
}

function claim(state: JobLookup, command: ClaimCommand): Decision {
  const job = state.job(command.job_id);
  if (job === undefined) return unknownJob(command.job_id);
  if (!isClaimable(job) || job.attempt >= job.max_attempts) {
    const why = job.foreign
      ? 'was accepted elsewhere and is not adopted'
      : `is ${job.status}, attempt ${job.attempt} of ${job.max_attempts}`;
    return refused('job_not_claimable', `job ${job.job_id} can't be claimed: it ${why}`);
  }
  const { claim_token, lease_expires_at } = command;
  const payload = { attempt: job.attempt + 1, claim_token, lease_epoch: job.lease_epoch + 1, lease_expires_at };
  return decided(state, command, job.job_id, job.request_id, [['job.claimed', payload]]);
}

function expire(job: Job): Step[] {
  const { claim_token, lease_epoch } = job;
  const expired: Step = ['job.lease_expired', { claim_token: claim_token ?? '', lease_epoch }];
  if (job.attempt < job.max_attempts) return [expired];
  const failure: Failure = {
    code: 'retry_exhausted',
    message: `the worker was lost in each of ${job.max_attempts} attempts`,
    retryable: false,
  };
  return [expired, ['job.failed', { failure }]];
}

function adopt(state: JobLookup, command: { job_id: string; actor: string; occurredAt: string }): Decision {
  const job = state.job(command.job_id);
  if (job === undefined) return unknownJob(command.job_id);
  if (!job.foreign || isTerminal(job)) return { events: [], job_id: job.job_id };
  return decided(state, command, job.job_id, job.request_id, [['job.adopted', {}]]);
}

interface Told {
  agent_runs?: AgentRuns | undefined;
  artifact_refs?: ArtifactRefs | undefined;
  artifacts?: Artifacts | undefined;
  claim_token?: string;
  lease_epoch?: number;
  result_status?: 'succeeded';
}

/** What stands in every event under a lease, in the order of names, and set one by one, for the same reasons as above. */
function toldOf(
  { agent_runs, artifacts, claim_token, lease_epoch }: LeaseHeld & Told,
  artifact_refs?: ArtifactRefs,
): Told {
  const told: Told = {};
  if (tells(agent_runs)) told.agent_runs = agent_runs;
  if (tells(artifact_refs)) told.artifact_refs = artifact_refs;
  if (tells(artifacts)) told.artifacts = artifacts;
  told.claim_token = claim_token;
  told.lease_epoch = lease_epoch;
  return told;
}

function completedOf(command: CompleteCommand): Told {
  const told = toldOf(command, command.artifact_refs);
  told.result_status = 'succeeded';
  return told;
}

/** What only the holder of the current lease may say. */
function underLease(
  state: JobLookup,
  command: { job_id: string; claim_token: string; lease_epoch: number; actor: string; occurredAt: string },
  steps: (job: Job) => Step[],
): Decision {
  const stale = whyStale(state, command);
  if (stale !== undefined) return stale;
  const job = state.job(command.job_id) as Job;
  return decided(state, command, job.job_id, job.request_id, steps(job));
}

function whyStale(state: JobLookup, held: LeaseHeld): Decision | undefined {
  const job = state.job(held.job_id);
  if (job === undefined) return unknownJob(held.job_id);
  const current =
    job.status === 'running' && job.claim_token === held.claim_token && job.lease_epoch === held.lease_epoch;
  if (current && !job.foreign) return undefined;
  return refused(
    'stale_lease',
    `the lease of job ${job.job_id}, epoch ${held.lease_epoch}, is no longer held: it is ${job.status}`,
  );
}

function record(state: JobLookup, command: RecordCommand): Decision {
  const { event_type, claim_token, lease_epoch, payload } = command;
  if (!recordedEventTypes.includes(event_type))
    return refused('invalid_request', `a worker can't record an event of the type ${event_type}`);
  return underLease(state, command, (job) =>
    job.recorded?.[event_type] === undefined ? [[event_type, { ...payload, claim_token, lease_epoch }]] : [],
  );
}

type Step = readonly [eventType: string, payload: object];

function decided(
  state: JobLookup,
  command: { actor: string; occurredAt: string },
  jobId: string,
  requestId: string,
  steps: readonly Step[],
): { events: LedgerEvent[]; job_id: string } {
  const { actor, occurredAt: occurred_at } = command;
  const events = steps.map(([event_type, payload], at): LedgerEvent => {
    const seq = state.lastSeq + 1 + at;
    const event_id = eventIdOf(event_type, jobId, seq);
    return isEmpty(payload)
      ? { schema_version: 1, event_id, request_id: requestId, job_id: jobId, event_type, occurred_at, actor, seq }
      : {
          schema_version: 1,
          event_id,
          request_id: requestId,
          job_id: jobId,
          event_type,
          occurred_at,
          actor,
          payload: payload as JsonObject,
          seq,
        };
  });
  return { events, job_id: jobId };
}

function isEmpty(payload: object): boolean {
  for (const _ in payload) return false;
  return true;
}

function tells(value: object | undefined): boolean {
  return value !== undefined && !isEmpty(value);
}

function unknownJob(jobId: string): Decision {
  return refused('unknown_job', `there is no job ${jobId}`);
}

function refused(code: ErrorCode, message: string): Decision {
  return { refused: { code, message } };
}

function impossible(command: never): never {
  throw new Error(`invariant broken: every command has a decision, not so ${JSON.stringify(command)}`);
}
