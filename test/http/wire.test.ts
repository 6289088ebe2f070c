/** What happens on the connection itself: broken requests, bodies that are too long, many callers, the end. */
import { connect, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentopsdError } from '../../lib/base/errors.js';
import { limits } from '../../lib/base/limits.js';
import type { HttpDependencies } from '../../lib/http/dependencies.js';
import { createHttpServer } from '../../lib/http/server.js';
import { exchangeBytes } from '../support/http-client.js';
import { type Served, serve, TOKEN } from '../support/http-kernel.js';

const test = suite<{ served: Served }>('wire');

test.before.each(async (context) => {
  context.served = await serve();
});
test.after.each(async (context) => {
  await context.served.close();
});

const head = (served: Served, more = '', path = '/v1/jobs') =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nX-AgentOps-Daemon-Token: ${TOKEN}\r\nContent-Type: application/json\r\n${more}\r\n`;
const hasBody = (text: string): boolean => /\r\n\r\n\{.*\}/s.test(text);

test('too long by its own word: refused before a byte of it came', async ({ served }) => {
  const text = await exchangeBytes(
    served.port,
    head(served, `Content-Length: ${limits.requestBodyBytes + 1}\r\n`),
    hasBody,
  );
  assert.match(text, /^HTTP\/1.1 413 /);
  assert.match(text, /"max_bytes":1048576/);
  assert.match(text, /connection: close/i);
});

test('too long while it comes: a sender that reads late still gets the answer (R10)', async ({ served }) => {
  const piece = Buffer.alloc(65_536, 0x20);
  const chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
  const bytes = Buffer.concat([
    Buffer.from(head(served, 'Transfer-Encoding: chunked\r\n')),
    ...Array<Buffer>(160).fill(chunk),
    Buffer.from('0\r\n\r\n'),
  ]);
  for (let round = 0; round < 5; round++) {
    const text = await lateReader(served.port, bytes);
    assert.match(text, /^HTTP\/1.1 413 /);
    assert.match(text, /"max_bytes":1048576/);
  }
  const declared = Buffer.concat([
    Buffer.from(head(served, `Content-Length: ${piece.length * 160}\r\n`)),
    ...Array<Buffer>(160).fill(piece),
  ]);
  assert.match(await lateReader(served.port, declared), /^HTTP\/1.1 413 /);
  assert.is(served.lastSeq(), 0);
  assert.is((await served.mutate('/v1/jobs', { job_type: 'rpi.run' })).status, 202);
});

test('requests that follow one another on a connection without a wait are answered in their order', async ({
  served,
}) => {
  const body = (at: number): string => JSON.stringify({ job_type: 'rpi.run', job_id: `job-${at}` });
  const request = (at: number, more = ''): string =>
    `${head(served, `Content-Length: ${body(at).length}\r\n${more}`)}${body(at)}`;
  const many = Array.from({ length: 20 }, (_, at) => request(at, at === 19 ? 'Connection: close\r\n' : ''));
  const text = await exchangeBytes(served.port, many.join(''));
  assert.equal(
    [...text.matchAll(/"job_id":"job-(\d+)"/g)].map(([, at]) => Number(at)),
    many.map((_, at) => at),
  );
  assert.is(text.split('HTTP/1.1 202 Accepted').length, many.length + 1);
});

test('callers that leave before their answer harm nobody', async ({ served }) => {
  const body = JSON.stringify({ job_type: 'rpi.run' });
  for (let at = 0; at < 60; at++) {
    await new Promise<void>((resolve) => {
      const socket = connect(served.port, '127.0.0.1', () => {
        socket.write(`${head(served, `Content-Length: ${body.length}\r\n`)}${body}`);
        if (at % 3 === 0) socket.destroy();
        else if (at % 3 === 1) setImmediate(() => socket.resetAndDestroy());
        else socket.end();
      });
      socket.on('error', () => undefined).on('close', () => resolve());
      socket.resume();
    });
  }
  assert.is((await served.mutate('/v1/jobs', { job_type: 'rpi.run' })).status, 202);
});

/** Sends everything before it reads anything, as simple clients do. */
function lateReader(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let text = '';
    socket.pause();
    socket.on('error', reject);
    socket.on('data', (piece) => {
      text += piece.toString('utf8');
    });
    socket.on('close', () => resolve(text));
    socket.write(bytes, () => socket.resume());
  });
}

test('a body that breaks off appends nothing', async ({ served }) => {
  const bytes = `${head(served, 'Content-Length: 100\r\n')}{"job_type":"rpi.run"`;
  await new Promise<void>((resolve) => {
    const socket = connect(served.port, '127.0.0.1', () => socket.end(bytes));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
  });
  assert.is(served.lastSeq(), 0);
});

test('a go-ahead is given only to a caller who may, and only for what fits', async ({ served }) => {
  const body = '{"job_type":"rpi.run"}';
  const expecting = `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n`;
  const denied = await exchangeBytes(served.port, head(served, expecting).replace(TOKEN, 'wrong'), hasBody);
  assert.match(denied, /^HTTP\/1.1 403 /);
  const tooLong = await exchangeBytes(
    served.port,
    head(served, 'Expect: 100-continue\r\nContent-Length: 9999999\r\n'),
    hasBody,
  );
  assert.match(tooLong, /^HTTP\/1.1 413 /);
  const taken = await exchangeBytes(served.port, head(served, expecting) + body, hasBody);
  assert.match(taken, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 202 /);
});

test('what is no HTTP, or smuggles, is 400 with an error as JSON', async ({ served }) => {
  const broken = [
    'nonsense\r\n\r\n',
    head(served, 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
    head(served, 'Content-Length: 5\r\nContent-Length: 6\r\n'),
    head(served, 'Content-Length: -1\r\n'),
    head(served, 'Content-Length: 5\r\nContent-Length: 5\r\n'),
    head(served, 'Content-Length: 5, 5\r\n'),
    head(served, 'Content-Length: +5\r\n'),
    head(served, 'Content-Length: 0x5\r\n'),
    head(served, 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'),
    head(served, 'Transfer-Encoding: chunked, identity\r\n'),
    head(served, 'Transfer-Encoding: xchunked\r\n'),
    head(served, 'Transfer-Encoding : chunked\r\n'),
    head(served, 'X-One: a\r\n folded: b\r\n'),
    head(served, 'X-One: a\n\r\n'),
    head(served, 'X-One: a\u0000b\r\n'),
    head(served).replace('HTTP/1.1', 'HTTP/9.9'),
    head(served, 'Bad Header: x\r\n'),
    head(served, 'Transfer-Encoding: chunked\r\n').concat('zz\r\n'),
  ];
  for (const bytes of broken) {
    const text = await exchangeBytes(served.port, bytes, hasBody);
    assert.match(text, /^HTTP\/1.1 400 /, JSON.stringify(bytes));
    assert.match(text, /Content-Type: application\/json/i);
  }
  assert.match(
    await exchangeBytes(served.port, head(served, `X-Long: ${'x'.repeat(20_000)}\r\n`), hasBody),
    /^HTTP\/1.1 431 /,
  );
  assert.is(served.lastSeq(), 0);
});

test('above the limit of connections a caller is told, and below it again served', async ({ served }) => {
  const sockets: Socket[] = [];
  // A group fits in the queue of connections the system holds for the server: one that does not is tried again a second
  // later, behind the caller that is to be refused. Each has been answered once: then it is surely counted.
  while (sockets.length < limits.httpConnections)
    sockets.push(...(await Promise.all(Array.from({ length: 64 }, () => servedOnce(served.port)))));
  assert.is(sockets.length, limits.httpConnections);
  const refused = await served.ask('GET', '/v1/health');
  assert.is(refused.status, 503);
  assert.match(String(refused.body['error']), /1024 connections/);
  for (const socket of sockets) socket.destroy();
  await reached(async () => (await served.ask('GET', '/v1/health')).status === 200);
});

function servedOnce(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    });
    socket.on('error', reject);
    socket.once('data', (piece) => {
      if (piece.toString('latin1').startsWith('HTTP/1.1 200 ')) resolve(socket);
      else reject(new Error(piece.toString('latin1')));
    });
  });
}

async function reached(holds: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + 5000;
  while (!(await holds())) if (performance.now() > endsAt) throw new Error('not reached in 5 s');
}

test('a fault of the daemon is 500, tells nothing of itself, and is logged (D6)', async ({ served }) => {
  Object.defineProperty(served.kernel, 'viewContext', {
    value: () => {
      throw new Error('secret detail');
    },
  });
  for (const path of ['/v1/ready', '/v1/status', '/openclaw/v1/health', '/openclaw/v1/snapshot/latest', '/metrics']) {
    const answer = await served.ask('GET', path);
    assert.is(answer.status, 500, path);
    assert.not.match(answer.text, /secret/);
  }
  assert.is(served.told.length, 5);
  assert.match(served.told[0] ?? '', /error.*secret detail/);
  assert.is((await served.ask('GET', '/v1/health')).status, 200);
});

test('only loopback addresses are listened on, and a port in use is told', async ({ served }) => {
  const why = async (host: string, port: number): Promise<AgentopsdError | undefined> => {
    const random = { bytes: (count: number) => new Uint8Array(count) };
    const other = createHttpServer({
      kernel: served.kernel,
      clock: served.clock,
      random,
    } as unknown as HttpDependencies);
    try {
      await other.listen(host, port);
      return undefined;
    } catch (error) {
      return error as AgentopsdError;
    } finally {
      await other.close();
    }
  };
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com', ''])
    assert.is((await why(host, 0))?.code, 'usage', host);
  assert.is((await why('127.0.0.1', served.port))?.code, 'address_in_use');
  assert.is(await why('localhost', 0), undefined);
});

test('closing ends idle connections, and is done once', async () => {
  const served = await serve();
  const idle = connect(served.port, '127.0.0.1');
  const ended = new Promise<void>((resolve) => idle.on('close', () => resolve()));
  idle.resume();
  await new Promise<void>((resolve) => idle.on('connect', () => resolve()));
  const startedMs = performance.now();
  await Promise.all([served.close(), served.close(), ended]);
  assert.ok(performance.now() - startedMs < 1500, 'nobody waited for a connection that asks nothing');
  let refused = false;
  await exchangeBytes(served.port, 'GET / HTTP/1.1\r\n\r\n').catch(() => {
    refused = true;
  });
  assert.ok(refused);
});

test.run();
