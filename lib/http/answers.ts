/**
 * How answers are written. JSON always, errors too; no header ever lets another origin read them. An error's body holds
 * what the contract says; its code of the error table stands in a header, for programs.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.js';
import { AgentopsdError, ERROR_CODE_HEADER, type ErrorCode, type ErrorData, errorTable } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { hasBody } from './body.js';

/** On every answer: its type is what it says, and nobody on the way keeps it. */
export const SAFE_HEADERS = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' } as const;

/** The same as names and values in turn. */
const SAFE_LIST: readonly string[] = Object.entries(SAFE_HEADERS).flat();

/** The messages of these are the contract's own words: a hint would change them. */
const WORDED: ReadonlySet<ErrorCode> = new Set([
  'invalid_json',
  'mutation_denied',
  'host_denied',
  'method_not_allowed',
  'not_ready',
]);

/** What may be over soon, without anybody doing anything. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['overloaded', 'outcome_unknown']);

type Answering = { readonly request: IncomingMessage; readonly response: ServerResponse };

export function sendJson(answering: Answering, status: number, value: unknown, headers?: OutgoingHttpHeaders): void {
  sendText(answering, status, 'application/json', JSON.stringify(value), headers);
}

export function sendText(
  { response }: Answering,
  status: number,
  type: string,
  text: string | Buffer,
  headers?: OutgoingHttpHeaders,
): void {
  const length = typeof text === 'string' ? Buffer.byteLength(text, 'utf8') : text.length;
  // As a list where nothing is added, as nearly always: an object would be made anew for each answer.
  const head =
    headers === undefined
      ? [...SAFE_LIST, 'Content-Type', type, 'Content-Length', length]
      : { ...SAFE_HEADERS, 'Content-Type': type, 'Content-Length': length, ...headers };
  response.writeHead(status, head);
  // Written, and ended a turn later: `end(text)` sends an empty piece behind the text, and two pieces take a way to the
  // socket that costs a tenth of a whole accept. A sign is a byte where there are as many: nothing is to be converted.
  if (length === text.length) response.write(text, 'latin1');
  else response.write(text);
  process.nextTick(end, response);
}

function end(response: ServerResponse): void {
  response.end();
}

/** Begins an answer whose length is not known yet. */
export function beginStream({ response }: Answering, type: string, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(200, { ...SAFE_HEADERS, 'Content-Type': type, ...headers });
}

/** The body of an error, as the contract has it. */
export function errorBody(error: ErrorData): Record<string, unknown> {
  const hint = error.hint === undefined || WORDED.has(error.code) ? '' : `; ${error.hint}`;
  return { error: `${error.message}${hint}`, ...error.details };
}

/**
 * Answers with an error at once, whatever of the body is still to come: the sender can read the answer while the rest
 * is thrown away, up to a limit. Closing at once would reset the connection and lose the answer half the time.
 */
export function sendError(
  answering: Answering,
  error: ErrorData,
  clock: Clock,
  headers: OutgoingHttpHeaders = {},
): void {
  const { request, response } = answering;
  const { http: status } = errorTable[error.code];
  const comeAgain = PASSING.has(error.code) ? { 'Retry-After': limits.retryAfterSeconds } : {};
  const all: OutgoingHttpHeaders = { [ERROR_CODE_HEADER]: error.code, ...comeAgain, ...headers };
  if (!hasBody(request) || request.complete) {
    sendJson(answering, status, errorBody(error), all);
    return;
  }
  const text = JSON.stringify(errorBody(error));
  const length = Buffer.byteLength(text, 'utf8');
  const head = { ...SAFE_HEADERS, 'Content-Type': 'application/json', 'Content-Length': length, Connection: 'close' };
  response.writeHead(status, { ...head, ...all });
  response.write(text);
  drain(request, clock, () => response.end());
}

/** Throws away what still comes, bounded in bytes and time. `done` runs once. */
function drain(request: IncomingMessage, clock: Clock, done: () => void): void {
  let taken = 0;
  const finish = (): void => {
    cancel();
    request.off('data', onData).off('end', finish).off('close', finish);
    done();
  };
  const onData = (piece: Buffer): void => {
    taken += piece.length;
    if (taken > limits.httpDrainBytes) finish();
  };
  const cancel = clock.after(limits.httpDrainMs, finish);
  request.on('error', () => {});
  request.on('data', onData).on('end', finish).on('close', finish);
  request.resume();
}

/**
 * Any thrown value as data. What is no error of ours, or one that the caller can do nothing about, is the daemon's own
 * fault: its text may name paths of this machine and stays inside.
 */
export function toErrorData(error: unknown): ErrorData {
  if (error instanceof AgentopsdError && errorTable[error.code].http !== 500) return error.toData();
  return { code: 'internal', message: 'the daemon could not do this by its own fault; its log tells more' };
}
