import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../lib/base/canonical.js';
import { whyNoEvent } from '../../lib/storage/line-members.js';
import { isPlainEvent } from '../../lib/storage/plain-event.js';
import { lifeOfJobs } from '../bench/ledger-generator.js';

const test = suite('plain event');

const HASH = '0123456789abcdef'.repeat(4);
const usual = {
  actor: 'ao-http:legacy',
  event_id: 'evt_job.accepted_j_000007',
  event_type: 'job.accepted',
  job_id: 'j',
  occurred_at: '2026-01-31T12:00:00.123Z',
  payload: {
    job_payload: { goal: 'do it' },
    job_type: 'rpi.run',
    max_attempts: 3,
    projection_targets: ['rpi-registry'],
  },
  prev_hash: HASH,
  request_id: 'r',
  schema_version: 1,
  seq: 7,
};

/** Within other bytes, as in a block of lines. */
function isPlain(line: string | Buffer): boolean {
  const [before, behind] = ['"seq":1}\n', '\n{"actor":'].map((text) => Buffer.from(text)) as [Buffer, Buffer];
  const bytes = Buffer.concat([before, Buffer.from(line as string), behind]);
  return isPlainEvent(bytes, before.length, bytes.length - behind.length);
}

/** What the slow way says, by its parts. */
function isEvent(line: Buffer): boolean {
  if (!isUtf8(line)) return false;
  const text = line.toString('utf8');
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return canonicalJson(value) === text && whyNoEvent(value as Record<string, unknown>) === undefined;
  } catch {
    return false;
  }
}

test('usual lines are plain, with what people write in them', () => {
  for (const event of lifeOfJobs(9)) assert.ok(isPlain(canonicalJson({ ...event, prev_hash: HASH })));
  const payloads = [
    {},
    { job_payload: { prompt: 'line\nline\t"quoted" \\ \b\f\r', unicode: 'é – “quoted” 你好 🙂 \u2028' } },
    { n: [0, 1, -1, 123_456_789_012_345, 0.5, -0.25, 0.000001, 1.5, 12345.678] },
    { deep: [[[{ a: [] }], {}], true, false, null, ''] },
    { A: 1, a: 1, ab: 1, b: 1 },
  ];
  for (const payload of payloads) assert.ok(isPlain(canonicalJson({ ...usual, payload })), canonicalJson(payload));
  const { payload: _, ...bare } = usual;
  assert.ok(isPlain(canonicalJson(bare)));
  assert.ok(isPlain(canonicalJson({ ...bare, job_id: '', occurred_at: '2026-01-31T12:00:00Z' })));
  assert.ok(isPlain(canonicalJson({ ...bare, commit: { from: 7, mac: HASH } })));
});

