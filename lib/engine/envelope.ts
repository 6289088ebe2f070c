/**
 * The envelope of a submit: bytes to a request, or the refusal. Every way in goes through here (HTTP, the consumer
 * trigger, the inbox), so that one mistake gets one answer wherever it is made.
 *
 * First the JSON itself, then the shape by the contract's schemas, then the rules that no schema can say. Nothing is
 * filled in: what is absent, null, or blank where blank means absent, is undefined in the request.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { whyNotCanonical } from '../base/canonical.js';
import type { ErrorData } from '../base/errors.js';
import { isJsonObject, type JsonObject } from '../base/json.js';
import { limits } from '../base/limits.js';
import { nearest } from '../base/nearest.js';
import { safeLine } from '../base/text.js';
import { type JobType, jobTypes } from '../model/event.js';
import { loadContract, type SchemaCheck } from './schemas.js';

/** A submit as its caller wrote it, checked and trimmed. */
export interface SubmitRequest {
  readonly request_id: string | undefined;
  readonly job_id: string | undefined;
  readonly job_type: JobType;
  readonly idempotency_key: string | undefined;
  /** `{}` when there is none. */
  readonly payload: JsonObject;
}

/** A value, or the refusal with which a caller is answered. */
export type Checked<Name extends string, Value> =
  | ({ readonly [name in Name]: Value } & { readonly refused?: undefined })
  | ({ readonly [name in Name]?: undefined } & { readonly refused: ErrorData });

export interface EnvelopeOptions {
  /** The job types that this way in takes; default: all. */
  readonly allowedTypes?: readonly JobType[];
}

/**
 * Reads a submit request.
 * @returns `{request}`, or `{refused}` with `invalid_json`, `invalid_request` or `unknown_job_type`
 */
export function readEnvelope(bodyBytes: Uint8Array, options: EnvelopeOptions = {}): Checked<'request', SubmitRequest> {
  const body = readJsonObject(bodyBytes);
  if (body.refused) return body;
  const envelope = body.object;
  const refused =
    whyNotType(envelope['job_type'], options.allowedTypes ?? jobTypes) ?? refusalBy(submitCheck(), envelope);
  if (refused) return { refused };
  const jobType = envelope['job_type'] as JobType;
  const payload = (envelope['payload'] ?? {}) as JsonObject;
  return assembled(envelope, jobType, payload);
}

function assembled(envelope: JsonObject, jobType: JobType, payload: JsonObject): Checked<'request', SubmitRequest> {
  const requestId = readRequestId(envelope['request_id']);
  if (requestId.refused) return requestId;
  const jobId = readJobId(envelope['job_id']);
  if (jobId.refused) return jobId;
  const key = readKey(envelope['idempotency_key']);
  if (key.refused) return key;
  const refused = whyNotPayload(jobType, payload);
  if (refused) return { refused };
  const request = {
    request_id: requestId.text,
    job_id: jobId.text,
    job_type: jobType,
    idempotency_key: key.text,
    payload,
  };
  return { request };
}

/**
 * Strict JSON: one object in UTF-8, nothing behind it.
 * @returns `{object}`, or `{refused}` with `invalid_json` or `invalid_request`
 */
export function readJsonObject(bodyBytes: Uint8Array): Checked<'object', JsonObject> {
  const value = parseStrictly(bodyBytes);
  if (value === undefined) {
    return {
      refused: {
        code: 'invalid_json',
        message: 'invalid json',
        hint: 'send one JSON object in UTF-8, and nothing behind it',
      },
    };
  }
  if (!isJsonObject(value)) return { refused: invalid('the request is not a JSON object') };
  return { object: value };
}

/** Undefined stands for "no JSON": JSON itself can't say it. */
function parseStrictly(bodyBytes: Uint8Array): unknown {
  const bytes = Buffer.from(bodyBytes.buffer, bodyBytes.byteOffset, bodyBytes.byteLength);
  // Beyond ASCII only what is whole UTF-8 passes: otherwise wrong bytes would become replacement characters.
  const encoding = isAscii(bytes) ? 'latin1' : isUtf8(bytes) ? 'utf8' : undefined;
  if (encoding === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString(encoding));
  } catch {
    return undefined;
  }
}

