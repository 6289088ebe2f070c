/**
 * This program's own reducer: what a list of events says about each job. It is written from the contract alone, so that
 * an implementation can be held against it.
 *
 * What the type of an event says is certain; members of its payload are used where they are there, and nothing is
 * concluded from their absence. After a job's first terminal event nothing changes it.
 */
import { at, instant, isObject, type JsonObject, numberAt, textAt } from './json.js';

export type FoldedStatus = 'queued' | 'running' | 'retry_waiting' | 'completed' | 'failed' | 'cancelled';

export interface FoldedJob {
  readonly jobId: string;
  readonly requestId: string;
  readonly requestIds: string[];
  status: FoldedStatus;
  readonly jobType: string | undefined;
  readonly key: string | undefined;
  readonly maxAttempts: number | undefined;
  readonly targets: unknown;
  /** As it was handed in; undefined where the event does not say. */
  readonly payload: unknown;
  attempt: number;
  claimToken: string | undefined;
  leaseExpiresAt: string | undefined;
  failure: JsonObject | undefined;
  artifacts: JsonObject | undefined;
  artifactRefs: JsonObject | undefined;
  /** Names of artifacts that any of its events told. */
  readonly artifactNames: Set<string>;
  reason: string | undefined;
  readonly createdAt: string | undefined;
  updatedAt: string | undefined;
  lastEventId: string;
  /** Events of types that v0 gives no meaning: they may be shown as the last one. */
  otherLastEvents: string[];
  /** Request ids that only such events carry. */
  otherRequestIds: string[];
}

export const terminal: readonly string[] = ['completed', 'failed', 'cancelled'];

export interface Fold {
  readonly jobs: Map<string, FoldedJob>;
  /** Of the last event folded. */
  lastEventId: string | undefined;
  lastOccurredAt: string | undefined;
  /** Whether an event said that a read model is behind. */
  markedStale: boolean;
  count: number;
  /** Ids that were accepted more than once: which job is shown under such an id, nobody can say. */
  readonly acceptedTwice: Set<string>;
}

/** What the events say of a job; undefined where they say nothing, or name two. */
export function knownJob({ jobs, acceptedTwice }: Fold, jobId: string | undefined): FoldedJob | undefined {
  return jobId === undefined || acceptedTwice.has(jobId) ? undefined : jobs.get(jobId);
}

export function emptyFold(): Fold {
  return {
    jobs: new Map(),
    lastEventId: undefined,
    lastOccurredAt: undefined,
    markedStale: false,
    count: 0,
    acceptedTwice: new Set(),
  };
}

export function foldEvents(events: readonly JsonObject[], into: Fold = emptyFold()): Fold {
  for (const event of events) foldOne(into, event);
  return into;
}

function foldOne(fold: Fold, event: JsonObject): void {
  fold.lastEventId = textAt(event, 'event_id');
  fold.lastOccurredAt = textAt(event, 'occurred_at');
  fold.markedStale ||= event['event_type'] === 'projection.marked_stale';
  fold.count += 1;
  const jobId = textAt(event, 'job_id') ?? '';
  const job = fold.jobs.get(jobId);
  if (event['event_type'] === 'job.accepted') {
    if (job === undefined) fold.jobs.set(jobId, accepted(jobId, event));
    else fold.acceptedTwice.add(jobId);
    return;
  }
  if (job !== undefined && !terminal.includes(job.status)) change(job, event);
}

function accepted(jobId: string, event: JsonObject): FoldedJob {
  const requestId = textAt(event, 'request_id') ?? '';
  return {
    jobId,
    requestId,
    requestIds: [requestId],
    status: 'queued',
    jobType: textAt(event, 'payload', 'job_type'),
    key: textAt(event, 'payload', 'idempotency_key'),
    maxAttempts: numberAt(event, 'payload', 'max_attempts'),
    targets: at(event, 'payload', 'projection_targets'),
    payload: at(event, 'payload', 'job_payload'),
    attempt: 0,
    claimToken: undefined,
    leaseExpiresAt: undefined,
    failure: undefined,
    artifacts: undefined,
    artifactRefs: undefined,
    artifactNames: new Set(),
    reason: undefined,
    createdAt: textAt(event, 'occurred_at'),
    updatedAt: textAt(event, 'occurred_at'),
    lastEventId: textAt(event, 'event_id') ?? '',
    otherLastEvents: [],
    otherRequestIds: [],
  };
}

