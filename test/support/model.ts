/** Builders for commands, events and states: what a test does not name has a value that works. */
import type { JsonObject } from '../../lib/base/json.js';
import type { CancelCommand, ClaimCommand, Command, SubmitCommand } from '../../lib/model/command.js';
import { decide } from '../../lib/model/decide.js';
import { eventIdOf, type JobType, type LedgerEvent } from '../../lib/model/event.js';
import { healthyLedger } from '../../lib/model/health.js';
import { State } from '../../lib/model/state.js';
import type { ViewContext } from '../../lib/model/view-context.js';

export const AT = '2026-05-01T10:00:00.000Z';
export const LEASE_END = '2026-05-01T10:01:00.000Z';
const asked = { actor: 'test', occurredAt: AT };

export function submitCommand(more: Partial<SubmitCommand> = {}): SubmitCommand {
  return {
    kind: 'submit',
    ...asked,
    job_type: 'rpi.run',
    request_id: 'req_1',
    job_id: 'job_1',
    generatedJobId: 'job_generated',
    idempotency_key: undefined,
    payload: { goal: 'a goal' },
    max_attempts: 3,
    ...more,
  };
}
export function cancelCommand(more: Partial<CancelCommand> = {}): CancelCommand {
  return { kind: 'cancel', ...asked, job_id: 'job_1', request_id: undefined, reason: 'cancelled', ...more };
}
export function claimCommand(more: Partial<ClaimCommand> = {}): ClaimCommand {
  return { kind: 'claim', ...asked, job_id: 'job_1', claim_token: 'token_1', lease_expires_at: LEASE_END, ...more };
}
const lease = { job_id: 'job_1', claim_token: 'token_1', lease_epoch: 1 };
export const heartbeat: Command = {
  kind: 'heartbeat',
  ...asked,
  ...lease,
  lease_expires_at: '2026-05-01T10:02:00.000Z',
  artifacts: { output: 'runs/1/output.log' },
};
export const expireLease: Command = { kind: 'expire_lease', ...asked, ...lease };
export const complete: Command = {
  kind: 'complete',
  ...asked,
  ...lease,
  artifacts: undefined,
  artifact_refs: undefined,
};
export const fail: Command = {
  kind: 'fail',
  ...asked,
  ...lease,
  failure: { code: 'request_rejected', message: 'no', retryable: false },
  artifacts: undefined,
};
export const record: Command = {
  kind: 'record',
  ...asked,
  ...lease,
  event_type: 'factory.admission_decided',
  payload: { allowed: true },
};
export const adopt: Command = { kind: 'adopt', ...asked, job_id: 'job_1' };

/** Decides a command and folds its events; answers the events. Throws on a refusal, with its code. */
export function carryOut(state: State, command: Command, ours = true): readonly LedgerEvent[] {
  const decision = decide(state, command);
  if (decision.refused !== undefined) throw new Error(decision.refused.code);
  for (const event of decision.events) state.apply(event, ours);
  return decision.events;
}

/** A state after these commands, all ours. */
export function stateAfter(...commands: Command[]): State {
  const state = new State();
  for (const command of commands) carryOut(state, command);
  return state;
}

export function event(
  eventType: string,
  payload: JsonObject | undefined,
  more: Partial<LedgerEvent> = {},
): LedgerEvent {
  const { job_id = 'job_1', seq = 1 } = more;
  return {
    schema_version: 1,
    event_id: eventIdOf(eventType, job_id, seq),
    request_id: 'req_1',
    job_id,
    event_type: eventType,
    occurred_at: AT,
    actor: 'test',
    ...(payload === undefined ? {} : { payload }),
    seq,
    ...more,
  };
}

export function accepted(
  jobType: JobType = 'rpi.run',
  more: Partial<LedgerEvent> = {},
  extra: JsonObject = {},
): LedgerEvent {
  return event(
    'job.accepted',
    { job_type: jobType, job_payload: {}, max_attempts: 3, projection_targets: [], ...extra },
    more,
  );
}

export function context(more: Partial<ViewContext> = {}): ViewContext {
  return {
    wallMs: Date.parse(AT),
    rebuiltAt: AT,
    health: healthyLedger,
    warnings: () => [],
    noWorkerFor: () => undefined,
    projectionFailure: undefined,
    ...more,
  };
}
