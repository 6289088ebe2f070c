import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError, createClient } from '../../lib/client/index.js';
import { type FakeDaemon, json, startFakeDaemon } from '../support/fake-daemon.js';

const test = suite('client');
const open: FakeDaemon[] = [];
test.after.each(async () => {
  for (const daemon of open.splice(0)) await daemon.close();
});

async function fake(...[answer]: Parameters<typeof startFakeDaemon>): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon(answer);
  open.push(daemon);
  return daemon;
}

async function failure(work: Promise<unknown>): Promise<AgentopsdError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AgentopsdError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const accepted = { accepted: true, job_id: 'job_1', request_id: 'req_1', status: 'queued' };

test('speaks to loopback addresses alone', () => {
  for (const url of ['http://127.0.0.1:8765', 'http://localhost:1', 'http://[::1]:8765', 'http://127.1.2.3:5/'])
    createClient({ url });
  const refused = [
    'http://10.0.0.1:8765',
    'http://example.org',
    'https://127.0.0.1:1',
    'http://127.0.0.1.example.org',
    'file:///etc',
    'nonsense',
    'http://a:b@127.0.0.1:1',
    'http://127.0.0.1:1/path',
    'http://0.0.0.0:1',
  ];
  for (const url of refused) {
    assert.throws(
      () => createClient({ url }),
      (error: unknown) => error instanceof AgentopsdError && error.code === 'usage',
      url,
    );
  }
});

test('an address with a password is not repeated in the error', () => {
  try {
    createClient({ url: 'http://me:geheim@127.0.0.1:1' });
    assert.unreachable();
  } catch (error) {
    assert.not.match(String(error), /geheim/);
  }
});

test('carries the token, and asks with JSON', async () => {
  const daemon = await fake((_, response) => json(response, 202, accepted));
  await createClient({ url: daemon.url, token: 'secret' }).submit({ job_type: 'rpi.run', payload: { goal: 'x' } });
  const [asked] = daemon.asked;
  assert.is(asked?.method, 'POST');
  assert.is(asked?.url, '/v1/jobs');
  assert.is(asked?.headers.authorization, 'Bearer secret');
  assert.is(asked?.headers['content-type'], 'application/json');
});

test('a lost answer is asked for again with the same key', async () => {
  const daemon = await fake((_, response, number) => {
    if (number === 1) response.destroy();
    else if (number === 2) json(response, 503, { error: 'outcome unknown; ask again with the same key' });
    else json(response, 202, accepted);
  });
  const submitted = await createClient({ url: daemon.url }).submit({ job_type: 'rpi.run' });
  assert.is(daemon.asked.length, 3);
  const keys = daemon.asked.map(({ body }) => JSON.parse(body).idempotency_key);
  assert.is(new Set(keys).size, 1);
  assert.is(submitted.idempotency_key, keys[0]);
  assert.is(submitted.answer.job_id, 'job_1');
});

test("a caller's own key is kept", async () => {
  const daemon = await fake((_, response) => json(response, 202, accepted));
  const submitted = await createClient({ url: daemon.url }).submit({ job_type: 'rpi.run', idempotency_key: 'mine' });
  assert.is(submitted.idempotency_key, 'mine');
  assert.is(JSON.parse(daemon.asked[0]?.body ?? '').idempotency_key, 'mine');
});

test('gives up when the time is over, with the last error', async () => {
  const daemon = await fake((_, response) => json(response, 503, { error: 'not written' }));
  const error = await failure(createClient({ url: daemon.url, retryForMs: 300 }).submit({ job_type: 'rpi.run' }));
  assert.is(error.code, 'outcome_unknown');
  assert.is(error.message, 'not written');
  assert.ok(daemon.asked.length >= 2);
});

test('a refusal is not asked again, and keeps its facts', async () => {
  const daemon = await fake((_, response) => json(response, 413, { error: 'too large', max_bytes: 1048576 }));
  const error = await failure(createClient({ url: daemon.url }).submit({ job_type: 'rpi.run' }));
  assert.is(error.code, 'body_too_large');
  assert.is(error.details?.['max_bytes'], 1048576);
  assert.is(daemon.asked.length, 1);
});

test('a code that the answer names wins over one made from status and text', async () => {
  for (const [named, code] of [
    ['unknown_job_type', 'unknown_job_type'],
    ['no_such_code', 'invalid_request'],
  ] as const) {
    const daemon = await fake((_, response) => json(response, 400, { error: 'no' }, { 'Agentopsd-Error': named }));
    assert.is((await failure(createClient({ url: daemon.url }).submit({ job_type: 'rpi.run' }))).code, code);
  }
});

