/** Every mistake of a caller that the contract names: its status, an error, and no event. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { jobTypes } from '../../lib/model/event.js';
import { type Served, serve, TOKEN } from '../support/http-kernel.js';

const test = suite<{ served: Served }>('refusals');
const token = { 'X-AgentOps-Daemon-Token': TOKEN };

test.before.each(async (context) => {
  context.served = await serve();
});
test.after.each(async (context) => {
  await context.served.close();
});

/** Asks with each body and sees that all are refused so, and that nothing was appended. */
async function refuses(served: Served, path: string, status: number, bodies: readonly unknown[]): Promise<string[]> {
  const errors: string[] = [];
  for (const body of bodies) {
    const answer = await served.mutate(path, body);
    assert.is(answer.status, status, `${JSON.stringify(body)?.slice(0, 100)}: ${answer.text}`);
    errors.push(String(answer.body['error']));
  }
  assert.is(served.lastSeq(), 0);
  assert.equal((await served.ask('GET', '/v1/events')).body, { events: [] });
  return errors;
}

const rpi = (more: object) => ({ job_type: 'rpi.run', ...more });

test('what is no JSON is "invalid json" (R1, R11)', async ({ served }) => {
  const notJson = [
    '',
    '{',
    'nope',
    ',',
    '{} x',
    '{"job_type":"rpi.run"} {}',
    '{"job_type":"rpi.run"},',
    Buffer.from([0x7b, 0xff, 0x7d]),
  ];
  for (const path of ['/v1/jobs', '/v1/jobs/cancel', '/openclaw/v1/triggers/jobs', '/v1/adopt']) {
    const errors = await refuses(served, path, 400, notJson);
    assert.equal(new Set(errors), new Set(['invalid json']));
  }
});

test('a member of the wrong type is refused by its name (R2, R3)', async ({ served }) => {
  const wrong = { request_id: 5, job_id: 5, idempotency_key: {}, payload: [], job_type: 7 };
  for (const [member, value] of Object.entries(wrong)) {
    const [error] = await refuses(served, '/v1/jobs', 400, [{ ...rpi({}), [member]: value }]);
    assert.match(error ?? '', new RegExp(member));
  }
  await refuses(served, '/v1/jobs', 400, [[], '"x"', 'null', '3', 'true']);
  await refuses(served, '/v1/jobs', 400, [rpi({ payload: { goal: 7 } })]);
});

test('job types are a closed list (R4)', async ({ served }) => {
  await refuses(served, '/v1/jobs', 400, [
    {},
    { job_type: '' },
    { job_type: null },
    { job_type: 'not-a-job' },
    { job_type: 'RPI.RUN' },
  ]);
  const listed = ['openclaw.snapshot', 'rpi.run', 'dream.run', 'wiki.forge'];
  const others = jobTypes.filter((type) => !listed.includes(type)).map((job_type) => ({ job_type }));
  await refuses(served, '/openclaw/v1/triggers/jobs', 400, [...others, {}, { job_type: 'not-a-job' }]);
});

test('ids and keys keep their rules (R5, R6, R7)', async ({ served }) => {
  await refuses(
    served,
    '/v1/jobs',
    400,
    ['a b', 'a\tb', 'a\nb', ' ', '\t'].map((request_id) => rpi({ request_id })),
  );
  await refuses(
    served,
    '/v1/jobs',
    400,
    ['a\u0000b', 'a\nb', 'a\u0085b', 'x'.repeat(257), 'é'.repeat(129)].map((job_id) => rpi({ job_id })),
  );
  const answer = await served.mutate('/v1/jobs', rpi({ idempotency_key: 'é'.repeat(129) }));
  assert.is(answer.status, 400);
  assert.is(answer.body['max_bytes'], 256);
  assert.is(answer.body['got_bytes'], 258);
  await refuses(served, '/v1/jobs/cancel', 400, [
    {},
    { job_id: '' },
    { job_id: '  ' },
    { job_id: null },
    { job_id: 3 },
    { job_id: 'a', request_id: 'b c' },
  ]);
});

test('a payload that canonical JSON can not hold is refused (R8)', async ({ served }) => {
  const deep = `${'['.repeat(70)}${']'.repeat(70)}`;
  const texts = ['"\\ud800"', '-0', '-0.0', '9007199254740993', '1e400', deep, '{"\\ud800":1}'];
  await refuses(
    served,
    '/v1/jobs',
    400,
    texts.map((text) => `{"job_type":"rpi.run","payload":{"x":${text}}}`),
  );
});

test('another content type is 415, before the body is looked at (R9)', async ({ served }) => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json5']) {
    const answer = await served.mutate('/v1/jobs', '{', { headers: { 'Content-Type': type } });
    assert.is(answer.status, 415);
  }
  assert.is((await served.mutate('/v1/jobs', '{}', { headers: { 'Content-Encoding': 'gzip' } })).status, 415);
  assert.is(
    (await served.mutate('/v1/jobs', rpi({}), { headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } }))
      .status,
    202,
  );
});

