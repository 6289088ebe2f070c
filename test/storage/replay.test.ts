import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { encodeHeaderLine } from '../../lib/storage/line.js';
import type { ReplayedEvent, ReplayPlan } from '../../lib/storage/replay.js';
import { planReplay, replayEvents } from '../../lib/storage/replay.js';
import type { HomeKey } from '../../lib/storage/segment-facts.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { homeA, homeB, LEDGER, patched, SegmentBuilder, sampleEvent } from '../support/segment-builder.js';

const test = suite('replay');

interface Replay {
  readonly plan: ReplayPlan;
  readonly events: readonly ReplayedEvent[];
  readonly seqs: readonly number[];
  /** `segment:line` of each damage record. */
  readonly places: readonly string[];
}
async function replay(disk: MemoryDisk, home: HomeKey | undefined = homeA): Promise<Replay> {
  const options = { disk, ledgerFolder: LEDGER, home };
  const plan = await planReplay(options);
  const events: ReplayedEvent[] = [];
  for await (const event of replayEvents(options, plan)) events.push(event);
  const places = plan.damage.map((record) => `${record.segment}:${record.segment_line}`);
  return { plan, events, seqs: events.map(({ event }) => event.seq), places };
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
const NO_DAMAGE: readonly string[] = [];

function whole({ plan, seqs, places }: Replay, count: number): void {
  assert.equal(places, NO_DAMAGE, JSON.stringify(plan.damage));
  assert.equal([plan.status, plan.twoHeads, plan.reasons, plan.claimsHeldThroughSeq], ['complete', false, [], 0]);
  assert.equal(seqs, upTo(count));
  assert.is(plan.lastSeq, count);
}
function corrupt({ plan, places }: Replay, ...expected: string[]): void {
  assert.equal(places, expected, JSON.stringify(plan.damage));
  assert.is(plan.status, 'corrupt');
  assert.is(plan.claimsHeldThroughSeq, plan.lastSeq);
}

// ---------------------------------------------------------------------------------------------------- whole ledgers
test('no folder, an empty folder and foreign files are an empty ledger', async () => {
  const disk = new MemoryDisk();
  whole(await replay(disk), 0);
  disk.plantFolder(LEDGER);
  disk.plant(`${LEDGER}/README.md`, 'x');
  const { plan } = await replay(disk);
  assert.equal(
    [plan.chain, plan.lastHash, plan.after, plan.lastUnit, plan.highestSegmentNumber],
    [[], undefined, undefined, undefined, 0],
  );
});

test('one segment: every event with its place, and where the next writer goes on', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 3, 2).plant(disk);
  const found = await replay(disk);
  whole(found, 6);
  const { plan, events } = found;
  assert.equal(
    events.map(({ segmentLine }) => segmentLine),
    [2, 3, 4, 5, 6, 7],
  );
  assert.equal(
    events.map(({ offset }) => offset),
    [2, 3, 4, 5, 6, 7].map((line) => one.startOf(line)),
  );
  assert.ok(events.every(({ ours, segment }) => ours && segment === one.name));
  assert.equal(plan.after, { segment: one.name, length: one.bytes().length });
  assert.is(plan.lastHash, one.hash);
  assert.is(plan.lastEventId, events.at(-1)?.event.event_id);
  assert.equal(plan.lastUnit, { segment: one.name, fromByte: one.startOf(6), toByte: one.bytes().length });
  assert.is(plan.chain[0]?.reading, 'trusted');
});

test('a chain of segments; a header-only head is skipped, but is what step 5 rewrites', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(2, 1).plant(disk);
  const two = new SegmentBuilder(5, homeA, one.place()).batches(1).plant(disk);
  const three = new SegmentBuilder(6, homeA, two.place()).plant(disk);
  const found = await replay(disk);
  whole(found, 4);
  assert.equal(found.plan.after, { segment: two.name, length: two.bytes().length });
  assert.is(found.plan.lastHash, two.hash);
  assert.equal(found.plan.lastUnit, { segment: three.name, fromByte: 0, toByte: three.bytes().length });
  assert.equal(found.plan.orphans, [three.name]);
  assert.equal(
    found.plan.chain.map(({ segment, firstLineNumber, firstSeq, lastSeq }) => [
      segment,
      firstLineNumber,
      firstSeq,
      lastSeq,
    ]),
    [
      [one.name, 1, 1, 3],
      [two.name, 5, 4, 4],
    ],
  );
  assert.is(found.plan.highestSegmentNumber, 6);
});

