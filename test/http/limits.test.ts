/** What bounds the answers of the server beside what the requests are held to: exactly so much, and not more. */
import { EventEmitter } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { sendError } from '../../lib/http/answers.js';
import { inPieces } from '../../lib/http/outflow.js';
import { ViewCache } from '../../lib/http/view-cache.js';
import { HeldClock } from '../support/held-clock.js';
import { serve } from '../support/http-kernel.js';
import { accepted } from '../support/model.js';
import { TestClock } from '../support/test-clock.js';

const test = suite('limits of the server');

/** A request whose body is still coming, and what is answered to it. */
function refusedBody(clock: TestClock) {
  const request = Object.assign(new EventEmitter(), {
    complete: false,
    headers: { 'content-length': '1' },
    resume() {},
  });
  const answer = { ended: false, text: '' };
  const response = {
    writeHead: () => response,
    write(text: string) {
      answer.text += text;
    },
    end() {
      answer.ended = true;
    },
  };
  const answering = { request: request as unknown as IncomingMessage, response: response as unknown as ServerResponse };
  sendError(answering, { code: 'body_too_large', message: 'too large' }, clock);
  return { request, answer };
}

test('limits.httpDrainBytes: so much of a refused body is thrown away before the connection goes', () => {
  const clock = new TestClock();
  const { request, answer } = refusedBody(clock);
  assert.match(answer.text, 'too large', 'the answer is there at once');
  const piece = Buffer.alloc(1_048_576);
  for (let taken = 0; taken < limits.httpDrainBytes; taken += piece.length) request.emit('data', piece);
  assert.is(answer.ended, false);
  request.emit('data', piece.subarray(0, 1));
  assert.is(answer.ended, true);
  assert.is(clock.pendingTimers, 0);
});

test('limits.httpDrainMs: and for so long', () => {
  const clock = new TestClock();
  const { answer } = refusedBody(clock);
  clock.advance(limits.httpDrainMs - 1);
  assert.is(answer.ended, false);
  clock.advance(1);
  assert.is(answer.ended, true);
});

test('limits.httpPieceBytes: small texts are joined into pieces of about this size', () => {
  const { httpPieceBytes } = limits;
  const text = 'x'.repeat(1_000);
  const pieces = [...inPieces(Array.from({ length: 1_000 }, () => text))];
  assert.is(pieces.join('').length, 1_000_000);
  for (const piece of pieces.slice(0, -1))
    assert.ok(piece.length >= httpPieceBytes && piece.length < httpPieceBytes + text.length, `${piece.length}`);
  assert.equal(
    [...inPieces(['x'.repeat(httpPieceBytes), 'y'])].map(({ length }) => length),
    [httpPieceBytes, 1],
  );
});

test('limits.httpKeptViewBytes: a larger view is made anew for each reader', async () => {
  const { httpKeptViewBytes } = limits;
  const served = await serve();
  try {
    const views = new ViewCache(served.kernel, served.clock, { bytes: (count) => new Uint8Array(count) });
    let made = 0;
    const take = (name: string, bytes: number) => {
      const quoted = 'x'.repeat(bytes - 2);
      const view = views.view(name, () => {
        made += 1;
        return quoted;
      });
      let taken = 0;
      for (const piece of view.pieces) taken += piece.length;
      assert.is(taken, bytes);
      return view.text !== undefined;
    };
    assert.equal([take('fits', httpKeptViewBytes), take('fits', httpKeptViewBytes), made], [false, true, 1]);
    const more = httpKeptViewBytes + 1;
    assert.equal([take('larger', more), take('larger', more), made], [false, false, 3]);
  } finally {
    await served.close();
  }
});

test('limits.eventsPerPage: a page that asks for more gets so many', async () => {
  const { eventsPerPage } = limits;
  const replayed = Array.from({ length: eventsPerPage + 1 }, (_, at) =>
    accepted('rpi.run', { job_id: `job_${at}`, seq: at + 1 }),
  );
  const served = await serve({ replayed });
  try {
    const count = async (query: string) =>
      ((await served.ask('GET', `/v1/events${query}`)).body['events'] as unknown[]).length;
    assert.is(await count(`?limit=${eventsPerPage - 1}`), eventsPerPage - 1);
    assert.is(await count(`?limit=${eventsPerPage}`), eventsPerPage);
    assert.is(await count(`?limit=${eventsPerPage + 1}`), eventsPerPage);
    assert.is(await count(''), eventsPerPage + 1, 'all of them, where nothing is said');
  } finally {
    await served.close();
  }
});

