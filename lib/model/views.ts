/**
 * The daemon's own read models: Ready, Status, and the answers of the mutations. Each is made from the folded state at
 * the moment of the question; nothing here is stored. Optional members are left out when they are empty.
 */
import type { Outcome } from './command.js';
import type { components } from './contract.js';
import { type ProjectionName, type ProjectionStatus, projectionNames } from './event.js';
import type { LedgerHealth } from './health.js';
import { type Job, statusAt } from './job.js';
import { queueJobView } from './job-views.js';
import { list, member } from './optional-members.js';
import type { State } from './state.js';
import type { ViewContext } from './view-context.js';

type Schemas = components['schemas'];
export type Ready = Schemas['Ready'];
export type Status = Schemas['Status'];
export type ProjectionLag = Schemas['ProjectionLag'];

/** Relative to the root: how answers name the ledger. */
export const SOURCE_LEDGER = '.agents/daemon/ledger';

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
