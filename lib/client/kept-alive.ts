/**
 * `fetch` for many short exchanges with one daemon: over a fixed number of connections that are kept, on Node's plain
 * HTTP. It takes a fraction of what the general `fetch` does for each of them, and knows only what an exchange needs:
 * a body of text, an answer that is read whole, an abort signal, and no redirects.
 */
import { Agent, type IncomingMessage, request } from 'node:http';

export interface KeptAlive {
  readonly fetch: typeof globalThis.fetch;
  /** Closes the connections. */
  close(): void;
}

/** @param connections at most so many at a time */
export function keptAlive(connections: number): KeptAlive {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  return {
    fetch: (input, init = {}) => exchange(agent, String(input), init),
    close: () => agent.destroy(),
  };
}

/** Rejects as `fetch` does: with the signal's reason, or with a `TypeError` whose cause is the system's error. */
function exchange(
  agent: Agent,
  url: string,
  { method = 'GET', headers, body, signal }: RequestInit,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(signal?.aborted ? signal.reason : new TypeError('fetch failed', { cause }));
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : undefined;
    const asking = request(url, {
      agent,
      method,
      headers: {
        ...(headers as Record<string, string>),
        ...(bytes === undefined ? {} : { 'content-length': bytes.length }),
      },
      ...(signal ? { signal } : {}),
    });
    asking.on('error', failed);
    asking.on('response', (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', failed);
      answer.on('end', () => {
        const status = answer.statusCode ?? 0;
        if (status >= 300 && status < 400) failed(new Error('the answer leads elsewhere'));
        else
          resolve(new Response(hasBody(status) ? Buffer.concat(pieces) : null, { status, headers: headersOf(answer) }));
      });
    });
    asking.end(bytes);
  });
}

function hasBody(status: number): boolean {
  return status !== 204 && status !== 205;
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  return headers;
}
