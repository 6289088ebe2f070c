/**
 * The phases of a run, and what a payload asks of them. Members that are absent get their defaults here; what does not
 * fit fails the job and names the member.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../lib/base/canonical.js';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import type { WorkerJob } from '../../lib/model/worker-protocol.js';
import { failure } from '../failure.js';
import { booleanMember, textListMember, textMember, told, wholeMember } from '../kit/payload.js';
import { rpiLimits } from './limits.js';

export const phaseNames = ['discovery', 'implementation', 'validation'] as const;
export type PhaseName = (typeof phaseNames)[number];

export interface Phase {
  /** From 1. */
  readonly number: number;
  readonly name: PhaseName;
}

export const phases: readonly Phase[] = phaseNames.map((name, at) => ({ number: at + 1, name }));
export const LAST_PHASE = phases.length;

export interface RpiRequest {
  readonly jobId: string;
  readonly runId: string;
  /** '' when the packet alone says what is to be done. */
  readonly goal: string;
  readonly mode: string;
  /** A file with more about the work, as the payload names it. */
  readonly packetPath: string | undefined;
  /** The work order that the run carries out, as text; undefined when there is none. */
  readonly workOrder: string | undefined;
  readonly validationCommands: readonly string[];
  /** Those to run, in order; at least one. */
  readonly phases: readonly Phase[];
  readonly worktree: boolean;
  /** Of job and payload: what a result is of. */
  readonly hash: string;
}

export function readRun(job: WorkerJob): RpiRequest {
  const { payload } = job;
  const first = wholeMember(payload, 'start_phase', 1, LAST_PHASE) ?? 1;
  const last = wholeMember(payload, 'max_phase', 1, LAST_PHASE) ?? LAST_PHASE;
  if (first > last) {
    throw failure('request_rejected', `payload.start_phase is ${first}, behind payload.max_phase, ${last}`);
  }
  return readShared(
    job,
    phases.filter(({ number }) => number >= first && number <= last),
    booleanMember(payload, 'worktree') ?? false,
  );
}

export function readPhase(job: WorkerJob): RpiRequest {
  const name = textMember(job.payload, 'phase_name');
  const named = phases.find((phase) => phase.name === name);
  if (name !== undefined && named === undefined) {
    throw failure('request_rejected', `payload.phase_name: ${told(name)} is none of ${phaseNames.join(', ')}`);
  }
  const number = wholeMember(job.payload, 'phase', 1, LAST_PHASE);
  if (named !== undefined && number !== undefined && named.number !== number) {
    throw failure('request_rejected', `payload.phase is ${number}, but payload.phase_name is phase ${named.number}`);
  }
  const wanted = named?.number ?? number ?? 1;
  return readShared(
    job,
    phases.filter((phase) => phase.number === wanted),
    false,
  );
}

function readShared({ job_id, payload }: WorkerJob, wanted: readonly Phase[], worktree: boolean): RpiRequest {
  const goal = textMember(payload, 'goal') ?? '';
  const packetPath = textMember(payload, 'execution_packet_path');
  const workOrder = workOrderOf(payload);
  if (goal === '' && packetPath === undefined && workOrder === undefined) {
    throw failure('request_rejected', 'payload.goal is missing: say in words what is to be reached');
  }
  const validationCommands = textListMember(payload, 'validation_commands');
  if (validationCommands.length > rpiLimits.validationCommands) {
    const most = rpiLimits.validationCommands;
    throw failure('request_rejected', `payload.validation_commands: at most ${most} commands can be run`);
  }
  return {
    jobId: job_id,
    runId: textMember(payload, 'run_id') ?? job_id,
    goal,
    mode: textMember(payload, 'mode') ?? 'daemon',
    packetPath,
    workOrder,
    validationCommands,
    phases: wanted,
    worktree,
    hash: createHash('sha256').update(canonicalJson({ job_id, payload }), 'utf8').digest('hex'),
  };
}

function workOrderOf({ work_order: order }: JsonObject): string | undefined {
  if (order === undefined || order === null) return undefined;
  if (typeof order !== 'string' && !isJsonObject(order))
    throw failure('request_rejected', 'payload.work_order must be an object, or the path of one');
  const text = typeof order === 'string' ? order.trim() : JSON.stringify(order, null, 2);
  return text === '' || text === '{}' ? undefined : text;
}

/** @throws JobFailure when commands of the payload are to run, and may not */
export function refuseCommands({ phases: wanted, validationCommands }: RpiRequest, allowed: boolean): void {
  if (allowed || validationCommands.length === 0 || wanted.at(-1)?.number !== LAST_PHASE) return;
  throw failure(
    'request_rejected',
    'payload.validation_commands: commands of a payload run only with allow_payload_commands: true in a trusted .agents/config.yaml',
  );
}

/** What a phase left: `phases/<n>/result.json`. */
export interface PhaseResult extends JsonObject {
  schema_version: 1;
  run_id: string;
  job_id: string;
  phase: number;
  phase_name: PhaseName;
  /** Which attempt did it. */
  attempt: number;
  verdict: 'succeeded' | 'failed';
  why: string;
  /** `hash` of the request. */
  request: string;
}
