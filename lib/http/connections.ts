/**
 * The connections themselves: how many there may be, and what is answered to bytes that are no HTTP request. A caller
 * above the limit is heard and told 503: cutting it off before it spoke would lose the answer.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AgentopsdError, ERROR_CODE_HEADER, type ErrorCode, errorTable } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Activity } from './activity.js';
import { SAFE_HEADERS } from './answers.js';

export interface Connections {
  /** @throws AgentopsdError `overloaded` when the request came over a connection above the limit */
  check(request: IncomingMessage): void;
  /** Closes every connection that waits for no answer, also one that never asked. */
  closeUnused(): void;
}

/** A broken request's sender gets this long to read the answer. */
const LINGER_MS = 1000;

export function watchConnections(server: Server, activity: Activity): Connections {
  const tooMany = new WeakSet<object>();
  const sockets = new Set<Socket>();
  const underWay = new WeakMap<object, ServerResponse>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    activity.connections++;
    if (activity.connections > limits.httpConnections) tooMany.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      activity.connections--;
    });
  });
  server.on('request', (request, response) => underWay.set(request.socket, response));
  // The body of a request that expects a go-ahead is asked for where it is read: after the caller was checked.
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const answering = underWay.get(socket);
    if ((isUnderWay(answering) && answering?.headersSent) || !socket.writable) socket.destroy();
    else answerBroken(error, socket);
  });
  return {
    closeUnused: () => {
      for (const socket of sockets) if (!isUnderWay(underWay.get(socket))) socket.destroy();
    },
    check: (request) => {
      if (!tooMany.has(request.socket)) return;
      throw new AgentopsdError(
        'overloaded',
        `more than ${limits.httpConnections} connections at once; try again later`,
      );
    },
  };
}

function isUnderWay(answer: ServerResponse | undefined): boolean {
  return answer !== undefined && !answer.writableFinished && !answer.destroyed;
}

const answered = new WeakSet<object>();

function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (answered.has(socket)) return;
  answered.add(socket);
  const [code, why] = brokenAnswer(error.code);
  const status = errorTable[code].http;
  const body = JSON.stringify({ error: why });
  const headers = {
    ...SAFE_HEADERS,
    [ERROR_CODE_HEADER]: code,
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  if ('setTimeout' in socket && typeof socket.setTimeout === 'function')
    socket.setTimeout(LINGER_MS, () => socket.destroy());
}

function brokenAnswer(code: string | undefined): [code: ErrorCode, why: string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ['request_too_slow', 'the request took too long to arrive'];
  if (code === 'HPE_HEADER_OVERFLOW') return ['head_too_large', 'the head of the request is too large'];
  return ['invalid_request', 'this is no well-formed HTTP request'];
}