test('only headers: nothing to go on from', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).plant(disk);
  const found = await replay(disk);
  whole(found, 0);
  assert.equal([found.plan.after, found.plan.lastHash, found.plan.orphans], [undefined, undefined, [one.name]]);
});

test('a renewed writer goes on from a segment that holds its header alone', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1).plant(disk);
  const two = new SegmentBuilder(2, homeA, one.place()).plant(disk);
  const three = new SegmentBuilder(3, homeA, two.place()).batches(2).plant(disk);
  const found = await replay(disk);
  whole(found, 3);
  assert.equal([found.plan.after?.segment, found.plan.orphans], [three.name, []]);
});

test('without a home all is foreign; with another one too', async () => {
  for (const home of [undefined, homeB]) {
    const disk = new MemoryDisk();
    new SegmentBuilder(1, homeA).batches(1, 2).plant(disk);
    const options = { disk, ledgerFolder: LEDGER, home };
    const plan = await planReplay(options);
    const ours: boolean[] = [];
    for await (const event of replayEvents(options, plan)) ours.push(event.ours);
    assert.equal(ours, [false, false, false]);
    assert.is(plan.status, 'complete');
    assert.equal([plan.chain[0]?.ours, plan.chain[0]?.home], [false, 'home-a']);
  }
});

// ------------------------------------------------------------------------------------------------------------ seals
test('what stands behind a seal of the same home never counted, whatever it is', async () => {
  const tails: ReadonlyArray<(one: SegmentBuilder) => Buffer> = [
    (one) => Buffer.concat([one.bytes(), Buffer.from('garbage\n\0\0')]),
    (one) => one.batches(1, 1).bytes(),
    (one) => one.batches(1).openBatch(1).bytes().subarray(0, -9),
  ];
  for (const tail of tails) {
    const disk = new MemoryDisk();
    const one = new SegmentBuilder(1, homeA).batches(2);
    const two = new SegmentBuilder(2, homeA, one.place()).batches(1).plant(disk);
    one.plant(disk, tail(one));
    const found = await replay(disk);
    whole(found, 3);
    assert.is(found.plan.after?.segment, two.name);
    assert.equal(found.plan.torn, []);
  }
});

test('behind the seal of a header that is skipped only what is no whole batch may be cut', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1);
  new SegmentBuilder(2, homeA, one.place()).plant(disk);
  const counted = one.bytes().length;
  const wholeTo = one.batches(1).bytes().length;
  const content = one.openBatch(1).bytes();
  one.plant(disk, content);
  const found = await replay(disk);
  whole(found, 1);
  assert.is(found.plan.after?.length, counted);
  assert.equal(found.plan.torn, [{ segment: one.name, fromByte: wholeTo, toByte: content.length, ours: true }]);
});

test('another home does not seal ours: two heads, and we go on from our own', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1);
  const clone = new SegmentBuilder(2, homeB, one.place()).batches(2).plant(disk);
  one.batches(1).plant(disk);
  const found = await replay(disk);
  assert.equal([found.plan.twoHeads, found.plan.status, found.seqs], [true, 'complete', [1, 2]]);
  assert.match(found.plan.reasons[0] as string, new RegExp(clone.name));
  assert.is(found.plan.after?.segment, one.name);
  assert.equal((await replay(disk, homeB)).seqs, [1, 2, 3], 'the clone goes on from its own');
});

test('a clone that went on and came back lies on one line: the longest is the ledger, each batch by its mac', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(2).plant(disk);
  const clone = new SegmentBuilder(2, homeB, one.place()).batches(1).plant(disk);
  const found = await replay(disk);
  whole(found, 3);
  assert.equal(
    found.events.map(({ ours }) => ours),
    [true, true, false],
  );
  const back = new SegmentBuilder(3, homeA, clone.place()).batches(1).plant(disk);
  const again = await replay(disk);
  whole(again, 4);
  assert.equal(
    again.events.map(({ ours }) => ours),
    [true, true, false, true],
  );
  assert.is(again.plan.after?.segment, back.name);
});

