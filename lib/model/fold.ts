/**
 * `foldJob`: what one event makes of one job. Pure: the job as it was and the event in, the job as it is out. An event
 * that may not change the job is passed over, with the reason: it stays in the ledger and changes nothing.
 *
 * Rules beside the table of transitions:
 * - whoever holds a lease speaks with its token and epoch; a stale one changes nothing;
 * - an event of another home's batch never changes a job of ours, whatever token it carries.
 */
import { canonicalJson } from '../base/canonical.js';
import { agentRunsAfter } from './agent-runs.js';
import type { LedgerEvent } from './event.js';
import { isTerminal, type Job, type JobState } from './job.js';
import { readAccepted, readArtifactRefs, readArtifacts, readClaimed, readFailure, readLeaseEnd } from './payloads.js';
import { nextState } from './transitions.js';

/** Why an event was passed over. */
export type Ignored =
  | 'unknown_type'
  | 'unknown_job'
  | 'illegal_transition'
  | 'bad_payload'
  | 'stale_lease'
  | 'foreign_event'
  | 'attempts_used_up'
  | 'recorded_already';

export type Folded = { readonly job: Job; readonly ignored?: undefined } | { readonly ignored: Ignored };

/**
 * @param job the job so far; undefined when there is none of that id
 * @param ours whether the event's batch is of this home
 */
export function foldJob(job: Job | undefined, event: LedgerEvent, ours: boolean): Folded {
  const status = nextState(job?.status, event.event_type);
  if (status === undefined) return { ignored: whyIllegal(job, event) };
  if (job === undefined) return accept(event, ours);
  if (!ours && !job.foreign) return { ignored: 'foreign_event' };
  return change(job, event, status);
}

function whyIllegal(job: Job | undefined, event: LedgerEvent): Ignored {
  if (nextState(undefined, event.event_type) === undefined && !isJobEvent(event.event_type)) return 'unknown_type';
  if (job === undefined) return 'unknown_job';
  return 'illegal_transition';
}

function isJobEvent(eventType: string): boolean {
  return nextState('running', eventType) !== undefined || nextState('queued', eventType) !== undefined;
}

function accept(event: LedgerEvent, ours: boolean): Folded {
  const payload = readAccepted(event);
  if (payload === undefined) return { ignored: 'bad_payload' };
  return {
    job: {
      job_id: event.job_id,
      job_type: payload.job_type,
      request_id: event.request_id,
      request_ids: [event.request_id],
      status: 'queued',
      idempotency_key: payload.idempotency_key,
      payload: payload.job_payload,
      attempt: 0,
      max_attempts: payload.max_attempts,
      claim_token: undefined,
      lease_epoch: 0,
      lease_expires_at: undefined,
      failure: undefined,
      result_status: undefined,
      artifacts: undefined,
      artifact_refs: undefined,
      projection_targets: payload.projection_targets,
      created_at: event.occurred_at,
      updated_at: event.occurred_at,
      last_event_id: event.event_id,
      accepted_seq: event.seq,
      last_seq: event.seq,
      recorded: undefined,
      agent_runs: undefined,
      foreign: !ours,
    },
  };
}

function change(job: Job, event: LedgerEvent, status: JobState): Folded {
  switch (event.event_type) {
    case 'job.claimed':
      return claim(job, event, status);
    case 'job.heartbeat':
      return holdsLease(job, event) ? beat(job, event, status) : staleLease;
    case 'job.lease_expired':
      return holdsLease(job, event) ? { job: withoutLease(touched(job, event, status)) } : staleLease;
    case 'job.completed':
      return holdsLease(job, event) ? complete(job, event, status) : staleLease;
    case 'job.failed':
      return fail(job, event, status);
    case 'job.cancelled': {
      const next = withoutLease(touched(job, event, status));
      next.result_status = 'cancelled';
      return { job: next };
    }
    case 'job.adopted': {
      const next = touched(job, event, status);
      next.foreign = false;
      return { job: next };
    }
    case 'factory.admission_decided':
      return holdsLease(job, event) ? record(job, event, status) : staleLease;
    default:
      return { ignored: 'unknown_type' };
  }
}

/** The first of its type stands, whichever attempt it is of. */
function record(job: Job, event: LedgerEvent, status: JobState): Folded {
  if (job.recorded?.[event.event_type] !== undefined) return { ignored: 'recorded_already' };
  const next = touched(job, event, status);
  next.recorded = { ...job.recorded, [event.event_type]: event.event_id };
  return { job: next };
}