function change(job: FoldedJob, event: JsonObject): void {
  const type = textAt(event, 'event_type') ?? '';
  if (!known.includes(type)) other(job, event);
  else if (!isStale(job, event, type)) take(job, event, type);
}

function take(job: FoldedJob, event: JsonObject, type: string): void {
  touch(job, event);
  const lease = textAt(event, 'payload', 'lease_expires_at');
  const artifacts = at(event, 'payload', 'artifacts');
  if (isObject(artifacts)) {
    job.artifacts = artifacts;
    for (const name of Object.keys(artifacts)) job.artifactNames.add(name);
  }
  const refs = at(event, 'payload', 'artifact_refs');
  if (isObject(refs)) job.artifactRefs = refs;
  if (type === 'job.claimed') {
    job.attempt += 1;
    job.status = 'running';
    job.claimToken = textAt(event, 'payload', 'claim_token');
    job.leaseExpiresAt = lease;
  } else if (type === 'job.heartbeat') {
    job.leaseExpiresAt = lease ?? job.leaseExpiresAt;
  } else {
    job.status = endings[type] as FoldedStatus;
    job.claimToken = undefined;
    job.leaseExpiresAt = undefined;
    const failure = at(event, 'payload', 'failure');
    if (type === 'job.failed' && isObject(failure)) job.failure = failure;
    if (type === 'job.cancelled') job.reason = textAt(event, 'payload', 'reason');
  }
}

const endings: Readonly<Record<string, FoldedStatus>> = {
  'job.lease_expired': 'retry_waiting',
  'job.completed': 'completed',
  'job.failed': 'failed',
  'job.cancelled': 'cancelled',
};
const known = ['job.claimed', 'job.heartbeat', ...Object.keys(endings)];

/** An event that speaks with a token or epoch which are not the latest claim's has no effect. */
function isStale(job: FoldedJob, event: JsonObject, type: string): boolean {
  if (type === 'job.claimed' || type === 'job.cancelled') return false;
  const token = textAt(event, 'payload', 'claim_token');
  const epoch = numberAt(event, 'payload', 'lease_epoch');
  if (token !== undefined && job.claimToken !== undefined && token !== job.claimToken) return true;
  return epoch !== undefined && epoch !== job.attempt;
}

function touch(job: FoldedJob, event: JsonObject): void {
  const requestId = textAt(event, 'request_id');
  if (requestId !== undefined && !job.requestIds.includes(requestId)) job.requestIds.push(requestId);
  job.updatedAt = textAt(event, 'occurred_at');
  job.lastEventId = textAt(event, 'event_id') ?? '';
  job.otherLastEvents = [];
}

function other(job: FoldedJob, event: JsonObject): void {
  job.otherLastEvents.push(textAt(event, 'event_id') ?? '');
  const requestId = textAt(event, 'request_id');
  if (requestId !== undefined && !job.requestIds.includes(requestId)) job.otherRequestIds.push(requestId);
}

/**
 * How a job may be shown at some moment between two: a lease that runs out shows before any event says so.
 * @param slackMs by which the clocks may differ
 */
export function statusesBetween(job: FoldedJob, from: number, to: number, slackMs: number): readonly FoldedStatus[] {
  const end = instant(job.leaseExpiresAt);
  if (job.status !== 'running' || end === undefined) return [job.status];
  if (to + slackMs < end) return ['running'];
  return from - slackMs > end ? ['retry_waiting'] : ['running', 'retry_waiting'];
}
