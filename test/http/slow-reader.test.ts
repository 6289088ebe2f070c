/** Readers that take nothing are dropped, and nobody else notices; a quiet stream shows that it lives. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { HeldClock } from '../support/held-clock.js';
import { type Served, serve } from '../support/http-kernel.js';
import { accepted } from '../support/model.js';

const test = suite<{ served: Served; clock: HeldClock }>('slow reader');

test.before.each(async (context) => {
  const big = 'x'.repeat(100_000);
  const replayed = Array.from({ length: 300 }, (_, at) =>
    accepted('rpi.run', { job_id: `job_${at}`, seq: at + 1 }, { job_payload: { goal: big } }),
  );
  context.clock = new HeldClock();
  context.served = await serve({ replayed, dependencies: { clock: context.clock } });
});
test.after.each(({ served, clock }) => clock.whileClosing(served.close()));

function open(served: Served, path: string, accept: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(10_000);
    const request = httpRequest({
      host: '127.0.0.1',
      port: served.port,
      path,
      agent: false,
      headers: { Accept: accept },
      signal,
    });
    request.on('error', reject);
    request.on('response', resolve);
    request.end();
  });
}

for (const accept of ['text/event-stream', 'application/json']) {
  test(`a reader of ${accept} that takes nothing is dropped`, async ({ served, clock }) => {
    const response = await open(served, '/v1/events', accept);
    response.pause();
    // Heartbeats are waits of the same length: the stream has one, and one more wait is for the reader.
    await clock.waited(limits.httpSlowReaderMs, accept === 'application/json' ? 1 : 2);
    assert.is((await served.ask('GET', '/v1/health')).status, 200);
    clock.pass(limits.httpSlowReaderMs);
    const ended = new Promise<string>((resolve) => {
      response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      response.on('end', () => resolve('whole'));
    });
    response.resume();
    assert.is(await ended, 'ECONNRESET');
    assert.match((await served.ask('GET', '/metrics')).text, /^agentopsd_http_slow_readers_dropped 1$/m);
  });
}

function once(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    response.once('data', (piece) => resolve(String(piece)));
    response.once('error', reject);
  });
}

test('a quiet stream shows that it lives', async ({ served, clock }) => {
  const response = await open(served, '/v1/events?since=evt_job.accepted_job_299_000300', 'text/event-stream');
  await clock.waited(limits.eventStreamHeartbeatMs);
  const comment = once(response);
  clock.pass(limits.eventStreamHeartbeatMs);
  assert.is(await comment, ': alive\n\n');
  const next = once(response);
  clock.pass(limits.eventStreamHeartbeatMs);
  assert.is(await next, ': alive\n\n');
  response.destroy();
});

test.run();
