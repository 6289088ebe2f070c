import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import { eventIdOf } from '../../lib/model/event.js';
import type { Verification, VerifyOptions } from '../../lib/storage/verify.js';
import { verifyLedger } from '../../lib/storage/verify.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { homeA, homeB, LEDGER, SegmentBuilder, sampleEvent } from '../support/segment-builder.js';

const test = suite('verify');
const lease = { claim_token: 't1', lease_epoch: 1 };

function eventOf(seq: number, type: string, jobId: string, payload: JsonObject): LedgerEvent {
  return sampleEvent(seq, { event_type: type, job_id: jobId, event_id: eventIdOf(type, jobId, seq), payload });
}
const accepted = (seq: number, jobId: string, more: JsonObject = {}): LedgerEvent =>
  eventOf(seq, 'job.accepted', jobId, {
    job_type: 'rpi.run',
    job_payload: {},
    max_attempts: 3,
    projection_targets: [],
    ...more,
  });
const claimed = (seq: number, jobId: string, more: JsonObject = {}): LedgerEvent =>
  eventOf(seq, 'job.claimed', jobId, { ...lease, lease_expires_at: '2026-01-01T00:01:00.000Z', attempt: 1, ...more });
const completed = (seq: number, jobId: string, more: JsonObject = {}): LedgerEvent =>
  eventOf(seq, 'job.completed', jobId, { ...lease, result_status: 'succeeded', ...more });

async function verify(build: (disk: MemoryDisk) => void, more: Partial<VerifyOptions> = {}): Promise<Verification> {
  const disk = new MemoryDisk();
  build(disk);
  return verifyLedger({ disk, ledgerFolder: LEDGER, home: homeA, shownFolder: '.agents/daemon/ledger', ...more });
}
const written =
  (...events: LedgerEvent[]) =>
  (disk: MemoryDisk): void => {
    const segment = new SegmentBuilder(1, homeA);
    for (const event of events) segment.events(event);
    segment.plant(disk);
  };

test('a whole ledger', async () => {
  const steps: number[] = [];
  const found = await verify(written(accepted(1, 'j', { idempotency_key: 'k' }), claimed(2, 'j'), completed(3, 'j')), {
    progress: (done) => steps.push(done),
  });
  assert.equal(found.findings, []);
  assert.equal([found.whole, found.events, found.segments, found.macsChecked], [true, 3, 1, true]);
  assert.equal(steps, [3]);
});

test('an empty one', async () => {
  const found = await verify(() => {});
  assert.equal([found.whole, found.events, found.lastEventId], [true, 0, undefined]);
});

test('a torn end is a note', async () => {
  const found = await verify((disk) => {
    const one = new SegmentBuilder(1, homeA).batches(1);
    one.plant(disk, Buffer.concat([one.bytes(), Buffer.from('{"actor":"a')]));
  });
  assert.ok(found.whole);
  assert.match(found.notes[0]?.what as string, /^a write was cut off: 11 bytes/);
});

test('damage has its file, line and repair', async () => {
  const found = await verify((disk) => {
    const one = new SegmentBuilder(1, homeA).batches(1, 1);
    one.lines[1] = 'x';
    one.plant(disk);
  });
  assert.equal([found.whole, found.findings.length], [false, 1]);
  const { file, line, repair } = found.findings[0] as Verification['findings'][number];
  assert.equal([file, line], ['000001-00000001.jsonl', 2]);
  assert.match(repair, /^git checkout -- \.agents\/daemon\/ledger\/000001-00000001\.jsonl/);
});

test('two heads are a finding', async () => {
  const found = await verify((disk) => {
    const one = new SegmentBuilder(1, homeA).batches(1);
    new SegmentBuilder(2, homeB, one.place()).batches(1).plant(disk);
    one.batches(1).plant(disk);
  });
  assert.match(found.findings[0]?.what as string, /two heads/);
});

const wrong: ReadonlyArray<[string, readonly LedgerEvent[], number, RegExp]> = [
  ['a job that nobody accepted', [claimed(1, 'j')], 2, /never accepted/],
  ['completed before it was claimed', [accepted(1, 'j'), completed(2, 'j')], 3, /state/],
  ['accepted twice', [accepted(1, 'j'), accepted(2, 'j')], 3, /state/],
  ['a stale token', [accepted(1, 'j'), claimed(2, 'j'), completed(3, 'j', { claim_token: 'other' })], 4, /claim token/],
  ['after its end', [accepted(1, 'j'), claimed(2, 'j'), completed(3, 'j'), completed(4, 'j')], 5, /state/],
  ['an unknown job type', [accepted(1, 'j', { job_type: 'nobody' })], 2, /payload/],
  [
    'one key, two jobs',
    [accepted(1, 'j', { idempotency_key: 'k' }), accepted(2, 'i', { idempotency_key: 'k' })],
    3,
    /job j/,
  ],
  ['an id twice', [accepted(1, 'j'), { ...accepted(2, 'i'), event_id: accepted(1, 'j').event_id }], 3, /event_id/],
];
for (const [name, events, line, what] of wrong) {
  test(`found by what the events say: ${name}`, async () => {
    const found = await verify(written(...events));
    assert.equal(
      found.findings.map((finding) => finding.line),
      [line],
    );
    assert.match(found.findings[0]?.what as string, what);
  });
}

test('what our home acknowledged and the ledger lacks is found, until the loss is accepted', async () => {
  const segment = new SegmentBuilder(1, homeA).events(accepted(1, 'j')).events(accepted(2, 'i'));
  const { hash } = segment.place();
  const at = (seq: number, lineHash: string, ...more: LedgerEvent[]) =>
    verify(
      (disk) => {
        const builder = new SegmentBuilder(1, homeA).events(accepted(1, 'j')).events(accepted(2, 'i'));
        for (const event of more) builder.events(event);
        builder.plant(disk);
        disk.plant('/state/anchor.json', JSON.stringify({ hash: lineHash, seq }));
      },
      { homeFolder: '/state' },
    );
  assert.ok((await at(2, hash)).whole);
  assert.ok((await at(2, hash, accepted(3, 'k'))).whole, 'the anchor is written lazily');
  for (const lacking of [await at(3, hash), await at(2, '0'.repeat(64))]) {
    assert.equal(
      lacking.findings.map(({ line }) => line),
      [4],
    );
    assert.match(lacking.findings[0]?.what as string, 'acknowledged here, is missing');
  }
  const error = (await at(9, hash)).findings[0]?.what as string;
  const adopted = eventOf(3, 'ledger.damage_adopted', '', { records: [{ segment: 's', line: 4, error }] });
  assert.ok((await at(9, hash, adopted)).whole);
});

test('events of an unknown type are no finding, foreign ones that change nothing neither', async () => {
  assert.ok((await verify(written(eventOf(1, 'made.up', 'j', {})))).whole);
  const found = await verify(written(claimed(1, 'j'), completed(2, 'j')), { home: homeB });
  assert.ok(found.whole);
});

test.run();
