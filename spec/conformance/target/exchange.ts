/** One request and what came back. */
import type { IncomingHttpHeaders } from 'node:http';

/** How a request shows its token: in the header of the profile, as a bearer, not at all. */
export type Auth = 'none' | 'header' | 'bearer';

export interface Ask {
  readonly method?: string;
  readonly path: string;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: Auth;
  /** Sends the body without Content-Length. */
  readonly chunked?: boolean;
  readonly timeoutMs?: number;
}

export interface Exchange {
  readonly method: string;
  readonly base: string;
  /** With its query. */
  readonly path: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly requestBody: Buffer | undefined;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Every header as it came, name and value in turn. */
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: unknown;
  /** Milliseconds since 1970, by the clock of this program. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** There was no answer: refused, reset, too slow, too large, or no HTTP. */
export class NoAnswer extends Error {
  readonly ask: Pick<Exchange, 'method' | 'base' | 'path' | 'requestHeaders' | 'requestBody'>;

  /** Nothing came in time. */
  readonly isLate: boolean;

  constructor(reason: string, ask: NoAnswer['ask'], isLate = false) {
    super(reason);
    this.name = 'NoAnswer';
    this.ask = ask;
    this.isLate = isLate;
  }
}

/** The path alone. */
export function routeOf({ path }: Pick<Exchange, 'path'>): string {
  return path.split('?')[0] ?? path;
}
