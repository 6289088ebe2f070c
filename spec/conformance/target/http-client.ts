/**
 * An HTTP client that believes nothing: one connection a request, a deadline over all of it, a bound on what is read,
 * and each way of not answering told as what it is.
 */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { type Ask, type Exchange, NoAnswer } from './exchange.js';

/** A machine that has too much to do is no fault of the server: long enough for all but a server that hangs. */
export const defaultTimeoutMs = 60_000;
export const maxAnswerBytes = 128 * 1024 * 1024;

export interface Carrier {
  readonly base: string;
  readonly tokenHeader: string;
  readonly token: string | undefined;
}

type Prepared = Pick<Exchange, 'method' | 'base' | 'path' | 'requestHeaders' | 'requestBody'>;

function prepare(carrier: Carrier, ask: Ask): Prepared {
  const headers: Record<string, string> = {};
  const body = bytesOf(ask.body);
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  // Said in so many words: for a body that is known whole, Node would tell its length.
  if (body !== undefined && ask.chunked === true) headers['Transfer-Encoding'] = 'chunked';
  else if (body !== undefined) headers['Content-Length'] = String(body.length);
  if (body === undefined && !/^(GET|HEAD|OPTIONS)$/.test(ask.method ?? 'GET')) headers['Content-Length'] = '0';
  if (ask.auth === 'header' && carrier.token !== undefined) headers[carrier.tokenHeader] = carrier.token;
  if (ask.auth === 'bearer' && carrier.token !== undefined) headers['Authorization'] = `Bearer ${carrier.token}`;
  Object.assign(headers, ask.headers);
  return {
    method: ask.method ?? 'GET',
    base: carrier.base,
    path: ask.path,
    requestHeaders: headers,
    requestBody: body,
  };
}

function bytesOf(body: Ask['body']): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function open(prepared: Prepared): ClientRequest {
  const url = new URL(prepared.base);
  const options = {
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: url.pathname.replace(/\/$/, '') + prepared.path,
    method: prepared.method,
    headers: prepared.requestHeaders,
    agent: false as const,
  };
  return url.protocol === 'https:' ? secureRequest(options) : request(options);
}

/** @throws NoAnswer */
export async function exchange(carrier: Carrier, ask: Ask): Promise<Exchange> {
  const prepared = prepare(carrier, ask);
  const startedAt = Date.now();
  const timeoutMs = ask.timeoutMs ?? defaultTimeoutMs;
  const outgoing = open(prepared);
  let timer: NodeJS.Timeout | undefined;
  let isLate = false;
  try {
    const answer = await new Promise<{ message: IncomingMessage; text: string }>((resolve, reject) => {
      timer = setTimeout(() => {
        isLate = true;
        reject(new Error(`no whole answer within ${timeoutMs} ms`));
      }, timeoutMs);
      // What breaks while the body still goes out matters only when no answer comes.
      outgoing.once('error', reject);
      outgoing.once('response', (message) => {
        outgoing.on('error', () => {});
        read(message).then((text) => resolve({ message, text }), reject);
      });
      outgoing.end(prepared.requestBody);
    });
    return finish(prepared, answer, startedAt);
  } catch (error) {
    throw new NoAnswer(reasonOf(error), prepared, isLate);
  } finally {
    clearTimeout(timer);
    outgoing.on('error', () => {});
    outgoing.destroy();
  }
}

function finish(prepared: Prepared, { message, text }: { message: IncomingMessage; text: string }, startedAt: number) {
  return {
    ...prepared,
    status: message.statusCode ?? 0,
    headers: message.headers,
    rawHeaders: message.rawHeaders,
    text,
    json: parsed(text),
    startedAt,
    endedAt: Date.now(),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function read(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of message as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxAnswerBytes) throw new Error(`an answer of more than ${maxAnswerBytes} bytes`);
    pieces.push(piece);
  }
  if (!message.complete) throw new Error('the connection ended in the middle of the answer');
  return Buffer.concat(pieces).toString('utf8');
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection was reset before a whole answer came';
  if (code?.startsWith('HPE_')) return `the answer is no HTTP: ${message ?? code}`;
  return message ?? String(error);
}

/** Sends a request whole and vanishes without reading the answer. */
export async function sendAndVanish(carrier: Carrier, ask: Ask): Promise<void> {
  const outgoing = open(prepare(carrier, ask));
  outgoing.on('error', () => {});
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, defaultTimeoutMs);
    outgoing.once('close', resolve);
    outgoing.once('finish', () => {
      clearTimeout(timer);
      outgoing.destroy();
      resolve();
    });
    const body = bytesOf(ask.body);
    outgoing.end(body);
  });
}
