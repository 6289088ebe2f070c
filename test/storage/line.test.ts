import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../lib/base/canonical.js';
import type { JsonObject } from '../../lib/base/json.js';
import { limits } from '../../lib/base/limits.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import type { DamagedLine, DecodedEvent, DecodedHeader, EventLine } from '../../lib/storage/line.js';
import {
  decodeLine,
  encodeEventLine,
  encodeHeaderLine,
  hashOfLine,
  verifyEventMac,
  verifyHeaderMac,
} from '../../lib/storage/line.js';
import { homeA, homeB, sampleEvent } from '../support/segment-builder.js';

const test = suite('line');
const HASH = 'ab'.repeat(32);
const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');
const decodedEvent = (text: string): DecodedEvent => {
  const decoded = decodeLine(bytesOf(text));
  assert.is(decoded.kind, 'event', (decoded as DamagedLine).error);
  return decoded as DecodedEvent;
};
const errorOf = (text: string | Buffer): string => {
  const decoded = decodeLine(Buffer.from(text as string));
  assert.is(decoded.kind, 'damaged', String(text));
  return (decoded as DamagedLine).error;
};

const anyText = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed());
const payloads = fc
  .dictionary(anyText, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);
const someText = anyText.map((text) => `x${text}`);
const events: fc.Arbitrary<LedgerEvent> = fc.record(
  {
    schema_version: fc.constant(1 as const),
    event_id: someText,
    request_id: someText,
    job_id: someText,
    event_type: someText,
    occurred_at: fc.constant('2026-01-02T03:04:05.678Z'),
    actor: someText,
    payload: payloads,
    seq: fc.integer({ min: 1, max: 2 ** 40 }),
  },
  {
    requiredKeys: ['schema_version', 'event_id', 'request_id', 'job_id', 'event_type', 'occurred_at', 'actor', 'seq'],
    noNullPrototype: true,
  },
);

test('the encoder gives the canonical form of the whole object', () => {
  fc.assert(
    fc.property(events, fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }), (event, from) => {
      const plain = encodeEventLine(event, HASH, undefined, homeA.key);
      assert.is(plain, canonicalJson({ ...event, prev_hash: HASH }));
      if (from === undefined) return;
      const unsigned = canonicalJson({ ...event, prev_hash: HASH, commit: { from } });
      const mac = createHmac('sha256', homeA.key).update(unsigned, 'utf8').digest('hex');
      const line = encodeEventLine(event, HASH, { from }, homeA.key);
      assert.is(line, canonicalJson({ ...event, prev_hash: HASH, commit: { from, mac } }));
    }),
    { numRuns: 500 },
  );
});

