import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readEnvelope, readJobId, readRequestId } from '../../lib/engine/envelope.js';
import { jobTypes } from '../../lib/model/event.js';

const test = suite('envelope');
const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const refusal = (value: unknown) => readEnvelope(bytes(value)).refused;

test('a whole envelope comes out as it was written', () => {
  const envelope = {
    request_id: 'req_1',
    job_id: 'job_1',
    job_type: 'rpi.run',
    idempotency_key: 'rpi:demo',
    payload: { goal: 'Run', placement: { affinity: ['gpu'] } },
  };
  assert.equal(readEnvelope(bytes(envelope)).request, envelope);
});

test('every job type is taken, with nothing but its name', () => {
  for (const job_type of jobTypes) {
    const { request } = readEnvelope(bytes({ job_type }));
    assert.equal(request, {
      job_type,
      request_id: undefined,
      job_id: undefined,
      idempotency_key: undefined,
      payload: {},
    });
  }
});

test('null and blank count as absent where the contract says so', () => {
  const { request } = readEnvelope(
    bytes({ job_type: 'rpi.run', request_id: null, job_id: '  ', idempotency_key: '', payload: null }),
  );
  assert.equal(request, {
    job_type: 'rpi.run',
    request_id: undefined,
    job_id: undefined,
    idempotency_key: undefined,
    payload: {},
  });
});

test('ids are trimmed, a key is not', () => {
  const { request } = readEnvelope(
    bytes({ job_type: 'rpi.run', request_id: ' r\n', job_id: '\t j k ', idempotency_key: ' k ' }),
  );
  assert.is(request?.request_id, 'r');
  assert.is(request?.job_id, 'j k');
  assert.is(request?.idempotency_key, ' k ');
});

test('what is no JSON object is refused', () => {
  for (const text of [
    '',
    ' ',
    '{',
    'nope',
    ',',
    '{"a":1,}',
    '\ufeff{}',
    '{"job_type":"rpi.run"} x',
    '{"job_type":"rpi.run"}{}',
  ]) {
    assert.is(refusal(text)?.code, 'invalid_json', text);
    assert.is(refusal(text)?.message, 'invalid json');
  }
  for (const text of ['[]', '"x"', 'null', '5', 'true']) assert.is(refusal(text)?.code, 'invalid_request', text);
  const notUtf8 = Buffer.concat([bytes('{"job_type":"rpi.run","job_id":"'), Buffer.from([0xff]), bytes('"}')]);
  assert.is(readEnvelope(notUtf8).refused?.code, 'invalid_json');
});

test('a member of the wrong type is named', () => {
  for (const member of ['request_id', 'job_id', 'idempotency_key', 'payload']) {
    for (const value of [5, true, []]) {
      const refused = refusal({ job_type: 'rpi.run', [member]: value });
      assert.is(refused?.code, 'invalid_request');
      assert.match(refused?.message ?? '', new RegExp(`^${member} must be an? (string|object)$`));
    }
  }
  assert.is(refusal({ job_type: 5 })?.message, 'job_type must be a string');
  assert.is(refusal({ job_type: 'rpi.run', payload: 'x' })?.message, 'payload must be an object');
});

test('a job type that is missing or unknown is refused, with the nearest one', () => {
  for (const job_type of [undefined, null, '', 'not-a-job', 'RPI.RUN', ' rpi.run', 'constructor']) {
    assert.is(refusal({ job_type })?.code, 'unknown_job_type', String(job_type));
  }
  assert.match(refusal({ job_type: 'rpi.rum' })?.message ?? '', /did you mean rpi\.run\?/);
  assert.ok((refusal({ job_type: 'x'.repeat(500_000) })?.message.length ?? 0) < 200);
});

test('a way in may take some types alone', () => {
  const allowedTypes = ['wiki.forge', 'rpi.run'] as const;
  assert.ok(readEnvelope(bytes({ job_type: 'rpi.run' }), { allowedTypes }).request);
  const refused = readEnvelope(bytes({ job_type: 'rpi.phase' }), { allowedTypes }).refused;
  assert.is(refused?.code, 'unknown_job_type');
  assert.match(refused?.message ?? '', /not taken here/);
});

test('request_id: no white space is left in it', () => {
  for (const request_id of ['a b', 'a\tb', 'a\nb', 'a\u00a0b', '   ']) {
    assert.is(refusal({ job_type: 'rpi.run', request_id })?.code, 'invalid_request', JSON.stringify(request_id));
  }
  assert.is(readRequestId(null).text, undefined);
});

test('job_id: 256 bytes pass, 257 do not, controls never', () => {
  // `limits.jobIdBytes`; the number is the contract's.
  assert.ok(readEnvelope(bytes({ job_type: 'rpi.run', job_id: 'é'.repeat(128) })).request);
  assert.equal(refusal({ job_type: 'rpi.run', job_id: `${'é'.repeat(128)}x` })?.details, {
    max_bytes: 256,
    got_bytes: 257,
  });
  for (const job_id of ['a\u0000b', 'a\u007fb', 'a\u0085b', 'a\nb']) {
    assert.is(refusal({ job_type: 'rpi.run', job_id })?.code, 'invalid_request', JSON.stringify(job_id));
  }
  assert.is(readJobId('../../etc/passwd').text, '../../etc/passwd');
});

test('idempotency_key: 256 bytes pass, 257 do not', () => {
  // `limits.idempotencyKeyBytes`; the number is the contract's.
  assert.ok(readEnvelope(bytes({ job_type: 'rpi.run', idempotency_key: 'k'.repeat(256) })).request);
  const refused = refusal({ job_type: 'rpi.run', idempotency_key: 'k'.repeat(257) });
  assert.equal(refused?.details, { max_bytes: 256, got_bytes: 257 });
  assert.match(refused?.message ?? '', /257 bytes/);
});

test('a payload that canonical JSON can not hold is refused', () => {
  const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const payloads = [
    '{"a":"\\ud800"}',
    '{"\\udfff":1}',
    '{"a":-0}',
    '{"a":1e400}',
    '{"a":9007199254740993}',
    nested(65),
  ];
  for (const payload of payloads) {
    assert.is(refusal(`{"job_type":"rpi.run","payload":${payload}}`)?.code, 'invalid_request', payload.slice(0, 40));
  }
  assert.ok(readEnvelope(bytes(`{"job_type":"rpi.run","payload":${nested(64)}}`)).request);
  assert.is(refusal('{"job_type":"rpi.run","job_id":"\\ud800"}')?.code, 'invalid_request');
  assert.is(refusal('{"job_type":"rpi.run","request_id":"\\ud800"}')?.code, 'invalid_request');
  assert.is(refusal('{"job_type":"rpi.run","idempotency_key":"\\ud800"}')?.code, 'invalid_request');
});

test('nesting as deep as a body can be neither crashes nor passes', () => {
  const deep = `{"job_type":"rpi.run","payload":{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`;
  assert.is(refusal(deep)?.code, 'invalid_request');
});

test('a member called __proto__ is data like any other', () => {
  const { request } = readEnvelope(bytes('{"job_type":"rpi.run","payload":{"__proto__":{"polluted":true}}}'));
  assert.ok(Object.hasOwn(request?.payload ?? {}, '__proto__'));
  assert.is(({} as Record<string, unknown>)['polluted'], undefined);
});

test('members that nobody knows pass', () => {
  assert.ok(readEnvelope(bytes({ job_type: 'rpi.run', priority: 5, payload: { anything: [1] } })).request);
});

test.run();
