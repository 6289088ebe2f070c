/**
 * An event is one thing that happened to one job; the ledger is the list of them, and nothing else is true. This is the
 * vocabulary: the members are the contract's, in the contract's names. What storage adds to a line (`prev_hash`,
 * `commit`) is storage's own.
 */
import type { JsonObject } from '../base/json.js';
import type { components } from './contract.js';

type Schemas = components['schemas'];
export type JobType = Schemas['JobType'];
export type JobStatus = Schemas['JobStatus'];
export type ResultStatus = Schemas['ResultStatus'];
export type FailureCode = Schemas['FailureCode'];
export type Failure = Schemas['Failure'];
export type Artifacts = Schemas['Artifacts'];
export type ArtifactRefs = Schemas['ArtifactRefs'];
export type ProjectionName = Schemas['ProjectionName'];
export type ProjectionStatus = Schemas['ProjectionStatus'];

export const jobTypes = [
  'rpi.run',
  'rpi.phase',
  'dream.run',
  'dream.stage',
  'wiki.build',
  'wiki.forge',
  'factory.admission',
  'factory.local-pilot',
  'openclaw.snapshot',
  'plans.projection',
  'llmwiki.loop',
  'eval.suite',
  'eval.skill-delta',
] as const satisfies readonly JobType[];

export const projectionNames = [
  'rpi-registry',
  'dream-runs',
  'wiki-jobs',
  'openclaw-snapshot',
  'daemon-status',
  'daemon-job-status',
] as const satisfies readonly ProjectionName[];

/** What the worker of a job may record of it beyond its life, under its claim and once a job. */
export const recordedEventTypes = ['factory.admission_decided'] as const;
export type RecordedEventType = (typeof recordedEventTypes)[number];

/** The types that this reducer knows a meaning for. Others are kept, served and counted, and change no view. */
export const eventTypes = [
  'job.accepted',
  'job.claimed',
  'job.heartbeat',
  'job.lease_expired',
  'job.completed',
  'job.failed',
  'job.cancelled',
  'job.adopted',
  ...recordedEventTypes,
  'projection.marked_stale',
  'projection.rebuilt',
] as const;
export type KnownEventType = (typeof eventTypes)[number];

/** Accepts the damage that its payload names, so that work goes on (ours). It belongs to no job. */
export const DAMAGE_ADOPTED = 'ledger.damage_adopted';

export interface AcceptedPayload {
  job_type: JobType;
  job_payload: JsonObject;
  max_attempts: number;
  projection_targets: ProjectionName[];
  idempotency_key: string | undefined;
}
export interface ClaimedPayload {
  claim_token: string;
  lease_epoch: number;
  lease_expires_at: string;
  attempt: number;
}
export interface HeartbeatPayload {
  claim_token: string;
  lease_epoch: number;
  lease_expires_at: string;
  artifacts?: Artifacts;
}
export interface LeaseExpiredPayload {
  claim_token: string;
  lease_epoch: number;
}
export interface CompletedPayload {
  claim_token: string;
  lease_epoch: number;
  result_status: 'succeeded';
  artifacts?: Artifacts;
  artifact_refs?: ArtifactRefs;
}
export interface FailedPayload {
  claim_token?: string;
  lease_epoch?: number;
  failure: Failure;
  artifacts?: Artifacts;
}
export interface CancelledPayload {
  result_status: 'cancelled';
  reason: string;
}
export interface ProjectionPayload {
  projection_targets?: ProjectionName[];
}

/** An event as `decide` makes it and `fold` takes it: whole but for what the ledger's own line adds. */
export interface LedgerEvent {
  schema_version: 1;
  event_id: string;
  request_id: string;
  job_id: string;
  event_type: string;
  occurred_at: string;
  actor: string;
  payload?: JsonObject;
  /** 1, 2, 3 … over the events of the ledger. */
  seq: number;
}

/** `evt_<event_type>_<job_id>_<seq>`; white space in the job id is written `_`. Opaque to every reader but ourselves. */
export function eventIdOf(eventType: string, jobId: string, seq: number): string {
  const id = /\s/u.test(jobId) ? jobId.replace(/\s/gu, '_') : jobId;
  return `evt_${eventType}_${id}_${String(seq).padStart(6, '0')}`;
}

/** The `seq` that an event id of ours ends in, or undefined. Whether it really is an event's id only the event tells. */
export function seqOfEventId(eventId: string): number | undefined {
  const digits = /^evt_.+_(\d{6,15})$/su.exec(eventId)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** What a worker tells of one run of an agent: of that run alone. Members are absent while, or where, nothing is known. */
export interface AgentRunFacts {
  /** Such as `claude`. */
  readonly agent: string;
  readonly cli_version?: string;
  readonly model?: string;
  readonly session_id?: string;
  /** Absent while it runs, and when it was cut short. */
  readonly verdict?: 'succeeded' | 'failed';
  readonly why?: string;
  /** Tokens, by what they were used for. */
  readonly usage?: Readonly<Record<string, number>>;
  /** In US dollars. */
  readonly cost_usd?: number;
  readonly turns?: number;
  /** Tools that it was refused, each once. */
  readonly denials?: readonly string[];
}

/** By the name of the run within its attempt, such as `phase-1`. */
export type AgentRuns = Readonly<Record<string, AgentRunFacts>>;

export interface AgentRunOfJob extends AgentRunFacts {
  readonly attempt: number;
  readonly run: string;
}