test('a header-only head of another home is skipped too', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1);
  const clone = new SegmentBuilder(2, homeB, one.place()).plant(disk);
  one.batches(1).plant(disk);
  const found = await replay(disk);
  whole(found, 2);
  assert.not.ok(found.plan.orphans.includes(clone.name), "another home's file stays where it is");
});

test('two segments of one home with one number are two heads', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1).plant(disk);
  const two = new SegmentBuilder(2, homeA, one.place()).batches(1).plant(disk);
  const header = {
    term: 2,
    writer: 'ffffffff',
    home: homeA.id,
    opened_at: '2026-01-01T00:00:00.000Z',
    after: { segment: one.name, length: one.bytes().length },
  };
  disk.plant(`${LEDGER}/000002-ffffffff.jsonl`, `${encodeHeaderLine(header, one.hash, homeA.key)}\n`);
  const found = await replay(disk);
  assert.ok(found.plan.twoHeads);
  assert.match(found.plan.reasons[0] as string, new RegExp(two.name));
});

test('who names our home without our key neither seals ours nor is our head', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1);
  const place = one.place();
  one.batches(1).plant(disk);
  new SegmentBuilder(999, { id: homeA.id, key: homeB.key }, place).batches(1).plant(disk);
  const found = await replay(disk);
  assert.equal([found.plan.twoHeads, found.seqs, found.plan.after?.segment], [true, [1, 2], one.name]);
  assert.ok(found.events.every(({ ours }) => ours));
});

test('events of a forged segment that goes on from our head are shown, but never ours', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1).plant(disk);
  new SegmentBuilder(2, { id: homeA.id, key: homeB.key }, one.place()).batches(1).plant(disk);
  const found = await replay(disk);
  whole(found, 2);
  assert.equal(
    found.events.map(({ ours }) => ours),
    [true, false],
  );
  assert.is(found.plan.chain[1]?.home, 'forged:home-a');
});

// -------------------------------------------------------------------------------------------------------- torn ends
const tornTails: ReadonlyArray<[string, (text: Buffer, from: number) => Buffer]> = [
  ['the line is cut short', (text, from) => text.subarray(0, from + 40)],
  ['one byte of it', (text, from) => text.subarray(0, from + 1)],
  ['all but the newline', (text) => text.subarray(0, -1)],
  ['the first line zero, the commit there', (text, from) => patched(text, from, Buffer.alloc(50))],
  ['all zero', (text, from) => patched(text, from, Buffer.alloc(text.length - from))],
  ['the newline in between zero', (text, from) => patched(text, text.indexOf('\n', from) - 20, Buffer.alloc(60))],
  ['the end zero', (text) => patched(text, text.length - 70, Buffer.alloc(70))],
];
for (const [name, tear] of tornTails) {
  test(`torn end: ${name}`, async () => {
    for (const home of [homeA, homeB]) {
      const disk = new MemoryDisk();
      const one = new SegmentBuilder(1, homeA).batches(1, 2);
      const from = one.bytes().length;
      const content = tear(one.batches(2).bytes(), from);
      one.plant(disk, content);
      const found = await replay(disk, home);
      whole(found, 3);
      assert.equal(found.plan.torn, [
        { segment: one.name, fromByte: from, toByte: content.length, ours: home === homeA },
      ]);
      assert.equal(found.plan.after, { segment: one.name, length: from });
      assert.equal(found.plan.lastUnit, { segment: one.name, fromByte: one.startOf(3), toByte: from });
    }
  });
}

test('lines without their commit are a torn end', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1);
  const from = one.bytes().length;
  one.openBatch(2).plant(disk);
  const found = await replay(disk);
  whole(found, 1);
  assert.is(found.plan.torn[0]?.fromByte, from);
});