/** The refusal of a value that a schema has something against. */
export function refusalBy(check: SchemaCheck, value: unknown): ErrorData | undefined {
  const problem = check(value);
  if (problem === undefined) return undefined;
  return invalid(`${problem.member === '' ? 'the request' : clipped(safeLine(problem.member))} ${problem.message}`);
}

/** `request_id` of any request: trimmed, absent when it is empty or null, refused when white space is left in it. */
export function readRequestId(value: unknown): Checked<'text', string | undefined> {
  if (value === undefined || value === null || value === '') return { text: undefined };
  const text = String(value).trim();
  if (text === '')
    return { refused: invalid('request_id holds nothing but white space; leave it out, or name the request') };
  if (/\s/u.test(text))
    return { refused: invalid('request_id holds white space; use one word, such as req_20260430_000001') };
  return wellFormed('request_id', text);
}

/** `job_id` of any request: trimmed; undefined when it is blank or null. */
export function readJobId(value: unknown): Checked<'text', string | undefined> {
  const text = value === undefined || value === null ? '' : String(value).trim();
  if (text === '') return { text: undefined };
  if (/\p{Cc}/u.test(text)) return { refused: invalid('job_id holds a control character') };
  return wellFormed('job_id', text, limits.jobIdBytes);
}

/** Compared byte for byte for the life of the ledger: so it is taken as it is, white space and all. */
function readKey(value: unknown): Checked<'text', string | undefined> {
  if (value === undefined || value === null || value === '') return { text: undefined };
  return wellFormed('idempotency_key', String(value), limits.idempotencyKeyBytes);
}

function wellFormed(member: string, text: string, maxBytes = Number.POSITIVE_INFINITY): Checked<'text', string> {
  const gotBytes = Buffer.byteLength(text, 'utf8');
  if (gotBytes > maxBytes) {
    const details = { max_bytes: maxBytes, got_bytes: gotBytes };
    return { refused: { ...invalid(`${member} is ${gotBytes} bytes long; at most ${maxBytes} pass`), details } };
  }
  const why = whyNotCanonical(text, member);
  return why === undefined ? { text } : { refused: invalid(why) };
}

function whyNotType(value: unknown, allowed: readonly JobType[]): ErrorData | undefined {
  if ((allowed as readonly unknown[]).includes(value)) return undefined;
  const known = `known types: ${allowed.join(', ')}`;
  if (value === undefined || value === null)
    return { code: 'unknown_job_type', message: 'job_type is missing', hint: known };
  if (typeof value !== 'string') return invalid('job_type must be a string');
  const elsewhere = (jobTypes as readonly string[]).includes(value);
  const what = elsewhere ? 'is not taken here' : 'is not known';
  const near = elsewhere ? undefined : nearest(value, allowed);
  const ask = near === undefined ? '' : `; did you mean ${near}?`;
  return { code: 'unknown_job_type', message: `job_type ${shown(value)} ${what}${ask}`, hint: known };
}

function whyNotPayload(jobType: JobType, payload: JsonObject): ErrorData | undefined {
  const why = whyNotCanonical(payload);
  if (why !== undefined) return invalid(clipped(safeLine(why)));
  const problem = loadContract().payloadValidator(jobType)(withoutNulls(payload));
  if (problem === undefined) return undefined;
  const member = problem.member === '' ? 'payload' : `payload.${problem.member}`;
  return invalid(`${clipped(safeLine(member))} ${problem.message}`);
}

/** `null` for an optional member counts as absent, wherever the payload's schema forgot to say so. */
function withoutNulls(payload: JsonObject): JsonObject {
  if (!Object.values(payload).includes(null)) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== null));
}

const submitCheck = (): SchemaCheck => loadContract().validator('SubmitRequest');

function invalid(message: string): ErrorData {
  return { code: 'invalid_request', message };
}

const SHOWN_UNITS = 80;

function shown(text: string): string {
  return JSON.stringify(clipped(safeLine(text)));
}

/** A caller's text may be a megabyte; an answer quotes the start of it. */
function clipped(text: string): string {
  return text.length <= SHOWN_UNITS ? text : `${text.slice(0, SHOWN_UNITS).toWellFormed()}…`;
}
