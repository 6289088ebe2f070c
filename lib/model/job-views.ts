/** A job as answers show it: among many, alone, and in the read models' own form. */
import type { components } from './contract.js';
import type { AgentRunOfJob } from './event.js';
import { isTerminal, type Job, statusAt } from './job.js';
import { list, member, record } from './optional-members.js';
import type { ViewContext } from './view-context.js';
import type { Progress } from './worker-protocol.js';

type Schemas = components['schemas'];
export type QueueJob = Schemas['QueueJob'];
export type JobView = Schemas['JobView'];
type Attention = Schemas['Attention'];

export function queueJobView(job: Job, context: ViewContext): QueueJob {
  const status = statusAt(job, context.wallMs);
  const holds = status === 'running';
  const exhausted =
    status === 'retry_waiting' ? job.attempt >= job.max_attempts : job.failure?.code === 'retry_exhausted';
  return {
    job_id: job.job_id,
    job_type: job.job_type,
    request_id: job.request_id,
    request_ids: [...job.request_ids],
    status,
    ...member('idempotency_key', job.idempotency_key),
    attempt: job.attempt,
    max_attempts: job.max_attempts,
    ...(holds ? member('claim_token', job.claim_token) : {}),
    ...(job.lease_epoch > 0 ? { lease_epoch: job.lease_epoch } : {}),
    ...(holds ? member('lease_expires_at', job.lease_expires_at) : {}),
    ...(exhausted ? { retry_exhausted: true } : {}),
    ...outcomeMembers(job),
    ...record('payload', job.payload),
    last_event_id: job.last_event_id,
    created_at: job.created_at,
    updated_at: job.updated_at,
    ...list('attention', attentionFor(job, context)),
  };
}

/** The one job that was asked for: what would make the lists long stands here alone. */
export function jobDetailView(job: Job, context: ViewContext, progress?: Progress): QueueJob {
  return {
    ...queueJobView(job, context),
    ...list('agent_runs', job.agent_runs?.map(agentRunView)),
    ...(job.status === 'running' && progress !== undefined ? { progress: { ...progress } } : {}),
  };
}

function agentRunView({ usage, denials, ...run }: AgentRunOfJob): Schemas['AgentRun'] {
  return { ...run, ...(usage === undefined ? {} : { usage: { ...usage } }), ...list('denials', denials) };
}

export function jobView(job: Job, context: ViewContext): JobView {
  return {
    job_id: job.job_id,
    job_type: job.job_type,
    request_id: job.request_id,
    request_ids: [...job.request_ids],
    status: statusAt(job, context.wallMs),
    ...member('result_status', job.result_status),
    ...outcomeMembers(job),
    created_at: job.created_at,
    updated_at: job.updated_at,
    last_event_id: job.last_event_id,
  };
}

/** What both views of a job, and the consumer's, say about its result. */
export function outcomeMembers(job: Job) {
  return {
    ...member('failure', job.failure),
    ...record('artifacts', job.artifacts),
    ...record('artifact_refs', job.artifact_refs),
    ...list('projection_targets', job.projection_targets),
  };
}

function attentionFor(job: Job, { health, noWorkerFor }: ViewContext): Attention[] {
  if (isTerminal(job)) return [];
  if (job.foreign)
    return [
      { kind: 'foreign', message: 'accepted elsewhere: it does not run here until it is adopted (agentopsd adopt)' },
    ];
  const found: Attention[] = [];
  if (job.accepted_seq <= health.claimsHeldThroughSeq) {
    found.push({
      kind: 'before_damage',
      message:
        'accepted before the damage in the ledger: not claimed until the ledger is repaired or the damage is adopted',
    });
  }
  const noWorker = job.status === 'running' ? undefined : noWorkerFor(job.job_type);
  if (noWorker !== undefined) found.push({ kind: 'no_worker', message: noWorker });
  return found;
}