test('what is no event, or not in its one form, is not plain', () => {
  const line = canonicalJson({ ...usual, commit: { from: 7, mac: HASH } });
  const alter: [string, string][] = [
    ['"from":7', '"from":8'],
    ['"from":7', '"from":0'],
    ['"from":7', '"from":07'],
    [HASH, HASH.toUpperCase()],
    [HASH, HASH.slice(1)],
    [HASH, `${HASH}0`],
    ['"actor":"ao-http:legacy"', '"actor":""'],
    ['"actor":"ao-http:legacy",', ''],
    ['"request_id":"r"', '"request_id":""'],
    ['"request_id":"r"', '"request_id":"r","requester":"x"'],
    ['"schema_version":1', '"schema_version":2'],
    ['"seq":7', '"seq":7.0'],
    ['"seq":7', '"seq":7,"seq":7'],
    ['"seq":7', '"seq":1234567890123456'],
    ['"seq":7', '"seq":"7"'],
    ['.123Z', '.Z'],
    ['.123Z', '.123'],
    ['.123Z', '.123Zx'],
    ['T12', ' 12'],
    ['"do it"', '"do\\u0020it"'],
    ['"do it"', '"do\\/it"'],
    ['"do it"', '"do\u0001it"'],
    ['"do it"', '"do\u007fit"'],
    ['"do it"', '"do\u0085it"'],
    ['"do it"', '"do\u061cit"'],
    ['"do it"', '"do\u200eit"'],
    ['"do it"', '"do\u202eit"'],
    ['"do it"', '"do\u2066it"'],
    ['"do it"', '1e3'],
    ['"do it"', '-0'],
    ['"do it"', '01'],
    ['"do it"', '1.0'],
    ['"do it"', '.5'],
    ['"do it"', '5.'],
    ['"do it"', '0.0000001'],
    ['"do it"', 'nul'],
    ['"do it"', '[1,]'],
    ['"do it"', '{"b":1,"a":2}'],
    ['"do it"', '{"a":1,"a":2}'],
    ['"do it"', '{"ab":1,"a":2}'],
    ['"do it"', '{"10":1,"9":2}'],
    ['"do it"', '{"a": 1}'],
    ['"do it"', '{"a":1,}'],
    ['{"goal":"do it"}', '["goal"'],
    ['"payload":{', '"payload":[{'],
    ['"payload":', '"payload": '],
  ];
  assert.ok(isPlain(line));
  for (const [what, by] of alter) {
    assert.ok(line.includes(what), what);
    assert.not.ok(isPlain(line.replace(what, by)), by);
  }
  for (const odd of ['', '{}', 'null', '[]', line.slice(0, -1), `${line}}`, ` ${line}`, `${line},${line}`])
    assert.not.ok(isPlain(odd), odd);
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  assert.not.ok(isPlain(line.replace('"do it"', deep)));
});

test('what is plain is an event, whatever was done to a line', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('', 'a', '\u0085', '\u200f', '"', '\\', '\n', '1', '__proto__'),
  );
  const { payload } = fc.letrec<{ payload: object; value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(true, false, null, 0.1, 1e-7, 1e21, -0, 0.000001),
      tie('payload'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
    payload: fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  }));
  const event = fc.record(
    {
      actor: text,
      commit: fc.record({ from: fc.nat(9), mac: fc.constantFrom(HASH, 'x') }, { noNullPrototype: true }),
      event_id: text,
      event_type: text,
      job_id: text,
      occurred_at: fc.constantFrom(usual.occurred_at, '2026-01-31T12:00:00Z', '2026-1-31T12:00:00Z'),
      payload,
      prev_hash: fc.constant(HASH),
      request_id: text,
      schema_version: fc.constantFrom(1, 1, 1, 2),
      seq: fc.nat(9),
    },
    { noNullPrototype: true, requiredKeys: ['actor', 'event_id', 'event_type', 'job_id', 'occurred_at', 'prev_hash'] },
  );
  const mend = fc.constantFrom<Partial<typeof usual>>({}, usual, { ...usual, payload: undefined as never });
  const hit = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('flip', 'insert', 'delete'),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\,:{}[]0e.-u'))),
  });
  let plain = 0;
  fc.assert(
    fc.property(event, mend, fc.boolean(), fc.array(hit, { maxLength: 2 }), (made, mended, native, hits) => {
      const all = {
        ...mended,
        ...made,
        ...Object.fromEntries(Object.entries(mended).filter(([, one]) => one !== undefined)),
      };
      const value = Object.fromEntries(
        Object.entries({ ...all, ...(made.payload && { payload: made.payload }) }).sort(),
      );
      let line = Buffer.from(native ? JSON.stringify(value) : canonicalJson(value), 'utf8');
      for (const { at, kind, byte } of hits) {
        const where = at % (line.length + 1);
        const behind = kind === 'insert' ? where : where + 1;
        line = Buffer.concat([
          line.subarray(0, where),
          kind === 'delete' ? Buffer.alloc(0) : Buffer.from([byte]),
          line.subarray(behind),
        ]);
      }
      if (!isUtf8(line) || !isPlain(line)) return;
      plain++;
      assert.ok(isEvent(line), line.toString());
    }),
    { numRuns: 20_000 },
  );
  assert.ok(plain > 500, `${plain} of them were plain`);
});

test.run();
