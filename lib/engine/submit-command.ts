/** A submit as the kernel takes it, from a request that was checked: what its caller left out gets its value here. */
import { type Clock, timestamp } from '../base/clock.js';
import { type Random, randomHex } from '../base/random.js';
import type { SubmitCommand } from '../model/command.js';
import type { SubmitRequest } from './envelope.js';

export interface SubmitSeams {
  readonly clock: Clock;
  readonly random: Random;
  /** `max_attempts` of a job that is accepted now. */
  readonly maxAttempts: number;
}

const GENERATED_ID_BYTES = 12;

/** @param actor the way in, as events name it, such as `inbox` */
export function submitCommandOf(
  request: SubmitRequest,
  actor: string,
  { clock, random, maxAttempts }: SubmitSeams,
): SubmitCommand {
  return {
    kind: 'submit',
    actor,
    occurredAt: timestamp(clock.wallMs()),
    job_type: request.job_type,
    request_id: request.request_id ?? `req_${randomHex(random, GENERATED_ID_BYTES)}`,
    job_id: request.job_id,
    // Randomness is not free at thousands of submits a second: none is drawn for an id that nobody will see.
    generatedJobId: request.job_id ?? `job_${randomHex(random, GENERATED_ID_BYTES)}`,
    idempotency_key: request.idempotency_key,
    payload: request.payload,
    max_attempts: maxAttempts,
  };
}
