/**
 * The way to one daemon for many short exchanges: over a fixed number of connections that are kept, on Node's plain HTTP.
 * It takes a fraction of what the general `fetch` does for each of them. An answer is read whole.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Answer, Sent, Transport } from './transport.js';

export interface KeptAlive {
  readonly transport: Transport;
  /** Closes the connections. */
  close(): void;
}

/** @param connections at most so many at a time */
export function keptAlive(connections: number): KeptAlive {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  return {
    transport: (origin, path, sent) => exchange({ agent, path, ...placeOf(origin) }, sent),
    close: () => agent.destroy(),
  };
}

function placeOf(origin: string): Place {
  const { hostname, port } = new URL(origin);
  return { host: hostname.replace(/^\[|\]$/g, ''), port };
}

interface Place {
  readonly host: string;
  readonly port: string;
}

function exchange(
  to: Place & { readonly agent: Agent; readonly path: string },
  { method, headers, body, signal, timeoutMs }: Sent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(body, 'utf8');
    const length = bytes === undefined ? {} : { 'content-length': bytes.length };
    const asking = request({ ...to, method, headers: { ...headers, ...length }, ...(signal ? { signal } : {}) });
    const failed = (cause: unknown): void => {
      clearTimeout(deadline);
      reject(signal?.aborted ? signal.reason : new TypeError('the exchange failed', { cause }));
    };
    const late = (): void => {
      reject(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'));
      asking.destroy();
    };
    const deadline = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    asking.on('error', failed);
    asking.on('response', (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', failed);
      answer.on('end', () => {
        clearTimeout(deadline);
        const status = answer.statusCode ?? 0;
        if (status >= 300 && status < 400) failed(new Error('the answer leads elsewhere'));
        else resolve(answerOf(answer, status, pieces));
      });
    });
    asking.end(bytes);
  });
}

function answerOf({ headers }: IncomingMessage, status: number, pieces: readonly Buffer[]): Answer {
  const whole = (): Buffer => (pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces));
  return {
    status,
    headers: {
      get: (name) => {
        const value = headers[name.toLowerCase()];
        return value === undefined ? null : String(value);
      },
    },
    body: {
      async *[Symbol.asyncIterator]() {
        yield* pieces;
      },
    },
    text: async () => whole().toString('utf8'),
  };
}