test('what is encoded is decoded the same', () => {
  fc.assert(
    fc.property(events, (event) => {
      const line = encodeEventLine(event, HASH, { from: 1 }, homeA.key);
      const decoded = decodedEvent(line);
      const { prev_hash, commit, ...rest } = decoded.event as EventLine;
      assert.equal(rest, event);
      assert.is(prev_hash, HASH);
      assert.is(commit?.from, 1);
      assert.ok(verifyEventMac(bytesOf(line), decoded, homeA.key));
      assert.not.ok(verifyEventMac(bytesOf(line), decoded, homeB.key));
      assert.not.match(line, /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
    }),
    { numRuns: 500 },
  );
});

test('the hash is SHA-256 of the bytes', () => {
  const bytes = bytesOf('{"ä":1}');
  assert.is(hashOfLine(bytes), createHash('sha256').update(bytes).digest('hex'));
});

test('a header comes back as it went, with a mac of its home', () => {
  const header = {
    term: 7,
    writer: '0000000a',
    home: 'h',
    opened_at: '2026-01-01T00:00:00.000Z',
    after: { segment: '000006-00000001.jsonl', length: 9 },
  };
  const line = encodeHeaderLine(header, HASH, homeA.key);
  const decoded = decodeLine(bytesOf(line)) as DecodedHeader;
  assert.is(decoded.kind, 'header');
  const { mac, ...rest } = decoded.header;
  assert.equal(rest, header);
  assert.is(decoded.prevHash, HASH);
  const unsigned = canonicalJson({ prev_hash: HASH, schema_version: 1, segment: header });
  assert.is(mac, createHmac('sha256', homeA.key).update(unsigned, 'utf8').digest('hex'));
  assert.ok(verifyHeaderMac(bytesOf(line), decoded, homeA.key));
  assert.not.ok(verifyHeaderMac(bytesOf(line), decoded, homeB.key));
});

test('the mac of a line can not be carried over to another', () => {
  const line = encodeEventLine(sampleEvent(3), HASH, { from: 3 }, homeA.key);
  for (const [from, to] of [
    ['goal 3', 'goal 4'],
    ['"from":3', '"from":2'],
    [HASH, 'ac'.repeat(32)],
  ] as const) {
    const other = line.replace(from, to);
    assert.not.ok(verifyEventMac(bytesOf(other), decodedEvent(other), homeA.key), to);
  }
});

test('golden: the bytes of version 1 stay as they are', () => {
  const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const header = encodeHeaderLine(
    { term: 1, writer: '3f9a2c1b', home: 'h1', opened_at: '2026-01-01T00:00:00.000Z' },
    undefined,
    key,
  );
  assert.is(
    header,
    '{"schema_version":1,"segment":{"home":"h1","mac":"5a3c131f6bdba74075abd6188fc87129471bbd328e0557f07644df6d781e0bd7","opened_at":"2026-01-01T00:00:00.000Z","term":1,"writer":"3f9a2c1b"}}',
  );
  const event = sampleEvent(1, { payload: { b: [1, 'a\u202e\u007f'], a: null }, job_id: 'j' });
  assert.is(
    encodeEventLine(event, hashOfLine(bytesOf(header)), { from: 1 }, key),
    '{"actor":"ao-http:legacy","commit":{"from":1,"mac":"3c5709cbb1ac90c52a1191339c69b414af9f178f5a2b7ba16690806ab43858ea"},"event_id":"evt_job.accepted_j_000001","event_type":"job.accepted","job_id":"j","occurred_at":"2026-01-01T00:00:00.000Z","payload":{"a":null,"b":[1,"a\\u202e\\u007f"]},"prev_hash":"d57c061634055e9bc461b11febc5425fb40156cf770ec499a8e4c14ed104c2b5","request_id":"req-1","schema_version":1,"seq":1}',
  );
});

const good = encodeEventLine(sampleEvent(2), HASH, { from: 2 }, homeA.key);
const without = (member: string): string => {
  const value = JSON.parse(good) as Record<string, unknown>;
  delete value[member];
  return canonicalJson(value);
};
const withMember = (more: Record<string, unknown>): string =>
  canonicalJson({ ...(JSON.parse(good) as object), ...more });

test('each kind of damage is found and named', () => {
  const table: ReadonlyArray<[string | Buffer, RegExp]> = [
    [Buffer.from([0x7b, 0xff, 0x7d]), /UTF-8/],
    [Buffer.from([0x7b, 0xc0, 0x80, 0x7d]), /UTF-8/],
    ['', /JSON/],
    ['{"a":1', /JSON/],
    [`\ufeff${good}`, /JSON/],
    ['[]', /object/],
    ['null', /object/],
    [good.replace('{"actor"', '{ "actor"'), /canonical/],
    [`${good} `, /canonical/],
    [good.replace('"seq":2', '"seq":2.0'), /canonical/],
    [good.replace('"seq":2', '"seq":2,"seq":2'), /canonical/],
    [good.replace('goal 2', 'goal \\u0032'), /canonical/],
    [good.replace('goal 2', 'goal \u007f'), /canonical/],
    [good.replace('goal 2', 'goal \u202e'), /canonical/],
    [good.replace('goal 2', 'goal \\u00E9'), /canonical/],
    [good.replace('"max_attempts":3', '"max_attempts":9007199254740993'), /canonical/],
    [good.replace('"max_attempts":3', '"max_attempts":-0'), /canonical/],
    [good.replace('"max_attempts":3', '"max_attempts":3e0'), /canonical/],
    [good.replace('"schema_version":1,"seq":2', '"seq":2,"schema_version":1'), /canonical/],
    [withMember({ extra: 1 }), /unknown member/],
    [withMember({ seq: 0 }), /seq/],
    [withMember({ seq: '2' }), /seq/],
    [withMember({ schema_version: 0 }), /schema_version/],
    [withMember({ schema_version: '1' }), /schema_version/],
    [withMember({ prev_hash: HASH.toUpperCase() }), /prev_hash/],
    [withMember({ payload: [] }), /payload/],
    [withMember({ occurred_at: 'today' }), /occurred_at/],
    [withMember({ actor: '' }), /actor/],
    [withMember({ commit: { from: 2 } }), /commit/],
    [withMember({ commit: { from: 3, mac: HASH } }), /commit/],
    [withMember({ segment: {} }), /unknown member|segment/],
  ];
  for (const [text, error] of table) assert.match(errorOf(text), error);
  for (const member of [
    'actor',
    'event_id',
    'event_type',
    'job_id',
    'occurred_at',
    'prev_hash',
    'request_id',
    'schema_version',
    'seq',
  ]) {
    assert.match(errorOf(without(member)), new RegExp(member));
  }
});

test('names that are numbers, and escaped controls, are canonical in their own order', () => {
  const odd = encodeEventLine(
    sampleEvent(2, { payload: { '9': 1, '10': 2, a: 'x\u0085y' } }),
    HASH,
    undefined,
    homeA.key,
  );
  assert.match(odd, /\{"10":2,"9":1,"a":"x\\u0085y"\}/);
  assert.equal(decodedEvent(odd).event.payload, { '9': 1, '10': 2, a: 'x\u0085y' });
});

test('a header lacks nothing, and holds nothing else', () => {
  const header = JSON.parse(
    encodeHeaderLine(
      { term: 1, writer: '3f9a2c1b', home: 'h', opened_at: '2026-01-01T00:00:00.000Z' },
      undefined,
      homeA.key,
    ),
  );
  for (const member of ['term', 'writer', 'home', 'opened_at', 'mac']) {
    const segment = { ...header.segment };
    delete segment[member];
    assert.match(errorOf(canonicalJson({ ...header, segment })), new RegExp(member));
  }
  assert.match(errorOf(canonicalJson({ ...header, prev_hash: HASH })), /together/);
  assert.match(errorOf(canonicalJson({ ...header, segment: { ...header.segment, more: 1 } })), /unknown member/);
  const after = { segment: '../x', length: 1 };
  assert.match(errorOf(canonicalJson({ ...header, prev_hash: HASH, segment: { ...header.segment, after } })), /after/);
});

test('a newer version is told apart, and zero bytes are told', () => {
  assert.equal(decodeLine(bytesOf('{"anything":[ ],"schema_version":2}')), { kind: 'newer', schemaVersion: 2 });
  const zeros = Buffer.from(good);
  zeros.fill(0, 10, 40);
  assert.ok((decodeLine(zeros) as DamagedLine).missingBytes);
  assert.not.ok((decodeLine(bytesOf('{')) as DamagedLine).missingBytes);
});

test('a line over the limit is damaged', () => {
  const long = Buffer.alloc(limits.ledgerLineBytes + 1, 0x20);
  assert.match(errorOf(long), /longer than 16777216/);
});

test('no flipped bit passes for a canonical line with the same hash, and none throws', () => {
  const bytes = bytesOf(good);
  const hash = hashOfLine(bytes);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    const decoded = decodeLine(flipped);
    assert.is.not(hashOfLine(flipped), hash);
    if (decoded.kind === 'event' && decoded.commit)
      assert.not.ok(verifyEventMac(flipped, decoded, homeA.key), `bit ${bit}`);
  }
});

test.run();
