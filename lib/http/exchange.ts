/** One request and its answer, as handlers see them: after the host, the path, the method and the caller were checked. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SubmitTexts } from '../model/submit-text.js';
import type { Capability } from '../storage/token-file.js';
import type { Activity } from './activity.js';
import type { HttpDependencies } from './dependencies.js';
import type { Intake } from './intake.js';
import type { ViewCache } from './view-cache.js';

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Decoded parts of the path, by the name in the route's braces. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Name of the caller's token; empty where none is asked for. */
  readonly caller: string;
  /** Bytes of its body that count as held until it is answered. */
  heldBytes = 0;
  /** Its place among those who wait for the disk, since when it does (monotonic), and what ends the wait. */
  waiting: { readonly place: number; readonly sinceMs: number; readonly giveUp: (error: Error) => void } | undefined;
  #query: URLSearchParams | undefined;

  constructor(
    request: IncomingMessage & { readonly search?: string },
    response: ServerResponse,
    caller: string,
    parameters: Readonly<Record<string, string>>,
  ) {
    this.request = request;
    this.response = response;
    this.caller = caller;
    this.parameters = parameters;
  }

  /** Made for those who ask: most requests have none. */
  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams((this.request as { readonly search?: string }).search ?? '');
    return this.#query;
  }
}

/** What all requests of one server share. */
export interface HttpService {
  readonly dependencies: HttpDependencies;
  readonly views: ViewCache;
  readonly submitTexts: SubmitTexts;
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