test('a torn first batch, behind a header', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(2).plant(disk);
  const two = new SegmentBuilder(2, homeA, one.place());
  const from = two.bytes().length;
  two.batches(2).plant(disk, patched(two.bytes(), from, Buffer.alloc(30)));
  const found = await replay(disk);
  whole(found, 2);
  assert.equal(found.plan.after, { segment: one.name, length: one.bytes().length });
  assert.equal(found.plan.lastUnit, { segment: two.name, fromByte: 0, toByte: from });
  assert.is(found.plan.torn[0]?.fromByte, from);
});

test('a segment of ours that the chain passes by stays where it is once an event stands in it', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1).plant(disk);
  new SegmentBuilder(2, homeA, one.place()).batches(1).plant(disk);
  new SegmentBuilder(3, homeA, one.place()).batches(1).plant(disk);
  const found = await replay(disk);
  whole(found, 2);
  assert.equal(found.plan.orphans, []);
});

test('a file without a valid header is set aside', async () => {
  for (const content of ['', '{"schema', 'garbage\n', '\0\0\0\0']) {
    const disk = new MemoryDisk();
    new SegmentBuilder(1, homeA).batches(1).plant(disk);
    disk.plant(`${LEDGER}/000002-00000002.jsonl`, content);
    const found = await replay(disk);
    whole(found, 1);
    assert.equal(found.plan.orphans, ['000002-00000002.jsonl']);
    assert.is(found.plan.highestSegmentNumber, 2);
  }
});

// ------------------------------------------------------------------------------------------------------- corruption
test('zeros are corruption as soon as a whole batch stands behind them', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 1, 1);
  one.plant(disk, patched(one.bytes(), one.startOf(3) + 5, Buffer.alloc(40)));
  const found = await replay(disk);
  corrupt(found, `${one.name}:3`);
  assert.equal(found.seqs, [1, 3]);
});

test('the last whole batch does not hide that the one before it is zero', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 2, 1);
  one.plant(disk, patched(one.bytes(), one.startOf(3), Buffer.alloc(one.startOf(5) - one.startOf(3))));
  const found = await replay(disk);
  corrupt(found, `${one.name}:3`);
  assert.equal([found.seqs, found.plan.torn], [[1, 4], []]);
});

test('zeros that reach from a whole batch into the last one are no torn end: its commit tells where it began', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 1, 2);
  one.plant(disk, patched(one.bytes(), one.startOf(3), Buffer.alloc(one.startOf(5) - one.startOf(3))));
  const found = await replay(disk);
  corrupt(found, `${one.name}:3`);
  assert.equal([found.seqs, found.plan.torn], [[1, 4], []]);
});

const alterations: ReadonlyArray<[string, (line: string) => string]> = [
  ['not JSON', () => 'xyz'],
  ['lacks a member', (line) => line.replace(/"actor":"[^"]*",?/, '')],
  ['another value', (line) => line.replace('goal', 'gaol')],
  ['not canonical', (line) => line.replace('{"actor"', '{ "actor"')],
  [
    'a header',
    () =>
      encodeHeaderLine(
        { term: 9, writer: '00000009', home: 'x', opened_at: '2026-01-01T00:00:00.000Z' },
        undefined,
        homeB.key,
      ),
  ],
  ['longer, well formed', (line) => line.replace('goal', 'goooooooal')],
];
for (const [name, alter] of alterations) {
  test(`an altered line is told at its own place: ${name}`, async () => {
    for (const at of [2, 3, 4, 5, 6, 7]) {
      const disk = new MemoryDisk();
      const one = new SegmentBuilder(1, homeA).batches(1, 3, 1, 1);
      one.lines[at - 1] = alter(one.lines[at - 1] as string);
      one.plant(disk);
      const found = await replay(disk);
      corrupt(found, `${one.name}:${at}`);
      const kept = upTo(6).filter((seq) => found.seqs.includes(seq));
      assert.equal(found.seqs, kept);
      assert.ok(found.seqs.length >= 5, 'every readable event is kept');
      assert.is(found.plan.damage[0]?.line_number, at);
      assert.not.ok(
        found.events.some(({ event, ours }) => ours && JSON.stringify(event).match(/gaol|goooo/)),
        'an altered event is never ours',
      );
    }
  });
}

test('an altered prev_hash is told at its own line, not at the line before', async () => {
  for (const at of [2, 3, 4, 5]) {
    const disk = new MemoryDisk();
    const one = new SegmentBuilder(1, homeA).batches(1, 3);
    one.lines[at - 1] = (one.lines[at - 1] as string).replace(
      /"prev_hash":"../,
      '"prev_hash":"zz'.replace('zz', one.lines[at - 1]?.includes('"prev_hash":"00') ? '11' : '00'),
    );
    one.plant(disk);
    corrupt(await replay(disk), `${one.name}:${at}`);
  }
});

test('a removed line, two lines exchanged, a line twice', async () => {
  const damage: ReadonlyArray<[(lines: string[]) => void, number]> = [
    [(lines) => lines.splice(2, 1), 2],
    [(lines) => lines.splice(2, 2, lines[3] as string, lines[2] as string), 2],
    [(lines) => lines.splice(2, 0, lines[2] as string), 3],
  ];
  for (const [damaging, firstLine] of damage) {
    const disk = new MemoryDisk();
    const one = new SegmentBuilder(1, homeA).batches(1, 1, 1, 1);
    damaging(one.lines);
    one.plant(disk);
    const { plan } = await replay(disk);
    assert.is(plan.status, 'corrupt');
    assert.is(plan.damage[0]?.segment_line, firstLine, JSON.stringify(plan.damage));
  }
});

test('an event whose seq does not follow is damage', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1).events(sampleEvent(3)).plant(disk);
  const found = await replay(disk, homeB);
  corrupt(found, `${one.name}:3`);
});

