/** Requests that nobody thought of: never a 5xx, never an undocumented answer, never an event from a refused one. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { jobTypes } from '../../lib/model/event.js';
import { type Served, serve, TOKEN } from '../support/http-kernel.js';

const test = suite<{ served: Served }>('fuzz');
/** Of each property; more on demand, such as AGENTOPSD_FUZZ_RUNS=10000. */
const RUNS = Number(process.env['AGENTOPSD_FUZZ_RUNS'] ?? 250);

test.before.each(async (context) => {
  context.served = await serve({ dependencies: { failpoints: false } });
});
test.after.each(async (context) => {
  await context.served.close();
});

const words = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', 'a', 'schedule', 'cancel', '../x', '\u0000', '😀', '\ud800', 'x'.repeat(300)),
);
const member = fc.oneof(
  { weight: 3, arbitrary: words },
  fc.jsonValue(),
  fc.constant(null),
  fc.double(),
  fc.bigInt().map(Number),
);
const jobType = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...jobTypes) }, member);
const payload = fc.oneof(fc.dictionary(words, fc.jsonValue()), fc.record({ goal: member }), member);
const envelope = fc.record(
  {
    job_type: jobType,
    job_id: member,
    request_id: member,
    idempotency_key: member,
    payload,
    reason: member,
    extra: fc.jsonValue(),
  },
  { requiredKeys: ['job_type'] },
);
const body = fc.oneof(
  { weight: 8, arbitrary: envelope.map((value) => JSON.stringify(value)) },
  fc.json(),
  words,
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);
const mutationPath = fc.oneof(
  fc.constantFrom('/v1/jobs', '/v1/jobs', '/jobs', '/v1/jobs/cancel', '/openclaw/v1/triggers/jobs', '/v1/adopt'),
  words.map((id) => `/v1/jobs/${encodeURIComponent(id.toWellFormed())}/cancel`),
);

test('mutations', async ({ served }) => {
  await fc.assert(
    fc.asyncProperty(mutationPath, body, async (path, bytes) => {
      const before = served.lastSeq();
      const headers = { 'X-AgentOps-Daemon-Token': TOKEN, 'Content-Type': 'application/json' };
      const answer = await served.ask('POST', path, { headers, body: bytes });
      assert.ok(answer.status < 500, `${answer.status}: ${answer.text}`);
      if (answer.status !== 202) assert.is(served.lastSeq(), before);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
  for (const path of ['/v1/status', '/v1/events', '/openclaw/v1/snapshot/latest', '/metrics']) {
    assert.is((await served.ask('GET', path)).status, 200);
  }
});

const query = fc.dictionary(
  fc.constantFrom('since', 'after_id', 'limit', 'status', 'type', 'after', 'attempt', 'follow', 'x'),
  words,
);
const readPath = fc.oneof(
  fc.constantFrom(
    '/v1/status',
    '/v1/events',
    '/openclaw/v1/runs',
    '/v1/jobs/a',
    '/v1/jobs/a/log',
    '/v1/ready',
    '/nowhere',
  ),
  fc.webPath().map((path) => `/${path.replace(/^\/+/, '')}`),
  words.map((id) => `/v1/jobs/${encodeURIComponent(id.toWellFormed())}`),
);

test('reads', async ({ served }) => {
  await served.mutate('/v1/jobs', { job_type: 'rpi.run', job_id: 'a' });
  await served.mutate('/v1/jobs/a/cancel');
  await fc.assert(
    fc.asyncProperty(
      readPath,
      query,
      fc.constantFrom('GET', 'GET', 'HEAD', 'DELETE', 'OPTIONS'),
      async (path, asked, method) => {
        const search = new URLSearchParams();
        for (const [name, text] of Object.entries(asked)) search.set(name, text.toWellFormed());
        const answer = await served.ask(method, `${path}?${search}`);
        assert.ok(answer.status < 500, `${answer.status}: ${answer.text}`);
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  );
  assert.is(served.lastSeq(), 2);
});

test.run();
