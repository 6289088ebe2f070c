/**
 * The daemon's own read models: Ready, Status, and the answers of the mutations. Each is made from the folded state at
 * the moment of the question; nothing here is stored. Optional members are left out when they are empty.
 */
import type { Outcome } from './command.js';
import type { components } from './contract.js';
import {
  type AgentRunOfJob,
  type JobType,
  type ProjectionName,
  type ProjectionStatus,
  projectionNames,
} from './event.js';
import type { LedgerHealth } from './health.js';
import { isTerminal, type Job, statusAt } from './job.js';
import type { State } from './state.js';
import type { Progress } from './worker-protocol.js';

type Schemas = components['schemas'];
export type Ready = Schemas['Ready'];
export type Status = Schemas['Status'];
export type QueueJob = Schemas['QueueJob'];
export type JobView = Schemas['JobView'];
export type ProjectionLag = Schemas['ProjectionLag'];
type Attention = Schemas['Attention'];

/** Relative to the root: how answers name the ledger. */
export const SOURCE_LEDGER = '.agents/daemon/ledger';

/** What a view needs beside the state. */
export interface ViewContext {
  /** Wall clock, milliseconds since 1970: leases run out by it. */
  readonly wallMs: number;
  /** When the read model last took an event in. */
  readonly rebuiltAt: string;
  readonly health: LedgerHealth;
  /** What a person should know that does not touch the ledger. */
  readonly warnings: () => readonly string[];
  /** Why nobody takes a type here; undefined when somebody does. */
  readonly noWorkerFor: (jobType: JobType) => string | undefined;
  /** Set when a view could not be rebuilt after an append. */
  readonly projectionFailure: string | undefined;
}

export function projectionLag(state: State, { health }: ViewContext): ProjectionLag {
  const { lastEventId: last_event_id, eventCount: event_count } = state;
  const corrupt_record_count = health.damage.length;
  const degraded = isDegraded(health);
  if (last_event_id === undefined || last_event_id === '') return { event_count, corrupt_record_count, degraded };
  return { last_event_id, event_count, corrupt_record_count, degraded };
}

export function isDegraded(health: LedgerHealth): boolean {
  return health.damage.length > 0 || health.reasons.length > 0;
}

/** Why the ledger can't be believed in full; empty when it can. */
export function ledgerReasons({ damage, reasons }: LedgerHealth): string[] {
  return [...damage.map((record) => `${record.segment}:${record.segment_line}: ${record.error}`), ...reasons];
}

export function projectionStatus(name: ProjectionName, state: State, context: ViewContext): ProjectionStatus {
  if (isDegraded(context.health) || context.projectionFailure !== undefined) return 'degraded';
  return state.isMarkedStale(name) ? 'stale' : 'current';
}

/** The reasons that go with a projection's status; empty exactly when it is current. */
export function projectionReasons(name: ProjectionName, state: State, context: ViewContext): string[] {
  const reasons = ledgerReasons(context.health);
  if (context.projectionFailure !== undefined) reasons.push(context.projectionFailure);
  if (reasons.length === 0 && state.isMarkedStale(name)) reasons.push(`projection ${name} was marked stale`);
  return reasons;
}

/** What every answer of the daemon says about how far it can be believed. */
export function standing(state: State, context: ViewContext) {
  const projection_status = projectionStatus('daemon-job-status', state, context);
  const projection_lag = projectionLag(state, context);
  // Current has no reasons: the usual answer is not slowed down by looking for them.
  if (projection_status === 'current') return { projection_status, projection_lag };
  return {
    projection_status,
    projection_lag,
    ...list('degraded_reasons', projectionReasons('daemon-job-status', state, context)),
  };
}

export function readyView(state: State, context: ViewContext): Ready {
  const { health } = context;
  return {
    ready: !isDegraded(health),
    ledger_replay_status: health.damage.length > 0 ? 'corrupt' : 'complete',
    ...standing(state, context),
    ...list('warnings', context.warnings()),
    ...member('verified_through', health.verifiedThroughSeq),
  };
}

export function manifestsView(state: State, context: ViewContext): Schemas['Manifests'] {
  const manifest = (projection: ProjectionName): Schemas['Manifest'] => ({
    schema_version: 1,
    projection,
    source_ledger: SOURCE_LEDGER,
    ...member('last_event_id', state.lastEventId),
    status: projectionStatus(projection, state, context),
    rebuilt_at: context.rebuiltAt,
    output_paths: [projectionPath(projection)],
    ...list('degraded_reasons', projectionReasons(projection, state, context)),
  });
  return Object.fromEntries(projectionNames.map((name) => [name, manifest(name)])) as Schemas['Manifests'];
}

/** Where a projection's file stands, relative to the root. */
export function projectionPath(projection: ProjectionName): string {
  return `.agents/daemon/projections/${projection}.json`;
}

/** The consumer snapshot is named after the event that it stands at. */
export function snapshotId(state: State): string {
  return state.lastEventId === undefined ? 'snap_empty' : `snap_${state.lastEventId}`;
}

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

export function submitAnswer(job: Job, state: State, context: ViewContext): Schemas['SubmitAnswer'] {
  return {
    accepted: true,
    request_id: job.request_id,
    job_id: job.job_id,
    status: statusAt(job, context.wallMs),
    last_event_id: job.last_event_id,
    ...standing(state, context),
    ...member('idempotency_key', job.idempotency_key),
  };
}

export function triggerAnswer(job: Job, state: State, context: ViewContext): Schemas['TriggerAnswer'] {
  return {
    accepted: true,
    request_id: job.request_id,
    job_id: job.job_id,
    job_type: job.job_type,
    status: statusAt(job, context.wallMs),
    last_event_id: job.last_event_id,
    snapshot_status: projectionStatus('openclaw-snapshot', state, context),
    ...member('idempotency_key', job.idempotency_key),
  };
}

/** @param job the job as it stands after the cancel */
export function cancelAnswer(
  job: Job,
  outcome: NonNullable<Outcome['cancelOutcome']>,
  state: State,
  context: ViewContext,
): Schemas['CancelAnswer'] {
  return {
    cancelled: outcome === 'cancelled' || outcome === 'already_terminal_cancelled',
    outcome,
    job: queueJobView(job, context),
    ...standing(state, context),
  };
}

/** A member that is left out when its value is undefined or empty text. */
export function member<K extends string, V>(name: K, value: V | undefined): { [name in K]?: V } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { [name in K]?: V });
}

/** A list that is left out when it is empty. */
export function list<K extends string, V>(name: K, values: readonly V[] | undefined): { [name in K]?: V[] } {
  return values === undefined || values.length === 0 ? {} : ({ [name]: [...values] } as { [name in K]?: V[] });
}

/** An object that is left out when it is empty. */
function record<K extends string, V extends object>(name: K, value: V | undefined): { [name in K]?: V } {
  return value === undefined || Object.keys(value).length === 0 ? {} : ({ [name]: value } as { [name in K]?: V });
}
