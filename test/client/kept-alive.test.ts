import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { createClient } from '../../lib/client/client.js';
import { keptAlive } from '../../lib/client/kept-alive.js';

const test = suite('kept-alive connections');
let server: Server;
let connections = 0;
let listener: RequestListener;

test.before.each(async () => {
  connections = 0;
  server = createServer((request, response) => listener(request, response)).listen(0, '127.0.0.1');
  server.on('connection', () => connections++);
  await once(server, 'listening');
});
test.after.each(() => {
  server.closeAllConnections();
  server.close();
});

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test('a thousand submits go over as many connections as there are lanes, each answered with its own', async () => {
  listener = (request, response) => {
    let text = '';
    request.on('data', (piece) => (text += String(piece)));
    request.on('end', () => {
      const { idempotency_key } = JSON.parse(text) as { idempotency_key: string };
      response.writeHead(202, { 'Content-Type': 'application/json', 'Idempotency-Conflict': 'payload' });
      response.end(JSON.stringify({ accepted: true, job_id: `of ${idempotency_key} é` }));
    });
  };
  const kept = keptAlive(8);
  const client = createClient({ url: url(), token: 'token', transport: kept.transport });
  const keys = Array.from({ length: 1000 }, (_, at) => `key-${at}`);
  const answers = await Promise.all(
    keys.map((idempotency_key) => client.submit({ job_type: 'eval.suite', idempotency_key })),
  );
  assert.equal(
    answers.map(({ answer }) => answer.job_id),
    keys.map((key) => `of ${key} é`),
  );
  assert.is(answers[0]?.conflict, 'payload', 'headers are read too');
  assert.is(connections, 8);
  kept.close();
});

test('redirects, broken answers and silence are told as the general fetch tells them', async () => {
  const kept = keptAlive(1);
  const ask = async (requestTimeoutMs = 5_000): Promise<AgentopsdError> => {
    const client = createClient({ url: url(), transport: kept.transport, requestTimeoutMs, retryForMs: 0 });
    const told = await client.health().catch((error: unknown) => error);
    assert.instance(told, AgentopsdError);
    return told as AgentopsdError;
  };
  listener = (_, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end();
  assert.match((await ask()).message, /leads elsewhere/);
  listener = (_, response) => {
    response.writeHead(200, { 'Content-Length': 100 }).write('half');
    setImmediate(() => response.destroy());
  };
  assert.is((await ask()).code, 'daemon_unreachable');
  listener = () => {};
  assert.match((await ask(200)).message, /it took too long/);
  server.closeAllConnections();
  listener = (_, response) => response.writeHead(503, { 'Retry-After': '3' }).end('{"error":"too much"}');
  assert.is((await ask()).details?.['retry_after_seconds'], 3);
  kept.close();
});

test.run();
