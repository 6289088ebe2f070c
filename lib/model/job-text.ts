/**
 * A job as text, for keeping it where it takes little room: one JSON array, its members in the order below, encoder
 * beside decoder. The same job always comes to the same text, wherever its objects came from: what was submitted a
 * moment ago has its members in the submitter's order, what was read back from the ledger has them sorted.
 *
 * `REDUCER_VERSION` names this form and the meaning of all events together. It must change when `foldJob` makes something
 * else of an event, or when this form does: what was folded by another version is folded anew.
 */
import { sortedJson } from '../base/canonical.js';
import type { Job } from './job.js';
import { usualTargetsOf } from './payloads.js';

export const REDUCER_VERSION = '6';

type UsualRow = readonly [
  job_id: string,
  job_type: Job['job_type'],
  request_id: string,
  /** 0 where it holds `request_id` alone. */
  request_ids: readonly string[] | 0,
  status: Job['status'],
  idempotency_key: string | null,
  payload: Job['payload'],
  attempt: number,
  max_attempts: number,
  claim_token: string | null,
  lease_epoch: number,
  lease_expires_at: string | null,
  failure: Job['failure'] | null,
  result_status: Job['result_status'] | null,
  artifacts: Job['artifacts'] | null,
  artifact_refs: Job['artifact_refs'] | null,
  /** 0 for the usual ones of the type. */
  projection_targets: Job['projection_targets'] | 0,
  created_at: string,
  updated_at: string,
  last_event_id: string,
  accepted_seq: number,
  last_seq: number,
  foreign: 0 | 1,
];
/** `recorded` and `agent_runs` stand only where something was. */
type Row = readonly [
  ...UsualRow,
  recorded?: NonNullable<Job['recorded']> | 0,
  agentRuns?: NonNullable<Job['agent_runs']>,
];

export function encodeJob(job: Job): string {
  const { request_id, request_ids } = job;
  const row: UsualRow = [
    job.job_id,
    job.job_type,
    request_id,
    request_ids.length === 1 && request_ids[0] === request_id ? 0 : request_ids,
    job.status,
    job.idempotency_key ?? null,
    job.payload,
    job.attempt,
    job.max_attempts,
    job.claim_token ?? null,
    job.lease_epoch,
    job.lease_expires_at ?? null,
    job.failure ?? null,
    job.result_status ?? null,
    job.artifacts ?? null,
    job.artifact_refs ?? null,
    job.projection_targets === usualTargetsOf(job.job_type) ? 0 : job.projection_targets,
    job.created_at,
    job.updated_at,
    job.last_event_id,
    job.accepted_seq,
    job.last_seq,
    job.foreign ? 1 : 0,
  ];
  const whole: Row = withRare(row, job);
  return isInOrder(job) ? JSON.stringify(whole) : sortedJson(whole);
}

function withRare(row: UsualRow, { recorded, agent_runs }: Job): Row {
  if (agent_runs !== undefined) return [...row, recorded ?? 0, agent_runs];
  return recorded === undefined ? row : [...row, recorded];
}

/** @param text what `encodeJob` answered */
export function decodeJob(text: string): Job {
  const row = JSON.parse(text) as Row;
  const request_id = row[2];
  return {
    job_id: row[0],
    job_type: row[1],
    request_id,
    request_ids: row[3] === 0 ? [request_id] : row[3],
    status: row[4],
    idempotency_key: row[5] ?? undefined,
    payload: row[6],
    attempt: row[7],
    max_attempts: row[8],
    claim_token: row[9] ?? undefined,
    lease_epoch: row[10],
    lease_expires_at: row[11] ?? undefined,
    failure: row[12] ?? undefined,
    result_status: row[13] ?? undefined,
    artifacts: row[14] ?? undefined,
    artifact_refs: row[15] ?? undefined,
    projection_targets: row[16] === 0 ? usualTargetsOf(row[1]) : row[16],
    created_at: row[17],
    updated_at: row[18],
    last_event_id: row[19],
    accepted_seq: row[20],
    last_seq: row[21],
    recorded: row[23] === 0 ? undefined : row[23],
    agent_runs: row[24],
    foreign: row[22] === 1,
  };
}

/** Whether all objects within a job have their members in order: then the engine's own, faster text is the sorted one. */
function isInOrder({ payload, failure, artifacts, artifact_refs, recorded, agent_runs }: Job): boolean {
  return (
    isSorted(payload) &&
    isSorted(failure) &&
    isSorted(artifacts) &&
    isSorted(artifact_refs) &&
    isSorted(recorded) &&
    isSorted(agent_runs)
  );
}

function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (const one of value) if (typeof one === 'object' && !isSorted(one)) return false;
    return true;
  }
  let before = '';
  for (const name in value) {
    if (before > name) return false;
    const member = (value as Record<string, unknown>)[name];
    if (typeof member === 'object' && !isSorted(member)) return false;
    before = name;
  }
  return true;
}