test('exactly the largest body passes, one byte more is 413 (R10)', async ({ served }) => {
  const envelope = (bytes: number): string => {
    const empty = JSON.stringify(rpi({ payload: { goal: '' } }));
    return JSON.stringify(rpi({ payload: { goal: 'x'.repeat(bytes - empty.length) } }));
  };
  const refused = await served.mutate('/v1/jobs', envelope(limits.requestBodyBytes + 1));
  assert.is(refused.status, 413);
  assert.is(refused.body['max_bytes'], 1_048_576);
  assert.is(served.lastSeq(), 0);
  const taken = await served.mutate('/v1/jobs', envelope(limits.requestBodyBytes));
  assert.is(taken.status, 202);
});

test('an unknown path is 404, another method is 405 with what is allowed (O1)', async ({ served }) => {
  for (const path of [
    '/',
    '/v1',
    '/v2/jobs',
    '/v1/jobs/',
    '/V1/health',
    '/v1/jobs/a/b',
    '/v1/health/x',
    '//v1/health',
    '/v1/jobs/a/retry',
    '/%76%31/health',
  ]) {
    assert.is((await served.ask('GET', path)).status, 404, path);
  }
  for (const path of [
    '/v1/health',
    '/v1/ready',
    '/v1/status',
    '/v1/events',
    '/openclaw/v1/health',
    '/openclaw/v1/jobs',
    '/health',
  ]) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      const answer = await served.ask(method, path, { headers: token });
      assert.is(answer.status, 405, `${method} ${path}`);
      assert.is(answer.headers.allow, 'GET, HEAD');
      assert.equal(answer.body, { error: 'method not allowed' });
    }
  }
  for (const path of [
    '/v1/jobs',
    '/v1/jobs/cancel',
    '/jobs',
    '/jobs/cancel',
    '/v1/jobs/a/cancel',
    '/openclaw/v1/triggers/jobs',
  ]) {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const answer = await served.ask(method, path, { headers: token });
      assert.is(answer.status, 405, `${method} ${path}`);
      assert.is(answer.headers.allow, 'POST');
    }
  }
  assert.is(served.lastSeq(), 0);
});

test('the path form keeps to its job', async ({ served }) => {
  await served.mutate('/v1/jobs', rpi({ job_id: 'a/b c' }));
  assert.is((await served.mutate('/v1/jobs/a%2Fb%20c/cancel', { job_id: 'other' })).status, 400);
  assert.is((await served.mutate('/v1/jobs/%20/cancel')).status, 400);
  assert.is((await served.mutate('/v1/jobs/%zz/cancel')).status, 400);
  assert.is((await served.mutate('/v1/jobs/a/cancel')).status, 404);
  assert.is((await served.mutate('/v1/jobs/a%252Fb%20c/cancel')).status, 404);
  assert.is(served.lastSeq(), 1);
  const done = await served.mutate('/v1/jobs/a%2Fb%20c/cancel', { job_id: 'a/b c', reason: '  ' });
  assert.is(done.status, 202);
  assert.equal(served.ledger.events.at(-1)?.payload, { result_status: 'cancelled', reason: 'cancelled' });
});

test('a wrong query is 400', async ({ served }) => {
  const queries = [
    '/v1/events?limit=abc',
    '/v1/events?limit=-1',
    '/v1/events?limit=1.5',
    '/v1/events?since=nope',
    '/v1/events?after_id=evt_x_000001',
  ];
  queries.push(
    '/v1/events?since=a&since=b',
    '/v1/status?status=gone',
    '/v1/status?type=x',
    '/v1/status?limit=x',
    '/v1/status?after=x',
  );
  for (const path of queries) assert.is((await served.ask('GET', path)).status, 400, path);
  assert.is((await served.ask('GET', '/v1/events?limit=&since=')).status, 200);
});

test('the trigger is refused while not ready, after the caller and before the body (G3, O1)', async ({ served }) => {
  served.ledger.condition = {
    damage: [{ line_number: 2, segment: 's', segment_line: 2, error: 'not JSON' }],
    writable: true,
    reasons: [],
    claimsHeldThroughSeq: 2,
  };
  assert.is((await served.ask('POST', '/openclaw/v1/triggers/jobs', { body: '{' })).status, 403);
  const refused = await served.mutate('/openclaw/v1/triggers/jobs', '{');
  assert.is(refused.status, 503);
  assert.is(refused.body['error'], 'daemon is not ready');
  assert.equal(refused.body['projection_lag'], { event_count: 0, corrupt_record_count: 1, degraded: true });
  assert.equal(refused.body['degraded_reasons'], ['s:2: not JSON']);
  const taken = await served.mutate('/v1/jobs', { job_type: 'rpi.run' });
  assert.is(taken.status, 202);
  assert.is(taken.body['projection_status'], 'degraded');
});

test.run();
