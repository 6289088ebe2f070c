/**
 * A server in front of a correct one. It passes everything on as it is, but for what its `changes` make of it: so one
 * mistake at a time can be shown on the wire, by a process that is a real daemon in all else.
 */
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import type { Answer, Asked } from './wire.js';

/** What a front makes of what passes through it. An answer of `undefined` leaves all as it is. */
export interface Changes {
  /** Before the daemon sees the request; an `Answer` is given in the daemon's place. */
  ask?(asked: Asked, sender: Sender): Asked | Answer | undefined | Promise<Asked | Answer | undefined>;
  /** `asked` is what the client sent. */
  answer?(answer: Answer, asked: Asked, sender: Sender): Answer | undefined | Promise<Answer | undefined>;
  /** Writes an answer in its own way, in place of the plain one. */
  write?(answer: Answer, response: ServerResponse): void;
}

export interface Sender {
  /** Whether the client has gone away. */
  isGone(): boolean;
}

export interface Front {
  readonly url: string;
  close(): Promise<void>;
}

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'expect']);

/** @param port 0 takes a free one */
export async function startFront(port: number, daemonUrl: string, changes: Changes): Promise<Front> {
  const passOn = passer(daemonUrl);
  const server = createServer((request, response) => {
    serve(request, response, changes, passOn).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      passOn.close();
    });
  return { url, close };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  changes: Changes,
  passOn: (asked: Asked) => Promise<Answer>,
): Promise<void> {
  let gone = false;
  response.on('close', () => {
    gone = !response.writableFinished;
  });
  const sender: Sender = { isGone: () => gone };
  const asked = await askedOf(request);
  const changed = (await changes.ask?.(asked, sender)) ?? asked;
  const answer = 'status' in changed ? changed : await passOn(changed);
  const last = (await changes.answer?.(answer, asked, sender)) ?? answer;
  if (gone) {
    last.stream?.destroy();
    return;
  }
  if (changes.write === undefined) writePlainly(last, response);
  else changes.write(last, response);
}

function writePlainly({ status, headers, body, stream }: Answer, response: ServerResponse): void {
  if (stream !== undefined) {
    response.writeHead(status, headers).flushHeaders();
    // Either end may go away: then the other one does too.
    pipeline(stream, response, () => {});
    return;
  }
  response.writeHead(status, { 'content-length': body.length, ...headers });
  response.end(body);
}

async function askedOf(request: IncomingMessage): Promise<Asked> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
  const { method = 'GET', headersDistinct } = request;
  return { method, path, query, headers: flat(headersDistinct), body: Buffer.concat(pieces) };
}

function flat(headers: Readonly<Record<string, string[] | undefined>>): Asked['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values = []]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

/** Asks a server; what the headers say of this one's place is said of that one's. */
export function passer(daemonUrl: string): { (asked: Asked): Promise<Answer>; close(): void } {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port, host } = new URL(daemonUrl);
  const pass = ({ method, path, query, headers, body }: Asked): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
      const isOurs = typeof kept['host'] === 'string' && /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(kept['host']);
      const length = body.length > 0 || method === 'POST' ? { 'content-length': body.length } : {};
      const target = query === '' ? path : `${path}?${query}`;
      const all = { ...kept, ...length, ...(isOurs || kept['host'] === undefined ? { host } : {}) };
      const asking = httpRequest({ agent, hostname, port, method, path: target, headers: all }, (response) => {
        collected(response).then(resolve, reject);
      });
      asking.on('error', reject);
      asking.end(body);
    });
  return Object.assign(pass, { close: () => agent.destroy() });
}

async function collected(response: IncomingMessage): Promise<Answer> {
  const headers = Object.fromEntries(
    Object.entries(flat(response.headersDistinct)).filter(([name]) => !HOP_BY_HOP.has(name) && name !== 'date'),
  );
  const status = response.statusCode ?? 0;
  if (isEndless(response)) return { status, headers, body: Buffer.alloc(0), stream: response };
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status, headers, body: Buffer.concat(pieces) };
}

/** Whatever is no JSON may go on for ever. */
function isEndless({ headers, statusCode = 0 }: IncomingMessage): boolean {
  return statusCode === 200 && /^text\/(?:event-stream|plain)/.test(headers['content-type'] ?? '');
}