test('limits.logFollowMs: a log that is followed is looked at so often', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  const log = join(root, '.agents/runs/a/attempt-1/output.log');
  const write = (text: string) => {
    mkdirSync(dirname(log), { recursive: true });
    appendFileSync(log, text);
  };
  const clock = new HeldClock();
  const served = await serve({ dependencies: { root, clock, runLog: async () => log } });
  try {
    await served.mutate('/v1/jobs', { job_id: 'a', job_type: 'rpi.run' });
    write('one\n');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: served.port, path: '/v1/jobs/a/log?follow=1', agent: false };
      http.get({ ...options, signal: AbortSignal.timeout(10_000) }, resolve).on('error', reject);
    });
    response.setEncoding('utf8');
    const pieces = response[Symbol.asyncIterator]() as AsyncIterator<string>;
    assert.is((await pieces.next()).value, 'one\n');
    await clock.waited(limits.logFollowMs);
    write('two\n');
    const next = pieces.next();
    clock.pass(limits.logFollowMs);
    assert.is((await next).value, 'two\n');
    await clock.waited(limits.logFollowMs);
    response.destroy();
  } finally {
    await clock.whileClosing(served.close());
    rmSync(root, { recursive: true, force: true });
  }
});

/** A server together with Node's own below it, whose clock is Node's. */
async function serveAbove() {
  const { createServer } = http;
  let below: http.Server | undefined;
  const watched = (...given: unknown[]) => {
    below = (createServer as (...all: unknown[]) => http.Server)(...given);
    return below;
  };
  const use = (made: typeof createServer) => {
    http.createServer = made;
    syncBuiltinESMExports();
  };
  use(watched as typeof createServer);
  try {
    const served = await serve();
    return { served, below: below as http.Server };
  } finally {
    use(createServer);
  }
}

/** What comes over a connection until the other side ends it. */
function conversation(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(10_000, () => socket.destroy(new Error('the connection stays')));
    socket.on('data', (piece) => {
      heard += String(piece);
    });
    socket.on('error', reject).on('close', () => resolve(heard));
  });
}

test('limits.httpHeadMs, httpRequestMs and httpIdleMs are those of the connections', async () => {
  const { served, below } = await serveAbove();
  try {
    const { headersTimeout, requestTimeout, keepAliveTimeout } = below;
    assert.equal(
      { headersTimeout, requestTimeout, keepAliveTimeout },
      {
        headersTimeout: limits.httpHeadMs,
        requestTimeout: limits.httpRequestMs,
        keepAliveTimeout: limits.httpIdleMs,
      },
    );
  } finally {
    await served.close();
  }
});

test('a body that does not end in time is told so, and a connection without a request closed', async () => {
  const { served, below } = await serveAbove();
  try {
    // What these times are stands in the test above: half a minute is too long to wait for.
    Object.assign(below, { headersTimeout: 300, requestTimeout: 300, keepAliveTimeout: 100 });
    const head = `Host: 127.0.0.1:${served.port}\r\n`;
    const idle = conversation(served.port, `GET /v1/health HTTP/1.1\r\n${head}\r\n`);
    const slow = conversation(
      served.port,
      `POST /v1/jobs HTTP/1.1\r\n${head}Content-Type: application/json\r\nX-AgentOps-Daemon-Token: token-of-the-tests\r\nContent-Length: 10\r\n\r\n{`,
    );
    assert.match(await idle, /^HTTP\/1\.1 200 /);
    assert.match(await slow, /^HTTP\/1\.1 408 [\s\S]*\{"error":/);
    assert.is(served.lastSeq(), 0, 'nothing was appended');
  } finally {
    await served.close();
  }
});

test.run();