test('in a sealed part: told once, and told again at every later start', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 1, 2);
  const two = new SegmentBuilder(2, homeA, one.place()).batches(1).plant(disk);
  one.lines[2] = 'xyz';
  one.plant(disk);
  const found = await replay(disk);
  corrupt(found, `${one.name}:3`);
  assert.equal(found.seqs, [1, 3, 4, 5]);
  const { after, lastHash, lastSeq } = found.plan;
  assert.is(after?.segment, two.name);
  const place = { segment: two.name, length: after?.length as number, hash: lastHash as string, seq: lastSeq };
  new SegmentBuilder(3, homeA, place).batches(1).plant(disk);
  const later = await replay(disk);
  corrupt(later, `${one.name}:3`);
  assert.equal(later.seqs, [1, 3, 4, 5, 6]);
  assert.equal(
    later.events.map(({ ours }) => ours),
    [true, true, true, true, true],
  );
});

test('a new writer behind a damaged last line seals the damage, and it stays told', async () => {
  for (const last of ['xyz', undefined]) {
    const disk = new MemoryDisk();
    const one = new SegmentBuilder(1, homeA).batches(1, 1);
    one.lines[2] = last ?? (one.lines[2] as string).replace('goal', 'gaol');
    one.plant(disk);
    const found = await replay(disk);
    corrupt(found, `${one.name}:3`);
    const { after, lastHash } = found.plan;
    new SegmentBuilder(2, homeA, {
      segment: one.name,
      length: after?.length as number,
      hash: lastHash as string,
      seq: found.plan.lastSeq,
    })
      .batches(1)
      .plant(disk);
    corrupt(await replay(disk), `${one.name}:3`);
  }
});

test('a sealed part that is cut short is told where it ends', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 1, 1);
  new SegmentBuilder(2, homeA, one.place()).batches(1).plant(disk);
  one.plant(disk, one.bytes().subarray(0, one.startOf(4)));
  const found = await replay(disk);
  corrupt(found, `${one.name}:4`);
  assert.equal(found.seqs, [1, 2, 4]);
});

test('a sealed part that is cut to its header is told, also where only a header without events goes on from it', async () => {
  for (const headHasEvents of [true, false]) {
    const disk = new MemoryDisk();
    const one = new SegmentBuilder(1, homeA).batches(2, 1).plant(disk);
    const two = new SegmentBuilder(2, homeA, one.place()).batches(2, 1).plant(disk);
    const three = new SegmentBuilder(3, homeA, two.place());
    (headHasEvents ? three.batches(1) : three).plant(disk);
    disk.fileAt(`${LEDGER}/${two.name}`)?.tamper({ sizeBytes: two.startOf(2) });
    const found = await replay(disk);
    corrupt(found, `${two.name}:2`);
    assert.match(found.plan.damage[0]?.error ?? '', /^the file ends at byte \d+, but .* goes on from byte \d+$/);
    assert.equal(found.seqs, headHasEvents ? [1, 2, 3, 7] : [1, 2, 3]);
  }
});

