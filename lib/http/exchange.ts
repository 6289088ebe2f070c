/** One request and its answer, as handlers see them: after the host, the path, the method and the caller were checked. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Capability } from '../storage/token-file.js';
import type { Activity } from './activity.js';
import type { HttpDependencies } from './dependencies.js';
import type { Intake } from './intake.js';
import type { ViewCache } from './view-cache.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Decoded parts of the path, by the name in the route's braces. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Name of the caller's token; empty where none is asked for. */
  readonly caller: string;
  /** Bytes of its body that count as held until it is answered. */
  heldBytes: number;
}

/** What all requests of one server share. */
export interface HttpService {
  readonly dependencies: HttpDependencies;
  readonly views: ViewCache;
  readonly activity: Activity;
  readonly intake: Intake;
  /** Aborts when the server closes: whatever streams ends. */
  readonly closing: AbortSignal;
  /** The port that callers name in `Host`. */
  readonly port: number;
}

export type Handler = (exchange: Exchange, service: HttpService) => void | Promise<void>;

export type Method = 'GET' | 'POST';

export interface Route {
  /** As in the document: `/v1/jobs/{id}/cancel`. */
  readonly path: string;
  /** The same without a version. */
  readonly alias?: string;
  readonly method: Method;
  readonly operationId: string;
  /** What the caller's token must allow; a route without it is a read. */
  readonly capability?: Capability;
  readonly handler: Handler;
}
