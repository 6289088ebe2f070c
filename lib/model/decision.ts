/** The two things that a decision can be: events to append, or a refusal. */
import type { ErrorCode } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import type { Decision } from './command.js';
import { eventIdOf, type LedgerEvent } from './event.js';
import type { JobLookup } from './state.js';

/** One event to be. An empty payload is left out of it. */
export type Step = readonly [eventType: string, payload: object];

/** The next events of a job, in order. */
export function decided(
  state: JobLookup,
  command: { actor: string; occurredAt: string },
  jobId: string,
  requestId: string,
  steps: readonly Step[],
): { events: LedgerEvent[]; job_id: string } {
  const { actor, occurredAt: occurred_at } = command;
  const events = steps.map(([event_type, payload], at): LedgerEvent => {
    const seq = state.lastSeq + 1 + at;
    const event_id = eventIdOf(event_type, jobId, seq);
    return isEmpty(payload)
      ? { schema_version: 1, event_id, request_id: requestId, job_id: jobId, event_type, occurred_at, actor, seq }
      : {
          schema_version: 1,
          event_id,
          request_id: requestId,
          job_id: jobId,
          event_type,
          occurred_at,
          actor,
          payload: payload as JsonObject,
          seq,
        };
  });
  return { events, job_id: jobId };
}

export function isEmpty(payload: object): boolean {
  for (const _ in payload) return false;
  return true;
}

export function unknownJob(jobId: string): Decision {
  return refused('unknown_job', `there is no job ${jobId}`);
}

export function refused(code: ErrorCode, message: string): Decision {
  return { refused: { code, message } };
}