test('what would be torn in a head is damage in a sealed part', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 2);
  new SegmentBuilder(2, homeA, one.place()).batches(1).plant(disk);
  one.plant(disk, patched(one.bytes(), one.startOf(3), Buffer.alloc(60)));
  const found = await replay(disk);
  corrupt(found, `${one.name}:3`);
  assert.equal([found.seqs, found.plan.torn], [[1, 3, 4], []]);
  one.plant(disk, one.bytes().subarray(0, one.startOf(4) + 30));
  corrupt(await replay(disk), `${one.name}:4`);
});

test('a missing segment is told where it stood', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 1).plant(disk);
  const two = new SegmentBuilder(2, homeA, one.place()).batches(2);
  const three = new SegmentBuilder(3, homeA, two.place()).batches(1).plant(disk);
  const found = await replay(disk);
  corrupt(found, `${two.name}:1`);
  assert.equal(found.seqs, [1, 2, 5]);
  assert.is(found.plan.damage[0]?.line_number, 4);
  assert.is(found.plan.after?.segment, three.name);
});

test('a damaged header with events behind it, in the midst and at the end', async () => {
  for (const last of [false, true]) {
    const disk = new MemoryDisk();
    const one = new SegmentBuilder(1, homeA).batches(1).plant(disk);
    const two = new SegmentBuilder(2, homeA, one.place()).batches(2);
    if (!last) new SegmentBuilder(3, homeA, two.place()).batches(1).plant(disk);
    two.lines[0] = 'xyz';
    const shift = (two.lines[0] as string).length;
    assert.ok(shift > 0);
    two.plant(disk);
    const found = await replay(disk);
    corrupt(found, `${two.name}:1`);
    assert.equal(found.seqs, upTo(last ? 3 : 4));
  }
});

test('an altered header is told, and what stands under it keeps its owner', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1).plant(disk);
  const two = new SegmentBuilder(2, homeA, one.place()).batches(1);
  new SegmentBuilder(3, homeA, two.place()).batches(1).plant(disk);
  two.lines[0] = (two.lines[0] as string).replace('"opened_at":"2026', '"opened_at":"2027');
  two.plant(disk);
  const found = await replay(disk);
  corrupt(found, `${two.name}:1`);
  assert.equal(
    found.events.map(({ ours }) => ours),
    [true, true, true],
  );
});

test('a segment under the name of another is told', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1);
  disk.plant(`${LEDGER}/000002-00000009.jsonl`, one.bytes());
  corrupt(await replay(disk), '000002-00000009.jsonl:1');
});

test('an event of unknown type or with an odd payload is no damage', async () => {
  const disk = new MemoryDisk();
  new SegmentBuilder(1, homeA)
    .events(sampleEvent(1, { event_type: 'made.up' }), sampleEvent(2, { payload: { job_type: 'nobody' } }))
    .plant(disk);
  whole(await replay(disk), 2);
});

test('altered events of another home, as far as the chain can tell', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeB).batches(1, 1, 1);
  one.lines[2] = (one.lines[2] as string).replace('goal', 'gaol');
  one.plant(disk);
  corrupt(await replay(disk), `${one.name}:3`);
});

test('the last line of another home, altered, is told by the header of ours that goes on from it', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeB).batches(1, 1);
  const two = new SegmentBuilder(2, homeA, one.place()).batches(1).plant(disk);
  one.lines[2] = (one.lines[2] as string).replace('goal', 'gaol');
  one.plant(disk);
  const found = await replay(disk);
  corrupt(found, `${one.name}:3`);
  assert.match(found.plan.damage[0]?.error ?? '', two.name);
});

