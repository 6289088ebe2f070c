/** One HTTP exchange with a daemon: what goes wrong comes out as an `AgentopsdError` of the one error table. */
import { AgentopsdError, ERROR_CODE_HEADER, type ErrorCode, isErrorCode } from '../base/errors.js';
import { isJsonObject } from '../base/json.js';
import type { Answer, Transport } from './transport.js';

export interface Endpoint {
  /** As `loopbackOrigin` answers it. */
  readonly origin: string;
  readonly token: string | undefined;
  readonly transport: Transport;
  /** From the call to the end of the answer's body; streams have none. */
  readonly requestTimeoutMs: number;
}

export interface Exchange {
  readonly method: 'GET' | 'POST';
  /** With its query, percent-encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly accept?: string;
  /** A stream: no time limit, the body is left unread. */
  readonly stream?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** What a 404 means here. */
  readonly notFound?: ErrorCode;
}

/**
 * Asks, and answers the response of a 2xx.
 * @throws AgentopsdError `daemon_unreachable` when no answer came, otherwise the code that the answer names, or one made from status and text
 */
export async function exchange(endpoint: Endpoint, ask: Exchange): Promise<Answer> {
  const response = await send(endpoint, ask);
  if (response.status >= 200 && response.status < 300) return response;
  throw refusal(endpoint, ask, response, await textOf(endpoint, response));
}

/** The same for an answer of one JSON document. `T` is the contract's type of it. */
export async function exchangeJson<T>(
  endpoint: Endpoint,
  ask: Exchange,
): Promise<{ body: T; headers: Answer['headers'] }> {
  const response = await exchange(endpoint, ask);
  const text = await textOf(endpoint, response);
  try {
    return { body: JSON.parse(text) as T, headers: response.headers };
  } catch {
    throw notADaemon(endpoint.origin);
  }
}

async function send(endpoint: Endpoint, ask: Exchange): Promise<Answer> {
  try {
    return await endpoint.transport(endpoint.origin, ask.path, {
      method: ask.method,
      headers: headersOf(endpoint, ask),
      signal: ask.signal,
      timeoutMs: ask.stream === true ? undefined : endpoint.requestTimeoutMs,
      ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
    });
  } catch (error) {
    if (ask.signal?.aborted === true) throw ask.signal.reason;
    throw unreachable(endpoint.origin, error);
  }
}

function headersOf(endpoint: Endpoint, ask: Exchange): Record<string, string> {
  return {
    accept: ask.accept ?? 'application/json',
    ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` }),
  };
}

async function textOf(endpoint: Endpoint, response: Answer): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw unreachable(endpoint.origin, error);
  }
}

/** No answer, or half of one: whether the daemon did what was asked is not known. */
export function unreachable(origin: string, error: unknown): AgentopsdError {
  return new AgentopsdError('daemon_unreachable', `no daemon answers at ${origin} (${reasonOf(error)})`, {
    hint: 'start one with: agentopsd run',
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it took too long';
  const cause = error.cause;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

function notADaemon(origin: string): AgentopsdError {
  return new AgentopsdError('daemon_unreachable', `what answers at ${origin} is no agentopsd`, {
    hint: 'check the address: agentopsd doctor',
  });
}

function refusal({ origin }: Endpoint, ask: Exchange, response: Answer, text: string): AgentopsdError {
  const body = parsed(text);
  const message = isJsonObject(body) && typeof body['error'] === 'string' ? body['error'] : undefined;
  if (message === undefined) return notADaemon(origin);
  const { error: _, ...details } = body as Record<string, unknown>;
  const named = response.headers.get(ERROR_CODE_HEADER);
  const code = isErrorCode(named) ? named : codeOf(response.status, message, ask);
  const hint = hintOf(code, message);
  return new AgentopsdError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    details: { ...details, http_status: response.status, ...comeAgain(response) },
  });
}

function comeAgain({ headers }: Answer): { retry_after_seconds?: number } {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? { retry_after_seconds: seconds } : {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** For an implementation of the contract that names no code. */
function codeOf(status: number, message: string, ask: Exchange): ErrorCode {
  switch (status) {
    case 400:
      return badRequestCode(message, ask);
    case 403:
      return /host is not trusted/.test(message) ? 'host_denied' : 'mutation_denied';
    case 404:
      return ask.notFound ?? 'unknown_path';
    case 405:
      return 'method_not_allowed';
    case 409:
      return 'key_conflict';
    case 413:
      return 'body_too_large';
    case 415:
      return 'unsupported_media_type';
    case 503:
      return /not ready/.test(message) ? 'not_ready' : 'outcome_unknown';
    default:
      return 'internal';
  }
}

function badRequestCode(message: string, ask: Exchange): ErrorCode {
  if (message === 'invalid json') return 'invalid_json';
  return ask.path.startsWith('/v1/events') && /cursor/.test(message) ? 'unknown_cursor' : 'invalid_request';
}

function hintOf(code: ErrorCode, message: string): string | undefined {
  if (code === 'mutation_denied' && /mismatch|not configured|capability/.test(message)) {
    return 'give the token that the daemon was started with in AGENTOPSD_TOKEN';
  }
  if (code === 'outcome_unknown') return 'ask again with the same idempotency key';
  return undefined;
}
