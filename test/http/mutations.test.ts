/** What a 202 means: durable, once, told as it is; and what is answered when it can't be. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import type { JsonObject } from '../../lib/base/json.js';
import { type Served, serve, TOKEN } from '../support/http-kernel.js';
import { accepted } from '../support/model.js';

const test = suite('mutations');

async function withServer(
  run: (served: Served) => Promise<void>,
  serving: Parameters<typeof serve>[0] = {},
): Promise<void> {
  const served = await serve(serving);
  try {
    await run(served);
  } finally {
    await served.close();
  }
}

test('64 callers with one key make one job (I1, I3)', () =>
  withServer(async (served) => {
    const asking = Array.from({ length: 64 }, (_, at) =>
      served.mutate('/v1/jobs', { job_type: 'rpi.run', idempotency_key: 'one', request_id: `req_${at}` }),
    );
    const answers = await Promise.all(asking);
    assert.equal(new Set(answers.map(({ status }) => status)), new Set([202]));
    assert.is(new Set(answers.map(({ body }) => body['job_id'])).size, 1);
    assert.is(new Set(answers.map(({ body }) => body['request_id'])).size, 1);
    assert.is(served.lastSeq(), 1);
  }));

test('an answer waits for the disk (D1, D2)', () =>
  withServer(async (served) => {
    served.ledger.automatic = false;
    let isAnswered = false;
    const asking = served.mutate('/v1/jobs', { job_type: 'rpi.run', job_id: 'a' }).then((answer) => {
      isAnswered = true;
      return answer;
    });
    assert.equal((await served.ask('GET', '/v1/events')).body, { events: [] });
    assert.is((await served.ask('GET', '/v1/jobs/a')).status, 404);
    assert.not(isAnswered);
    while (served.lastSeq() === 0) {
      served.ledger.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.is((await asking).status, 202);
  }));

test('generated ids are unique and without white space (I5, E1)', () =>
  withServer(async (served) => {
    const answers = await Promise.all(
      Array.from({ length: 24 }, () => served.mutate('/v1/jobs', { job_type: 'rpi.run' })),
    );
    assert.is(new Set(answers.map(({ body }) => body['job_id'])).size, 24);
    for (const { body } of answers) assert.match(String(body['request_id']), /^req_\S+$/);
  }));

test('a second use with something else is answered with the first, and says so (I2, I6)', () =>
  withServer(async (served) => {
    await served.mutate('/v1/jobs', { job_type: 'rpi.run', job_id: 'a', idempotency_key: 'k', payload: { goal: '1' } });
    await served.mutate('/v1/jobs', { job_type: 'rpi.run', job_id: 'b' });
    const conflictOf = async (body: object) => {
      const answer = await served.mutate('/v1/jobs', body);
      return [answer.status, answer.body['job_id'], answer.headers['idempotency-conflict']];
    };
    assert.equal(await conflictOf({ job_type: 'rpi.run', idempotency_key: 'k', payload: { goal: '1' } }), [
      202,
      'a',
      undefined,
    ]);
    assert.equal(await conflictOf({ job_type: 'rpi.run', idempotency_key: 'k', payload: { goal: '2' } }), [
      202,
      'a',
      'payload',
    ]);
    assert.equal(await conflictOf({ job_type: 'dream.run', idempotency_key: 'k' }), [202, 'a', 'job_type']);
    assert.equal(await conflictOf({ job_type: 'rpi.run', idempotency_key: 'k', job_id: 'b' }), [202, 'a', 'payload']);
    const trigger = await served.mutate('/openclaw/v1/triggers/jobs', {
      job_type: 'rpi.run',
      idempotency_key: 'k',
      payload: { goal: '1' },
    });
    assert.is(trigger.body['job_id'], 'a');
    assert.is(served.lastSeq(), 2);
  }));

test('the trigger and the queue are one (I1)', () =>
  withServer(async (served) => {
    const { body } = await served.mutate('/openclaw/v1/triggers/jobs', {
      job_type: 'wiki.forge',
      job_id: 't',
      idempotency_key: 'k',
    });
    assert.equal(body, {
      accepted: true,
      request_id: body['request_id'],
      job_id: 't',
      job_type: 'wiki.forge',
      status: 'queued',
      last_event_id: 'evt_job.accepted_t_000001',
      snapshot_status: 'current',
      idempotency_key: 'k',
    });
    assert.is(served.ledger.events[0]?.actor, 'openclaw-trigger:legacy');
    assert.is((await served.mutate('/v1/jobs', { job_type: 'wiki.forge', idempotency_key: 'k' })).body['job_id'], 't');
  }));

test("a request id traces, never deduplicates; the first is the job's for ever (I4)", () =>
  withServer(async (served) => {
    const submit = (more: object) => served.mutate('/v1/jobs', { job_type: 'rpi.run', ...more });
    const jobs = [await submit({ request_id: 'req_one' }), await submit({ request_id: ' req_one ' })];
    assert.is(new Set(jobs.map(({ body }) => body['job_id'])).size, 2);
    await submit({ request_id: 'req_one', job_id: 'a' });
    assert.is((await submit({ request_id: 'req_two', job_id: 'a' })).body['request_id'], 'req_one');
    const idsOf = async () => (await served.ask('GET', '/v1/jobs/a')).body['request_ids'];
    assert.equal(await idsOf(), ['req_one'], 'a deduplicated retry adds none');
    await served.mutate('/v1/jobs/a/cancel', { request_id: 'req_three' });
    await served.mutate('/v1/jobs/a/cancel', { request_id: 'req_four' });
    assert.equal(await idsOf(), ['req_one', 'req_three']);
  }));

test('20 cancels at once: one event, one of them did it (J5, J6)', () =>
  withServer(async (served) => {
    await served.mutate('/v1/jobs', { job_type: 'rpi.run', job_id: 'a', request_id: 'req_s' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        served.mutate('/v1/jobs/cancel', { job_id: ' a ', request_id: 'req_c', reason: ' why ' }),
      ),
    );
    assert.is(answers.filter(({ body }) => body['outcome'] === 'cancelled').length, 1);
    for (const { status, body } of answers) {
      assert.is(status, 202);
      assert.is(body['cancelled'], true);
    }
    assert.is(served.lastSeq(), 2);
    assert.equal(served.ledger.events[1]?.payload, { result_status: 'cancelled', reason: 'why' });
    assert.equal((answers.at(0)?.body['job'] as JsonObject | undefined)?.['request_ids'], ['req_s', 'req_c']);
  }));

test('a write that failed is 503: ask again (D3)', () =>
  withServer(async (served) => {
    served.kernel.execute = () =>
      Promise.reject(new AgentopsdError('outcome_unknown', 'the outcome is unknown; ask again with the same key'));
    for (const [path, body] of [
      ['/v1/jobs', { job_type: 'rpi.run' }],
      ['/openclaw/v1/triggers/jobs', { job_type: 'rpi.run' }],
      ['/v1/jobs/x/cancel', {}],
    ] as const) {
      const answer = await served.mutate(path, body);
      assert.is(answer.status, 503);
      assert.is(answer.headers['agentopsd-error'], 'outcome_unknown');
    }
  }));

test('failpoints do what they say, when they are switched on (D3, D4)', () =>
  withServer(
    async (served) => {
      const submit = (failpoint: string) =>
        served.mutate(
          '/v1/jobs',
          { job_type: 'rpi.run', idempotency_key: failpoint },
          { headers: { 'X-AgentOps-Failpoint': failpoint } },
        );
      assert.is((await submit('before_append')).status, 503);
      assert.is(served.lastSeq(), 0);
      assert.is((await submit('after_append_before_ack')).status, 503);
      assert.is(served.lastSeq(), 1);
      assert.is(
        (await served.mutate('/v1/jobs', { job_type: 'rpi.run', idempotency_key: 'after_append_before_ack' })).status,
        202,
      );
      assert.is(served.lastSeq(), 1);
      const degraded = await submit('projection_rebuild');
      assert.is(degraded.status, 202);
      assert.is(degraded.body['projection_status'], 'degraded');
      assert.is((degraded.body['degraded_reasons'] as string[]).length, 1);
      assert.is((await submit('nonsense')).status, 400);
      assert.is(served.lastSeq(), 2);
    },
    { dependencies: { failpoints: true } },
  ));

test('failpoints are ignored otherwise', () =>
  withServer(async (served) => {
    const headers = { 'X-AgentOps-Failpoint': 'before_append' };
    assert.is((await served.mutate('/v1/jobs', { job_type: 'rpi.run' }, { headers })).status, 202);
  }));

const foreignJobs = ['a', 'b', 'c'].map((job_id, at) => accepted('rpi.run', { job_id, seq: at + 1 }));
const cameWithTheLedger = { replayed: foreignJobs, oursWhen: () => false };

test('jobs from elsewhere are adopted by name, or all (J8)', () =>
  withServer(async (served) => {
    assert.is(
      (await served.mutate('/v1/jobs', { job_type: 'rpi.run', job_id: 'a' })).headers['idempotency-conflict'],
      'foreign',
    );
    for (const body of [{}, { job_ids: [] }, { all: false }, { job_ids: 'a' }, { job_ids: [7] }]) {
      assert.is((await served.mutate('/v1/adopt', body)).status, 400, JSON.stringify(body));
    }
    assert.is((await served.mutate('/v1/adopt', { job_ids: ['a', 'nobody'] })).status, 404);
    assert.is(served.lastSeq(), 3);
    const adoptedIds = async (body: object) =>
      ((await served.mutate('/v1/adopt', body)).body['adopted'] as JsonObject[]).map((job) => job['job_id']);
    assert.equal(await adoptedIds({ job_ids: ['b', 'b'] }), ['b']);
    assert.equal(await adoptedIds({ job_ids: ['b'] }), []);
    assert.equal(await adoptedIds({ all: true }), ['a', 'c']);
    assert.is(served.lastSeq(), 6);
    assert.is(served.ledger.events.at(-1)?.event_type, 'job.adopted');
  }, cameWithTheLedger));

test('damage is adopted by naming its records', () =>
  withServer(async (served) => {
    assert.is((await served.mutate('/v1/adopt', { damage: true })).body['damage_adopted'], 0);
    assert.is(served.lastSeq(), 0);
    const record = { line_number: 4, segment: '000001-00000000.jsonl', segment_line: 4, error: 'not JSON' };
    served.ledger.condition = { damage: [record], writable: true, reasons: [], claimsHeldThroughSeq: 9 };
    const { body } = await served.mutate('/v1/adopt', { damage: true });
    assert.is(body['damage_adopted'], 1);
    const event = served.ledger.events[0];
    assert.is(event?.event_type, 'ledger.damage_adopted');
    assert.equal(event?.payload, { records: [{ segment: record.segment, line: 4, error: 'not JSON' }] });
  }));

test('no answer and no event ever holds the token (A7)', () =>
  withServer(async (served) => {
    const answers = [
      await served.mutate('/v1/jobs', { job_type: 'rpi.run' }),
      await served.mutate('/v1/jobs', '{'),
      await served.ask('POST', '/v1/jobs', { headers: { Authorization: `Bearer ${TOKEN}x` }, body: {} }),
      await served.ask('GET', '/v1/events'),
      await served.ask('GET', '/v1/status'),
    ];
    for (const answer of answers) assert.not.match(answer.text + JSON.stringify(answer.headers), TOKEN);
  }));

test.run();
