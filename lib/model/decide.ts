/**
 * `decide`: what a command makes of the state, as events to append; or a refusal. Pure: time, ids and tokens come with
 * the command. A request that was already carried out appends nothing and answers with the job as it stands.
 */
import type {
  CancelCommand,
  CancelOutcome,
  ClaimCommand,
  Command,
  Decision,
  IdempotencyConflict,
  SubmitCommand,
} from './command.js';
import { decideUnderLease, whyStale } from './decide-under-lease.js';
import { decided, refused, unknownJob } from './decision.js';
import { DAMAGE_ADOPTED } from './event.js';
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
    case 'heartbeat':
    case 'expire_lease':
    case 'complete':
    case 'fail':
    case 'record':
      return decideUnderLease(state, command);
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

function adopt(state: JobLookup, command: { job_id: string; actor: string; occurredAt: string }): Decision {
  const job = state.job(command.job_id);
  if (job === undefined) return unknownJob(command.job_id);
  if (!job.foreign || isTerminal(job)) return { events: [], job_id: job.job_id };
  return decided(state, command, job.job_id, job.request_id, [['job.adopted', {}]]);
}

function impossible(command: never): never {
  throw new Error(`invariant broken: every command has a decision, not so ${JSON.stringify(command)}`);
}
