/** The history over HTTP: cursors, limits, and what stands beside the events. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { type Served, serve, TOKEN } from '../support/http-kernel.js';
import { accepted } from '../support/model.js';

const test = suite<{ served: Served }>('events');

test.before.each(async (context) => {
  context.served = await serve();
});
test.after.each(async (context) => {
  await context.served.close();
});

async function submitMany(served: Served, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at++) {
    const answer = await served.mutate('/v1/jobs', { job_type: 'rpi.run', job_id: `job ${at} ü` });
    ids.push(String(answer.body['last_event_id']));
  }
  return ids;
}

const eventsOf = (body: JsonObject): JsonObject[] => body['events'] as JsonObject[];
const idsOf = (body: JsonObject): unknown[] => eventsOf(body).map((event) => event['event_id']);
const since = (id: string): string => `/v1/events?since=${encodeURIComponent(id)}`;

test('an event as it stands in the ledger, with the file that holds it', async ({ served }) => {
  await served.mutate('/v1/jobs', {
    job_type: 'rpi.run',
    job_id: 'a b',
    request_id: 'req_a',
    idempotency_key: 'k',
    payload: { goal: 'x' },
  });
  const { body } = await served.ask('GET', '/v1/events');
  const [event] = eventsOf(body);
  const { occurred_at, ...rest } = event as JsonObject;
  assert.match(String(occurred_at), /^\d{4}-.*Z$/);
  assert.equal(rest, {
    schema_version: 1,
    event_id: 'evt_job.accepted_a_b_000001',
    request_id: 'req_a',
    job_id: 'a b',
    event_type: 'job.accepted',
    actor: 'ao-http:legacy',
    payload: {
      job_type: 'rpi.run',
      job_payload: { goal: 'x' },
      max_attempts: 3,
      projection_targets: ['rpi-registry', 'openclaw-snapshot', 'daemon-status', 'daemon-job-status'],
      idempotency_key: 'k',
    },
    seq: 1,
    segment: '000001-00000000.jsonl',
  });
  assert.is(body['last_event_id'], 'evt_job.accepted_a_b_000001');
});

test('a cursor leads behind its event, under both names (E2)', async ({ served }) => {
  const ids = await submitMany(served, 4);
  for (let at = 0; at < 4; at++) {
    for (const name of ['since', 'after_id']) {
      const { body } = await served.ask('GET', `/v1/events?${name}=${encodeURIComponent(ids[at] as string)}`);
      assert.equal(idsOf(body), ids.slice(at + 1));
      assert.is(body['last_event_id'], ids[3]);
    }
  }
  const both = await served.ask('GET', `${since(ids[2] as string)}&after_id=nonsense`);
  assert.equal(idsOf(both.body), ids.slice(3));
});

test('a cursor that looks right and is no event is unknown (E2)', async ({ served }) => {
  const [first] = await submitMany(served, 2);
  const wrong = [
    'x',
    'evt_',
    'evt_a_000001',
    String(first).replace('000001', '000002'),
    String(first).replace('000001', '000009'),
    `${first}0`,
    'evt_job.accepted_x_000000',
  ];
  for (const id of wrong) assert.is((await served.ask('GET', since(id))).status, 400, id);
});

test('the oldest behind the cursor, at most the limit (E2, E3)', async ({ served }) => {
  const ids = await submitMany(served, 5);
  const limited = async (query: string) => (await served.ask('GET', `/v1/events?${query}`)).body;
  assert.equal(idsOf(await limited('limit=2')), ids.slice(0, 2));
  assert.equal(await limited('limit=0'), { events: [], last_event_id: ids[4] });
  assert.equal(idsOf(await limited('limit=100000000')), ids);
  assert.equal(idsOf(await limited(`limit=1&since=${encodeURIComponent(ids[1] as string)}`)), ids.slice(2, 3));
  assert.is((await limited('limit=1'))['last_event_id'], ids[4]);
});

test('pages put together are the whole, over the largest page (E3)', async ({ served }) => {
  await served.close();
  const replayed = Array.from({ length: 2500 }, (_, at) => accepted('rpi.run', { job_id: `job_${at}`, seq: at + 1 }));
  const long = await serve({ replayed });
  try {
    const whole = (await long.ask('GET', '/v1/events')).body;
    assert.is(eventsOf(whole).length, 2500);
    const paged: unknown[] = [];
    for (;;) {
      const from = paged.length === 0 ? '' : `&since=${String(paged.at(-1))}`;
      const page = idsOf((await long.ask('GET', `/v1/events?limit=5000${from}`)).body);
      assert.ok(page.length <= 1000);
      if (page.length === 0) break;
      paged.push(...page);
    }
    assert.equal(paged, idsOf(whole));
  } finally {
    await long.close();
  }
});

test('pages that are read while events are written: no gap, no repeat (D5, E3)', async ({ served }) => {
  let isWriting = true;
  const writing = submitMany(served, 150).finally(() => {
    isWriting = false;
  });
  const paged: unknown[] = [];
  let lists = 0;
  let whole: unknown[] = [];
  for (let last = false; ; ) {
    const wasWriting = isWriting;
    const from = paged.length === 0 ? '' : `&since=${encodeURIComponent(String(paged.at(-1)))}`;
    const page = idsOf((await served.ask('GET', `/v1/events?limit=7${from}`)).body);
    paged.push(...page);
    const now = idsOf((await served.ask('GET', '/v1/events')).body);
    assert.equal(now.slice(0, whole.length), whole, 'an earlier list is the beginning of every later one');
    assert.equal(now.slice(0, paged.length), paged);
    whole = now;
    lists++;
    last = !wasWriting && page.length === 0;
    if (last) break;
  }
  assert.equal(paged, await writing);
  assert.ok(lists > 20);
});

test('damage is told whole, whatever the page (E4, E7)', async ({ served }) => {
  const ids = await submitMany(served, 3);
  const record = { line_number: 3, segment: '000001-00000000.jsonl', segment_line: 3, error: 'not JSON' };
  served.ledger.condition = { damage: [record], writable: true, reasons: [], claimsHeldThroughSeq: 3 };
  const lost = served.ledger.events.splice(1, 1);
  const { body } = await served.ask('GET', '/v1/events?limit=1');
  assert.equal(body['corrupt'], [record]);
  assert.equal(idsOf(body), ids.slice(0, 1));
  // Its own line is damaged now: a reader that stood there gets on.
  assert.equal(idsOf((await served.ask('GET', since(lost[0]?.event_id as string))).body), ids.slice(2));
  assert.is((await served.ask('GET', since('no-such-id'))).status, 400);
});

test('HEAD is GET without its body', async ({ served }) => {
  await submitMany(served, 1);
  for (const path of [
    '/v1/health',
    '/v1/ready',
    '/v1/status',
    '/v1/events',
    '/openclaw/v1/snapshot/latest',
    '/metrics',
  ]) {
    const answer = await served.ask('HEAD', path);
    assert.is(answer.status, 200, path);
    assert.is(answer.text, '');
  }
  assert.is((await served.ask('HEAD', '/v1/events?limit=x')).status, 400);
});

test('a ledger that can not be read is 500, not half an answer', async ({ served }) => {
  await submitMany(served, 1);
  const failing = { next: () => Promise.reject(new Error('EIO')) };
  Object.defineProperty(served.ledger, 'read', { value: () => ({ [Symbol.asyncIterator]: () => failing }) });
  assert.is((await served.ask('GET', '/v1/events')).status, 500);
  assert.is((await served.ask('GET', '/v1/health', { headers: { Authorization: `Bearer ${TOKEN}` } })).status, 200);
});

test.run();
