/**
 * What only the holder of the current lease may say: that it lives, and how the work ended. Whoever lost the lease
 * changes nothing any more.
 */
import type {
  CompleteCommand,
  Decision,
  ExpireLeaseCommand,
  FailCommand,
  HeartbeatCommand,
  LeaseHeld,
  RecordCommand,
} from './command.js';
import { decided, isEmpty, refused, type Step, unknownJob } from './decision.js';
import { type AgentRuns, type ArtifactRefs, type Artifacts, type Failure, recordedEventTypes } from './event.js';
import type { Job } from './job.js';
import type { JobLookup } from './state.js';

type CommandUnderLease = HeartbeatCommand | ExpireLeaseCommand | CompleteCommand | FailCommand | RecordCommand;

export function decideUnderLease(state: JobLookup, command: CommandUnderLease): Decision {
  if (command.kind === 'record' && !recordedEventTypes.includes(command.event_type))
    return refused('invalid_request', `a worker can't record an event of the type ${command.event_type}`);
  const stale = whyStale(state, command);
  if (stale !== undefined) return stale;
  const job = state.job(command.job_id) as Job;
  return decided(state, command, job.job_id, job.request_id, stepsOf(job, command));
}

/** Why who says that he holds the lease does not. */
export function whyStale(state: JobLookup, held: LeaseHeld): Decision | undefined {
  const job = state.job(held.job_id);
  if (job === undefined) return unknownJob(held.job_id);
  const current =
    job.status === 'running' && job.claim_token === held.claim_token && job.lease_epoch === held.lease_epoch;
  if (current && !job.foreign) return undefined;
  return refused(
    'stale_lease',
    `the lease of job ${job.job_id}, epoch ${held.lease_epoch}, is no longer held: it is ${job.status}`,
  );
}

function stepsOf(job: Job, command: CommandUnderLease): readonly Step[] {
  switch (command.kind) {
    case 'heartbeat': {
      const { lease_expires_at } = command;
      return [['job.heartbeat', Object.assign(toldOf(command), { lease_expires_at })]];
    }
    case 'expire_lease':
      return expire(job);
    case 'complete':
      return [['job.completed', completedOf(command)]];
    case 'fail': {
      const { failure } = command;
      return [['job.failed', Object.assign(toldOf(command), { failure })]];
    }
    case 'record':
      return record(job, command);
  }
}

function expire(job: Job): Step[] {
  const { claim_token, lease_epoch } = job;
  const expired: Step = ['job.lease_expired', { claim_token: claim_token ?? '', lease_epoch }];
  if (job.attempt < job.max_attempts) return [expired];
  const failure: Failure = {
    code: 'retry_exhausted',
    message: `the worker was lost in each of ${job.max_attempts} attempts`,
    retryable: false,
  };
  return [expired, ['job.failed', { failure }]];
}

function record(job: Job, { event_type, claim_token, lease_epoch, payload }: RecordCommand): Step[] {
  return job.recorded?.[event_type] === undefined ? [[event_type, { ...payload, claim_token, lease_epoch }]] : [];
}

interface Told {
  agent_runs?: AgentRuns | undefined;
  artifact_refs?: ArtifactRefs | undefined;
  artifacts?: Artifacts | undefined;
  claim_token?: string;
  lease_epoch?: number;
  result_status?: 'succeeded';
}

/**
 * What stands in most events under a lease; what is empty is not told. Members are in the order of their names, as the
 * line has them, and set one by one: an object that is put together from parts costs several times as much.
 */
function toldOf(
  { agent_runs, artifacts, claim_token, lease_epoch }: LeaseHeld & Told,
  artifact_refs?: ArtifactRefs,
): Told {
  const told: Told = {};
  if (tells(agent_runs)) told.agent_runs = agent_runs;
  if (tells(artifact_refs)) told.artifact_refs = artifact_refs;
  if (tells(artifacts)) told.artifacts = artifacts;
  told.claim_token = claim_token;
  told.lease_epoch = lease_epoch;
  return told;
}

function completedOf(command: CompleteCommand): Told {
  const told = toldOf(command, command.artifact_refs);
  told.result_status = 'succeeded';
  return told;
}

function tells(value: object | undefined): boolean {
  return value !== undefined && !isEmpty(value);
}
