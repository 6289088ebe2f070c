/**
 * Reads the payloads of events that came from a file: their lines are whole and canonical, but what the payload holds
 * may be anything (an edited line, another implementation). Each reader answers undefined for what it can't believe.
 */
import { isJsonObject, type Json, type JsonObject } from '../base/json.js';
import type { components } from './contract.js';
import {
  type AcceptedPayload,
  type ArtifactRefs,
  type Artifacts,
  type ClaimedPayload,
  type Failure,
  type JobType,
  jobTypes,
  type LedgerEvent,
  type ProjectionName,
  projectionNames,
} from './event.js';

type FailureCode = components['schemas']['FailureCode'];

export const failureCodes = [
  'daemon_unavailable',
  'provider_unreachable',
  'session_pending',
  'lost',
  'event_stream_unavailable',
  'terminal_without_transcript',
  'request_rejected',
  'projection_degraded',
  'retry_exhausted',
] as const satisfies readonly FailureCode[];

export function readAccepted(event: LedgerEvent): AcceptedPayload | undefined {
  const { job_type, job_payload, max_attempts, projection_targets, idempotency_key } = event.payload ?? {};
  if (!isOneOf(jobTypes, job_type)) return undefined;
  if (!isCount(max_attempts) || max_attempts < 1) return undefined;
  return {
    job_type,
    job_payload: isJsonObject(job_payload) ? job_payload : {},
    max_attempts,
    projection_targets: acceptedTargets(projection_targets, job_type),
    idempotency_key: isText(idempotency_key) ? idempotency_key : undefined,
  };
}

export function readClaimed(event: LedgerEvent): ClaimedPayload | undefined {
  const lease = readLease(event);
  const { lease_expires_at, attempt } = event.payload ?? {};
  if (lease === undefined || !isTimestamp(lease_expires_at) || !isCount(attempt)) return undefined;
  const { claim_token, lease_epoch } = lease;
  return { claim_token, lease_epoch, lease_expires_at, attempt };
}

/** The token and epoch under which an event was made. */
export function readLease(event: LedgerEvent): { claim_token: string; lease_epoch: number } | undefined {
  const { claim_token, lease_epoch } = event.payload ?? {};
  return isText(claim_token) && isCount(lease_epoch) ? { claim_token, lease_epoch } : undefined;
}

export function readLeaseEnd(event: LedgerEvent): string | undefined {
  const end = event.payload?.['lease_expires_at'];
  return isTimestamp(end) ? end : undefined;
}

export function readFailure(event: LedgerEvent): Failure {
  const given = event.payload?.['failure'];
  if (!isJsonObject(given)) return { code: 'request_rejected' };
  const { code, message, retryable } = given;
  return {
    code: isOneOf(failureCodes, code) ? code : 'request_rejected',
    ...(isText(message) ? { message } : {}),
    ...(typeof retryable === 'boolean' ? { retryable } : {}),
  };
}

export function readArtifacts(event: LedgerEvent): Artifacts | undefined {
  const given = event.payload?.['artifacts'];
  if (!isJsonObject(given)) return undefined;
  for (const name in given) if (typeof given[name] !== 'string') return onlyTexts(given);
  return given as Artifacts;
}

function onlyTexts(given: JsonObject): Artifacts {
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

export function readArtifactRefs(event: LedgerEvent): ArtifactRefs | undefined {
  const given = event.payload?.['artifact_refs'];
  if (!isJsonObject(given)) return undefined;
  const refs: ArtifactRefs = {};
  for (const [name, ref] of Object.entries(given)) {
    if (!isJsonObject(ref)) continue;
    const { path, sha256, size, written_at } = ref;
    if (isText(path) && isText(sha256) && isCount(size) && isTimestamp(written_at))
      refs[name] = { path, sha256, size, written_at };
  }
  return refs;
}

/** The projections that `projection.*` events name; none named means all. */
export function readProjectionTargets(event: LedgerEvent): readonly ProjectionName[] {
  return readTargets(event.payload?.['projection_targets']) ?? projectionNames;
}

/** Which read models a type lands in, in the contract's order. */
export function projectionTargetsOf(jobType: JobType): ProjectionName[] {
  const own = ownProjectionOf(jobType);
  if (own !== undefined) return [own, 'openclaw-snapshot', 'daemon-status', 'daemon-job-status'];
  if (jobType === 'openclaw.snapshot') return ['openclaw-snapshot', 'daemon-status', 'daemon-job-status'];
  return ['daemon-status', 'daemon-job-status'];
}

const usualTargets = new Map<JobType, ProjectionName[]>();

/** The usual targets of a type: the same list at each call, not to be changed. */
export function usualTargetsOf(jobType: JobType): ProjectionName[] {
  let targets = usualTargets.get(jobType);
  if (targets === undefined) {
    targets = projectionTargetsOf(jobType);
    usualTargets.set(jobType, targets);
  }
  return targets;
}

/** Nearly every job has the usual ones: then they share one list. */
function acceptedTargets(value: Json | undefined, jobType: JobType): ProjectionName[] {
  const usual = usualTargetsOf(jobType);
  if (!Array.isArray(value) || value.length === 0) return usual;
  const same = value.length === usual.length && usual.every((name, at) => value[at] === name);
  return same ? usual : (readTargets(value) ?? usual);
}

function ownProjectionOf(jobType: JobType): ProjectionName | undefined {
  if (jobType.startsWith('rpi.')) return 'rpi-registry';
  if (jobType.startsWith('dream.')) return 'dream-runs';
  return jobType.startsWith('wiki.') ? 'wiki-jobs' : undefined;
}

function readTargets(value: Json | undefined): ProjectionName[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.filter((name): name is ProjectionName => isOneOf(projectionNames, name));
}

function isOneOf<T extends string>(words: readonly T[], value: unknown): value is T {
  return typeof value === 'string' && (words as readonly string[]).includes(value);
}
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
/** As we write it ourselves, on a day that every month has: known for a time without parsing it. */
const USUAL_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:[01][1-9]|10|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

function isTimestamp(value: unknown): value is string {
  return typeof value === 'string' && (USUAL_TIME.test(value) || !Number.isNaN(Date.parse(value)));
}