test('each status has its code', async () => {
  const table: [number, string, string][] = [
    [400, 'invalid json', 'invalid_json'],
    [400, 'job_type is unknown', 'invalid_request'],
    [403, 'daemon mutation denied: mutation token mismatch', 'mutation_denied'],
    [403, 'daemon mutation denied: host is not trusted', 'host_denied'],
    [404, 'there is no job x', 'unknown_job'],
    [405, 'method not allowed', 'method_not_allowed'],
    [415, 'not application/json', 'unsupported_media_type'],
    [500, 'internal', 'internal'],
  ];
  for (const [status, text, code] of table) {
    const daemon = await fake((_, response) => json(response, status, { error: text }));
    const error = await failure(createClient({ url: daemon.url }).cancel('job_1'));
    assert.is(error.code, code, text);
    assert.is(error.message, text);
  }
});

test('the conflict header is told', async () => {
  const daemon = await fake((_, response) => json(response, 202, accepted, { 'Idempotency-Conflict': 'payload' }));
  const submitted = await createClient({ url: daemon.url }).submit({ job_type: 'rpi.run', idempotency_key: 'k' });
  assert.is(submitted.conflict, 'payload');
});

test('nobody there, or somebody else there, is daemon_unreachable', async () => {
  const gone = await fake(() => {});
  await gone.close();
  const error = await failure(createClient({ url: gone.url }).ready());
  assert.is(error.code, 'daemon_unreachable');
  assert.match(error.message, gone.url);
  const other = await fake((_, response) => response.writeHead(200).end('<html>'));
  assert.is((await failure(createClient({ url: other.url }).ready())).code, 'daemon_unreachable');
  const refusing = await fake((_, response) => response.writeHead(404).end('<html>'));
  assert.is((await failure(createClient({ url: refusing.url }).ready())).code, 'daemon_unreachable');
});

test('a redirect is not followed: the token stays here', async () => {
  const other = await fake((_, response) => json(response, 200, {}));
  const daemon = await fake((_, response) => response.writeHead(307, { location: other.url }).end());
  await failure(createClient({ url: daemon.url, token: 'secret', retryForMs: 0 }).submit({ job_type: 'rpi.run' }));
  assert.is(other.asked.length, 0);
});

test('an exchange that hangs ends in time', async () => {
  const daemon = await fake(() => {});
  const error = await failure(createClient({ url: daemon.url, requestTimeoutMs: 100 }).health());
  assert.is(error.code, 'daemon_unreachable');
});

test('job ids are encoded; names that a path can not carry are looked up in the list', async () => {
  const jobs = ['.', '..', 'cancel'].map((job_id) => ({ job_id, status: 'queued' }));
  const daemon = await fake(({ url }, response) => {
    if (url === '/v1/status') json(response, 200, { queue: { jobs } });
    else json(response, 200, { job_id: decodeURIComponent(url.slice('/v1/jobs/'.length)), status: 'queued' });
  });
  const client = createClient({ url: daemon.url });
  for (const id of ['plain', 'a/b', 'ü ?#%', '.', '..', 'cancel']) assert.is((await client.job(id)).job_id, id);
  assert.is(
    (await failure(createClient({ url: (await fake((_, r) => json(r, 200, { queue: { jobs: [] } }))).url }).job('..')))
      .code,
    'unknown_job',
  );
});

test('the status filter goes into the query', async () => {
  const daemon = await fake((_, response) => json(response, 200, { queue: { jobs: [] } }));
  await createClient({ url: daemon.url }).status({ status: 'queued', limit: 5, after: 'a b&c' });
  assert.is(daemon.asked[0]?.url, '/v1/status?status=queued&limit=5&after=a+b%26c');
});

test('waits until the end, through answers that got lost', async () => {
  const daemon = await fake((_, response, number) => {
    if (number === 2) response.destroy();
    else json(response, 200, { job_id: 'job_1', status: number < 4 ? 'running' : 'completed' });
  });
  assert.is((await createClient({ url: daemon.url }).wait('job_1')).status, 'completed');
  assert.is(daemon.asked.length, 4);
});

test('waiting has an end', async () => {
  const daemon = await fake((_, response) => json(response, 200, { job_id: 'job_1', status: 'running' }));
  const error = await failure(createClient({ url: daemon.url }).wait('job_1', { timeoutMs: 120 }));
  assert.is(error.code, 'timed_out');
});

test('waiting can be given up', async () => {
  const daemon = await fake((_, response) => json(response, 200, { job_id: 'job_1', status: 'running' }));
  const controller = new AbortController();
  const waiting = createClient({ url: daemon.url }).wait('job_1', { signal: controller.signal });
  controller.abort(new Error('enough'));
  try {
    await waiting;
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'enough');
  }
});

test('the log comes as text, split inside a letter too', async () => {
  const bytes = Buffer.from('grüße\n');
  const daemon = await fake(async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write(bytes.subarray(0, 3));
    await new Promise((resolve) => setImmediate(resolve));
    response.end(bytes.subarray(3));
  });
  let text = '';
  for await (const piece of createClient({ url: daemon.url }).log('job_1', { follow: true })) text += piece;
  assert.is(text, 'grüße\n');
  assert.is(daemon.asked[0]?.url, '/v1/jobs/job_1/log?follow=1');
});

test.run();