const staleLease: Folded = Object.freeze({ ignored: 'stale_lease' as const });

/** A job that nobody else has seen yet. */
type NextJob = { -readonly [Member in keyof Job]: Job[Member] };

function withoutLease(next: NextJob): NextJob {
  next.claim_token = undefined;
  next.lease_expires_at = undefined;
  return next;
}

function complete(job: Job, event: LedgerEvent, status: JobState): Folded {
  const next = withoutLease(touched(job, event, status));
  next.result_status = 'succeeded';
  next.artifacts = readArtifacts(event) ?? job.artifacts;
  next.artifact_refs = readArtifactRefs(event) ?? job.artifact_refs;
  next.agent_runs = agentRunsAfter(job, event);
  return { job: next };
}

function claim(job: Job, event: LedgerEvent, status: JobState): Folded {
  const payload = readClaimed(event);
  if (payload === undefined) return { ignored: 'bad_payload' };
  if (payload.lease_epoch <= job.lease_epoch) return staleLease;
  if (payload.attempt > job.max_attempts) return { ignored: 'attempts_used_up' };
  const next = touched(job, event, status);
  next.claim_token = payload.claim_token;
  next.lease_epoch = payload.lease_epoch;
  next.lease_expires_at = payload.lease_expires_at;
  next.attempt = payload.attempt;
  return { job: next };
}

function beat(job: Job, event: LedgerEvent, status: JobState): Folded {
  const lease_expires_at = readLeaseEnd(event);
  if (lease_expires_at === undefined) return { ignored: 'bad_payload' };
  const next = touched(job, event, status);
  next.lease_expires_at = lease_expires_at;
  next.artifacts = readArtifacts(event) ?? job.artifacts;
  next.agent_runs = agentRunsAfter(job, event);
  return { job: next };
}

/** The failure of the work needs the lease; attempts used up are told without one. */
function fail(job: Job, event: LedgerEvent, status: JobState): Folded {
  const failure = readFailure(event);
  const may = job.status === 'retry_waiting' ? failure.code === 'retry_exhausted' : holdsLease(job, event);
  if (!may) return staleLease;
  const next = withoutLease(touched(job, event, status));
  next.result_status = 'failed';
  next.failure = failure;
  next.artifacts = readArtifacts(event) ?? job.artifacts;
  next.agent_runs = agentRunsAfter(job, event);
  return { job: next };
}

function holdsLease(job: Job, event: LedgerEvent): boolean {
  const lease = event.payload;
  // A token is a text that is not empty: without one nobody holds anything.
  if (lease === undefined || job.claim_token === undefined) return false;
  return lease['claim_token'] === job.claim_token && lease['lease_epoch'] === job.lease_epoch;
}

/**
 * A copy that shows the event, for the caller to change further. Written out, in the order of `accept`: all jobs are of one
 * shape then, and a long row of heartbeats takes a fraction of what it takes with a spread.
 */
function touched(job: Job, event: LedgerEvent, status: JobState): NextJob {
  const { request_ids } = job;
  return {
    job_id: job.job_id,
    job_type: job.job_type,
    request_id: job.request_id,
    request_ids: request_ids.includes(event.request_id) ? request_ids : [...request_ids, event.request_id],
    status,
    idempotency_key: job.idempotency_key,
    payload: job.payload,
    attempt: job.attempt,
    max_attempts: job.max_attempts,
    claim_token: job.claim_token,
    lease_epoch: job.lease_epoch,
    lease_expires_at: job.lease_expires_at,
    failure: job.failure,
    result_status: job.result_status,
    artifacts: job.artifacts,
    artifact_refs: job.artifact_refs,
    projection_targets: job.projection_targets,
    created_at: job.created_at,
    updated_at: event.occurred_at,
    last_event_id: event.event_id,
    accepted_seq: job.accepted_seq,
    last_seq: event.seq,
    recorded: job.recorded,
    agent_runs: job.agent_runs,
    foreign: job.foreign,
  };
}

/** Whether two payloads are the same JSON value, whatever the order of their members. */
export function samePayload(one: object, other: object): boolean {
  return one === other || canonicalJson(one) === canonicalJson(other);
}

/** Whether a job may be claimed by its state alone. */
export function isClaimable(job: Job): boolean {
  return !job.foreign && !isTerminal(job) && job.status !== 'running';
}