test('line numbers run over all segments as cat prints them', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 2).plant(disk);
  const two = new SegmentBuilder(2, homeA, one.place()).batches(1, 1);
  two.lines[2] = 'xyz';
  two.plant(disk);
  const { plan } = await replay(disk);
  assert.equal([plan.damage[0]?.line_number, plan.damage[0]?.segment_line], [7, 3]);
});

// ------------------------------------------------------------------------------------------------------ newer, races
async function newerError(disk: MemoryDisk): Promise<AgentopsdError> {
  try {
    await replay(disk);
  } catch (error) {
    assert.instance(error, AgentopsdError);
    return error as AgentopsdError;
  }
  throw new Error('it was not refused');
}

test('a newer schema_version is refused, with its place', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1).plant(disk);
  disk.plant(`${LEDGER}/000002-00000002.jsonl`, '{"schema_version":2,"segment":{"new":true}}\n');
  const error = await newerError(disk);
  assert.is(error.code, 'ledger_newer');
  assert.match(error.message, /000002-00000002\.jsonl:1/);
  disk.unplant(`${LEDGER}/000002-00000002.jsonl`);
  disk.plant(`${LEDGER}/${one.name}`, `${one.text()}{"schema_version":3}\n`);
  assert.match((await newerError(disk)).message, /:3 has schema_version 3/);
});

test('the commit of the last batch is altered: what stands before it in the batch counts, and is gone on from', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(2, 3);
  const commit = one.startOf(6) + (one.lines[5] ?? '').indexOf('commit');
  one.plant(disk, patched(one.bytes(), commit, 'C'));
  const found = await replay(disk);
  corrupt(found, `${one.name}:6`);
  assert.equal(found.seqs, [1, 2, 3, 4]);
  assert.is(found.plan.lastSeq, 4);
  assert.is(found.plan.lastEventId, found.events.at(-1)?.event.event_id);
});

test('a missing segment that a header without events goes on from: what lies before it is kept', async () => {
  for (const eventsBehind of [0, 2]) {
    const disk = new MemoryDisk();
    const one = new SegmentBuilder(1, homeA).batches(2).plant(disk);
    const two = new SegmentBuilder(2, homeA, one.place()).batches(1);
    const three = new SegmentBuilder(3, homeA, two.place()).plant(disk);
    const four = new SegmentBuilder(4, homeA, three.place());
    if (eventsBehind > 0) four.batches(eventsBehind).plant(disk);
    const found = await replay(disk);
    assert.is(found.plan.status, 'corrupt');
    assert.is(found.plan.damage[0]?.segment, two.name);
    assert.equal(found.seqs, [1, 2, ...upTo(eventsBehind).map((seq) => seq + 3)]);
  }
});

test('a flipped schema_version is no newer version where the chain contradicts it', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1, 1, 1);
  one.lines[2] = (one.lines[2] as string).replace('"schema_version":1', '"schema_version":3');
  one.plant(disk);
  corrupt(await replay(disk), `${one.name}:3`);
});

test('a file that vanishes while it is read: listed anew, but not for a writer', async () => {
  const disk = new MemoryDisk();
  new SegmentBuilder(1, homeA).batches(1).plant(disk);
  const gone = `${LEDGER}/000002-00000002.jsonl`;
  const vanish = (): void => {
    disk.plant(gone, '');
    disk.beforeCall = (call, path) => void (call === 'open' && path === gone && disk.unplant(gone));
  };
  vanish();
  whole(await replay(disk), 1);
  vanish();
  const names = ['000001-00000001.jsonl', '000002-00000002.jsonl'];
  const error = await planReplay({ disk, ledgerFolder: LEDGER, home: homeA, names }).catch(
    (one: { errno?: string }) => one.errno,
  );
  assert.is(error, 'ENOENT');
});

test('reading changes nothing', async () => {
  const disk = new MemoryDisk();
  const one = new SegmentBuilder(1, homeA).batches(1);
  one.plant(disk, Buffer.concat([one.bytes(), Buffer.from('{"act')]));
  const before = disk.contentOf(`${LEDGER}/${one.name}`);
  disk.beforeCall = (call) => assert.ok(['open', 'read', 'close', 'facts', 'list'].includes(call), call);
  await replay(disk);
  assert.equal(disk.contentOf(`${LEDGER}/${one.name}`), before);
});

test.run();
