/** How a handler fails its job with a code of the contract, and what becomes of anything else that it throws. */
import type { Failure, FailureCode } from '../lib/model/event.js';
import { failureCodes } from '../lib/model/payloads.js';
import type { JobFailure } from './context.js';

const MESSAGE_CHARACTERS = 4096;

const codes: ReadonlySet<string> = new Set(failureCodes);

/** An error that fails the job with this code and message when a handler throws it. */
export function failure(code: FailureCode, message: string, retryable = false): JobFailure {
  return Object.assign(new Error(message), { failure: { code, message, retryable } });
}

/** The failure that the ledger gets for whatever was thrown: bounded, well-formed, `request_rejected` without a code. */
export function failureOf(thrown: unknown): Failure {
  const told = toldFailure(thrown);
  const message = told?.message ?? messageOf(thrown);
  return {
    code: told !== undefined && codes.has(told.code) ? (told.code as FailureCode) : 'request_rejected',
    message: bounded(message === '' ? 'the handler failed without a message' : message),
    retryable: told?.retryable === true,
  };
}

export type JobFailureData = JobFailure['failure'];

/** The failure that a thrown value carries, if any. */
export function toldFailure(thrown: unknown): JobFailureData | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const told = (thrown as Partial<JobFailure>).failure;
  return typeof told === 'object' && told !== null && typeof told.code === 'string' && typeof told.message === 'string'
    ? told
    : undefined;
}

function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${thrown.name === 'Error' ? '' : `${thrown.name}: `}${thrown.message}`;
    return String(thrown);
  } catch {
    return 'the handler threw something that has no text';
  }
}

function bounded(text: string): string {
  const whole = text.toWellFormed();
  return whole.length <= MESSAGE_CHARACTERS ? whole : `${whole.slice(0, MESSAGE_CHARACTERS).toWellFormed()}…`;
}
