/**
 * What every request passes, in this order: too many connections 503, host 403, unknown path 404, method 405, caller 403;
 * then the handler. Nothing of a body is read before. Errors of all of them are answered here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request } from 'polka';
import { AgentopsdError, type ErrorData } from '../base/errors.js';
import { sendError, toErrorData } from './answers.js';
import { authorize, callerFacts } from './auth.js';
import type { Connections } from './connections.js';
import { Exchange, type HttpService, type Route } from './exchange.js';
import { checkHost } from './host.js';

/** A step of polka, without its `next`: each of ours ends the request, and all its errors. */
type Step = (request: Request, response: ServerResponse) => void;

export interface Gate {
  through(route: Route, pattern: RegExp): Step;
  methodNotAllowed(allow: string): Step;
  readonly unknownPath: Step;
  readonly onError: (error: unknown, request: IncomingMessage, response: ServerResponse) => void;
}

export function createGate(service: HttpService, connections: Connections): Gate {
  const onError = (error: unknown, request: IncomingMessage, response: ServerResponse): void =>
    answerError(service, error, request, response);
  const ended = (response: ServerResponse): void => {
    if (response.headersSent && !response.destroyed) service.activity.answered(response.statusCode);
  };
  // Most requests are answered without a promise of the gate's own: each costs as much as a check.
  const guarded =
    (next: (request: Request, response: ServerResponse) => void | Promise<void>): Step =>
    (request, response) => {
      const failed = (error: unknown): void => {
        onError(error, request, response);
        ended(response);
      };
      try {
        connections.check(request);
        checkHost(request, service.port, service.dependencies.http.allowed_hosts);
        const work = next(request, response);
        if (work === undefined) ended(response);
        else work.then(() => ended(response), failed);
      } catch (error) {
        failed(error);
      }
    };
  return {
    onError,
    through: (route, pattern) => guarded((request, response) => handle(service, route, pattern, request, response)),
    methodNotAllowed: (allow) =>
      guarded((request, response) => {
        const error = { code: 'method_not_allowed', message: 'method not allowed' } as const;
        sendError({ request, response }, error, service.dependencies.clock, { Allow: allow });
      }),
    unknownPath: guarded(() => {
      throw new AgentopsdError('unknown_path', 'there is nothing at this path', {
        hint: 'the document lists what there is: /spec/jobspec/v0/openapi.yaml',
      });
    }),
  };
}

/** Nothing is held of a request whose handler is through, or never began to wait. */
function handle(
  service: HttpService,
  route: Route,
  pattern: RegExp,
  request: Request,
  response: ServerResponse,
): void | Promise<void> {
  const caller = callerOf(service, route, request);
  const parameters = route.path.includes('{') ? parametersOf(pattern, request.path) : NO_PARAMETERS;
  const exchange = new Exchange(request, response, caller, parameters);
  const work = route.handler(exchange, service);
  if (work === undefined) return;
  const release = (): void => service.intake.release(exchange);
  work.then(release, release);
  return work;
}

const NO_PARAMETERS: Readonly<Record<string, string>> = Object.freeze({});

/** Name of the token, or empty for an open read. @throws AgentopsdError `mutation_denied` */
function callerOf({ dependencies }: HttpService, { capability }: Route, request: IncomingMessage): string {
  if (capability === undefined && dependencies.http.reads === 'open') return '';
  const rules = { tokens: dependencies.tokens, allowedOrigins: dependencies.http.allowed_origins };
  return authorize(callerFacts(request), capability, rules);
}

/** Decoded once, by ourselves: polka leaves a part as it is where the encoding is broken. */
function parametersOf(pattern: RegExp, path: string): Record<string, string> {
  const parts = Object.entries(pattern.exec(path)?.groups ?? {});
  try {
    return Object.fromEntries(parts.map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    throw new AgentopsdError('invalid_request', 'the path is not valid percent-encoding of UTF-8');
  }
}

/** No answer tells where on this machine the repository stands. */
function withoutRoot(data: ErrorData, root: string): ErrorData {
  return { ...data, message: data.message.replaceAll(`${root}/`, '') };
}

function answerError(
  { dependencies }: HttpService,
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const data = withoutRoot(toErrorData(error), dependencies.root);
  if (data.code === 'internal') {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    dependencies.logger('error', 'a request failed by a fault of the daemon', {
      method: request.method,
      path: request.url,
      error: what,
    });
  }
  // An answer that has begun can't become another one: breaking it off shows its reader that it is not whole.
  if (response.headersSent) return void response.destroy();
  if (!response.destroyed) sendError({ request, response }, data, dependencies.clock);
}
