/**
 * Checkpoints and the end of segments: with or without a checkpoint an opening comes to the same state, byte for byte,
 * and to the same answers about old events; one that can't be believed is passed over.
 */
import { createHmac } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import { REDUCER_VERSION } from '../../lib/model/job-text.js';
import { State } from '../../lib/model/state.js';
import type { FileLedgerOptions } from '../../lib/storage/file-ledger.js';
import { openHome } from '../../lib/storage/home.js';
import { verifyLedger } from '../../lib/storage/verify.js';
import { lifeOfJobs } from '../bench/ledger-generator.js';
import { bytesOf, folding } from '../support/folding-observer.js';
import { type LedgerPlace, makeLedgerPlace, openAs, until } from '../support/ledger-place.js';
import { allKept, allLost, chanceChoice, MemoryDisk } from '../support/memory-disk.js';
import { mortal } from '../support/mortal-disk.js';
import { chance, seededRandom, TestClock } from '../support/test-clock.js';

const test = suite<{ place: LedgerPlace }>('checkpoint');
const life = [...lifeOfJobs(1_000)];
const SMALL = 20_000;

async function open(place: LedgerPlace, more: Partial<FileLedgerOptions> = {}) {
  const observer = folding();
  const opened = await place.open({ segmentBytes: SMALL, ...more, observer });
  const append = async (events: readonly LedgerEvent[], atOnce = 7): Promise<void> => {
    for (let at = 0; at < events.length; at += atOnce) await opened.ledger.append(events.slice(at, at + atOnce));
  };
  return { ...opened, observer, append };
}

async function linesRead(ledger: { read(from: number): AsyncIterable<unknown> }, from = 1): Promise<string> {
  const lines: string[] = [];
  for await (const one of ledger.read(from)) lines.push(JSON.stringify(one));
  return lines.join('\n');
}

const folderOf = (place: LedgerPlace): string => join(place.home.folder, 'checkpoints');
const names = async (place: LedgerPlace): Promise<string[]> => (await readdir(folderOf(place))).sort();

/** A ledger of so many events in one segment, cleanly stopped. */
async function written(place: LedgerPlace, events: number): Promise<{ name: string; path: string; content: string }> {
  const { ledger, append } = await open(place);
  await append(life.slice(0, events));
  const { name } = ledger.segment;
  await ledger.close();
  const path = join(place.layout.ledger, name);
  return { name, path, content: await readFile(path, 'utf8') };
}

/** Opens once with the checkpoints there and once without, and shows that nothing tells the two apart. */
async function sameWithout(place: LedgerPlace, more: Partial<FileLedgerOptions> = {}): Promise<number> {
  const one = await open(place, more);
  const [bytes, lines, health] = [bytesOf(one.observer.state), await linesRead(one.ledger), one.ledger.health().damage];
  const { replayed } = one.observer;
  await one.ledger.close();
  await rm(folderOf(place), { recursive: true, force: true });
  const other = await open(place, more);
  assert.is(other.observer.replayed, other.ledger.lastSeq());
  assert.is(bytesOf(other.observer.state), bytes);
  assert.is(await linesRead(other.ledger), lines);
  assert.equal(other.ledger.health().damage, health);
  await other.ledger.close();
  return replayed;
}

test.before.each(async (context) => {
  context.place = await makeLedgerPlace();
});
test.after.each(async ({ place }) => place.remove());

test('a clean stop leaves a checkpoint, and the next opening tells no event', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 300));
  await first.ledger.close();
  assert.equal((await names(place)).at(-1), '000000000000300.checkpoint');
  const second = await open(place);
  assert.is(second.observer.replayed, 0);
  assert.is(second.ledger.lastSeq(), 300);
  assert.is(bytesOf(second.observer.state), bytesOf(first.observer.state));
  await second.append(life.slice(300, 310));
  await second.ledger.close();
  assert.is(await sameWithout(place), 0);
});

test('segments end at their size; each is one term further, and sealed by the next', async ({ place }) => {
  const { ledger, append, writer } = await open(place);
  await append(life.slice(0, 600));
  const segments = (await readdir(place.layout.ledger)).sort();
  assert.ok(segments.length > 5);
  const headers = await Promise.all(
    segments.map(async (name) => {
      const text = await readFile(join(place.layout.ledger, name), 'utf8');
      return { name, bytes: Buffer.byteLength(text), header: JSON.parse(text.slice(0, text.indexOf('\n'))) };
    }),
  );
  headers.forEach(({ name, header, bytes }, at) => {
    assert.is(header.segment.term, writer.term + at);
    assert.ok(name.startsWith(String(header.segment.term).padStart(6, '0')));
    const before = headers[at - 1];
    assert.equal(header.segment.after, before && { segment: before.name, length: before.bytes });
    if (at < headers.length - 1) assert.ok(bytes >= SMALL && bytes < SMALL + 7 * 1_000);
  });
  const disk = (await import('../../lib/storage/node-disk.js')).createNodeDisk();
  const found = await verifyLedger({ disk, ledgerFolder: place.layout.ledger, home: place.home });
  assert.equal([found.whole, found.events, found.segments], [true, 600, segments.length]);
  await ledger.close();
});

test('reads go across segments, whatever was asked for', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 900));
  const whole = await linesRead(first.ledger);
  assert.is(whole.split('\n').length, 900);
  await first.ledger.close();
  const second = await open(place);
  assert.is(await linesRead(second.ledger), whole);
  for (const from of [1, 2, 255, 256, 257, 300, 899, 900, 901]) {
    const lines = await linesRead(second.ledger, from);
    assert.is(
      lines,
      whole
        .split('\n')
        .slice(from - 1)
        .join('\n'),
      `from ${from}`,
    );
  }
  await second.ledger.close();
});

test('limits.keptCheckpoints: each end of a segment leaves a checkpoint; only the newest stay', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 600));
  await first.ledger.close();
  const left = await names(place);
  assert.is(left.length, limits.keptCheckpoints);
  assert.is(left.at(-1), '000000000000600.checkpoint');
  // As after kill -9: the newest is the one of the last end of a segment.
  await rm(join(folderOf(place), left.at(-1) as string));
  const second = await open(place);
  const told = second.observer.replayed;
  assert.ok(told > 0 && told < 600, `told ${told}`);
  assert.is(bytesOf(second.observer.state), bytesOf(first.observer.state));
  await second.ledger.close();
});

test('with or without checkpoints the state is the same, wherever they stand', async ({ place }) => {
  let from = 0;
  for (const [count, verifiedAtOnceBytes] of [
    [50, 0],
    [3, 1e9],
    [200, 0],
    [0, 0],
    [111, 0],
    [80, 1e9],
  ] as const) {
    const { ledger, append } = await open(place, { verifiedAtOnceBytes });
    await append(life.slice(from, from + count), 1 + (count % 5));
    from += count;
    await ledger.close();
  }
  assert.is(await sameWithout(place, { verifiedAtOnceBytes: 0 }), 0);
});

const spoiled: [string, (bytes: Buffer, key: Uint8Array) => Buffer, RegExp][] = [
  ['truncated', (bytes) => bytes.subarray(0, bytes.length - 100), /checkpoint .* is passed over/],
  ['empty', () => Buffer.alloc(0), /cut short/],
  ['of zeros', (bytes) => Buffer.alloc(bytes.length), /another form/],
  [
    'of another form',
    (bytes) => Buffer.concat([Buffer.from('agentopsd checkpoint 2\n'), bytes.subarray(23)]),
    /another form/,
  ],
  ['flipped in a page', (bytes) => flipped(bytes, 1_000), /mac does not verify|can't be read/],
  ['flipped in its contents', (bytes) => flipped(bytes, bytes.length - 60), /passed over/],
  ['flipped in its mac', (bytes) => flipped(bytes, bytes.length - 1), /mac does not verify/],
  [
    'of another reducer',
    (bytes, key) => resigned(bytes, key, `"reducer":"${REDUCER_VERSION}"`, '"reducer":"0"'),
    /reducer 0/,
  ],
  ['of another home', (bytes) => resigned(bytes, Buffer.alloc(32), '', ''), /mac does not verify/],
];

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

function resigned(bytes: Buffer, key: Uint8Array, from: string, to: string): Buffer {
  const text = bytes.subarray(0, -32).toString('latin1').replace(from, to);
  const body = Buffer.from(text, 'latin1');
  return Buffer.concat([body, createHmac('sha256', key).update(body).digest()]);
}

for (const [what, spoil, told] of spoiled) {
  test(`a checkpoint ${what} is passed over and told, and nothing else changes`, async ({ place }) => {
    const first = await open(place);
    await first.append(life.slice(0, 40));
    await first.ledger.close();
    const path = join(folderOf(place), (await names(place)).at(-1) as string);
    await writeFile(path, spoil(await readFile(path), place.home.key));
    const second = await open(place);
    assert.is(second.observer.replayed, 40);
    assert.ok(
      second.said.some((line) => told.test(line)),
      second.said.join('\n'),
    );
    assert.is(bytesOf(second.observer.state), bytesOf(first.observer.state));
    assert.equal(second.ledger.health().damage, []);
    await second.ledger.close();
  });
}

test('a checkpoint of another history is passed over', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 30));
  await first.ledger.close();
  const saved = await readFile(join(folderOf(place), '000000000000030.checkpoint'));
  const other = await makeLedgerPlace();
  try {
    const one = await open(other);
    await one.append(life.slice(3, 27).map((event, at) => ({ ...event, seq: at + 1 })));
    await one.ledger.close();
    await writeFile(join(folderOf(other), '000000000000030.checkpoint'), saved);
    const two = await open(other);
    assert.is(two.ledger.lastSeq(), 24);
    assert.ok(two.said.some((line) => /passed over: it is of another home/.test(line)));
    await two.ledger.close();
  } finally {
    await other.remove();
  }
});

test('an older state of the ledger does not get the state of a newer one', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 20));
  await first.ledger.close();
  const second = await open(place);
  await second.append(life.slice(20, 60));
  const { name } = second.ledger.segment;
  await second.ledger.close();
  // As `git checkout` of an earlier commit does it.
  await rm(join(place.layout.ledger, name));
  const third = await open(place);
  assert.is(third.ledger.lastSeq(), 20);
  assert.is(third.observer.state.lastSeq, 20);
  assert.ok(third.ledger.health().damage.length > 0);
  await third.ledger.close();
  assert.equal(await names(place), ['000000000000020.checkpoint', '000000000000060.checkpoint']);
});

test('damage is found with a checkpoint as without one, and ends the use of checkpoints', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 60));
  await first.ledger.close();
  await alter(place, '"number":3');
  const second = await open(place);
  assert.is(second.ledger.health().damage.length, 1);
  assert.is(second.ledger.health().claimsHeldThroughSeq, 60);
  assert.is(second.observer.replayed, 60);
  await second.ledger.close();
  assert.equal(await names(place), []);
});

test('what a large checkpoint covers is verified behind, and told until it is', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 300));
  await first.ledger.close();
  const second = await open(place, { verifiedAtOnceBytes: 0 });
  assert.is(second.observer.replayed, 0);
  assert.is(second.ledger.health().verifiedThroughSeq, 0);
  await until('all is verified', () => second.ledger.health().verifiedThroughSeq === undefined);
  assert.equal(second.ledger.health().damage, []);
  await second.ledger.close();
});

test('damage that is found behind is told, holds claims, and takes the checkpoints away', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 300));
  await first.ledger.close();
  await alter(place, '"number":3');
  const second = await open(place, { verifiedAtOnceBytes: 0 });
  assert.is(second.observer.replayed, 0);
  await until('the damage is told', () => second.ledger.health().damage.length > 0);
  const { damage, claimsHeldThroughSeq } = second.ledger.health();
  assert.equal([damage.length, damage[0]?.segment_line, claimsHeldThroughSeq], [1, 5, 300]);
  await until('it is through', () => second.ledger.health().verifiedThroughSeq === undefined);
  assert.ok(second.ledger.health().damage[0]?.quarantine_path !== undefined);
  await second.append(life.slice(300, 310));
  await second.ledger.close();
  assert.equal(await names(place), []);
  const third = await open(place, { verifiedAtOnceBytes: 0 });
  assert.is(third.observer.replayed, 310);
  assert.equal(
    third.ledger.health().damage.map(({ segment_line }) => segment_line),
    [5],
  );
  await third.ledger.close();
});

test('a line behind a checkpoint, altered to a newer version, is told, and claims are held', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 300));
  await first.ledger.close();
  // The last of a segment: no line behind it says that it was altered.
  const [oldest = ''] = (await readdir(place.layout.ledger)).sort();
  const path = join(place.layout.ledger, oldest);
  const content = await readFile(path, 'utf8');
  const at = content.lastIndexOf('"schema_version":1');
  await writeFile(path, `${content.slice(0, at)}"schema_version":2${content.slice(at + 18)}`);
  const second = await open(place, { verifiedAtOnceBytes: 0 });
  await until('it is told', () => second.ledger.health().damage.length > 0);
  const { damage, claimsHeldThroughSeq } = second.ledger.health();
  assert.match(damage[0]?.error as string, 'schema_version 2');
  const lines = content.split('\n').length - 1;
  assert.equal([damage[0]?.line_number, damage[0]?.segment_line, claimsHeldThroughSeq], [lines, lines, 300]);
  await second.ledger.close();
  assert.equal(await names(place), []);
});

// What can't be read at the very end is lacking too: nobody knows which event it was.
for (const [what, told, put] of [
  ['altered', 1, (line: string) => line.replace(/"occurred_at":"\d/, '"occurred_at":"9')],
  ['no line any more', 2, (line: string) => line.replace(/}\n$/, '}!')],
] as const)
  test(`the anchored event in what is verified behind, ${what}: everything is verified at once, and it is damage`, async ({
    place,
  }) => {
    const { name, path, content } = await written(place, 300);
    const at = content.lastIndexOf('\n', content.length - 2) + 1;
    await writeFile(path, content.slice(0, at) + put(content.slice(at)));
    const { ledger } = await open(place, { verifiedAtOnceBytes: 0 });
    const { damage, claimsHeldThroughSeq, verifiedThroughSeq } = ledger.health();
    assert.is(verifiedThroughSeq, undefined);
    assert.is(damage.length, told);
    const last = content.split('\n').length - 1;
    for (const { segment, segment_line } of damage) assert.equal([segment, segment_line], [name, last]);
    assert.not.match(damage[0]?.error as string, 'is missing');
    assert.is(claimsHeldThroughSeq, ledger.lastSeq());
    await ledger.close();
  });

test('the last line, lost behind a checkpoint and anchored nowhere: what it said is in the state, and held', async ({
  place,
}) => {
  const { path, content } = await written(place, 300);
  await rm(join(place.home.folder, 'anchor.json'));
  await writeFile(path, content.replace(/}\n$/, '!\n'));
  const { ledger } = await open(place, { verifiedAtOnceBytes: 0 });
  await until('it is told', () => ledger.health().damage.length > 0);
  assert.is(ledger.lastSeq(), 300);
  assert.is(ledger.health().claimsHeldThroughSeq, 300);
  await ledger.close();
});

test('a verification that is not through ends with the daemon', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 600));
  await first.ledger.close();
  const second = await open(place, { verifiedAtOnceBytes: 0 });
  await second.ledger.close();
  assert.is((await names(place)).length, 2);
});

test('events that do not hold are told to nobody who keeps them', async ({ place }) => {
  const first = await open(place);
  await first.append(life.slice(0, 300));
  await first.ledger.close();
  await rm(folderOf(place), { recursive: true });
  // Whole segments stand before it: what was told of them while nobody knew of the damage must not be told twice.
  await alter(place, '"number":90');
  const second = await open(place);
  const plain = new State();
  for await (const { event, ours } of second.ledger.read(1)) plain.apply(event, ours);
  assert.is(bytesOf(second.observer.state), bytesOf(plain));
  assert.ok(second.ledger.health().damage.length > 0);
  await second.ledger.close();
});

/** Changes one digit of the oldest line that holds `text`. */
async function alter(place: LedgerPlace, text: string): Promise<void> {
  for (const name of (await readdir(place.layout.ledger)).sort()) {
    const path = join(place.layout.ledger, name);
    const content = await readFile(path, 'utf8');
    if (!content.includes(text)) continue;
    await writeFile(path, content.replace(text, `${text.slice(0, -1)}${(Number(text.at(-1)) + 1) % 10}`));
    return;
  }
  throw new Error(`no line holds ${text}`);
}

// ----------------------------------------------------------------------------------------- a crash before every call

const ROOT = '/repository';
const STATE = { AGENTOPSD_STATE_DIR: '/state' };
const forEver = new Promise<never>(() => undefined);

/** Opens, writes across the ends of segments, stops; dies before the given call. Answers what was acknowledged. */
async function lifeOf(disk: MemoryDisk, seed: number, lives: number): Promise<{ acknowledged: number; died: boolean }> {
  let acknowledged = 0;
  let tellDeath: (died: true) => void = () => undefined;
  const death = new Promise<true>((resolve) => {
    tellDeath = resolve;
  });
  const own = mortal(disk, lives, () => tellDeath(true));
  const live = async (): Promise<false> => {
    const random = seededRandom(seed);
    const home = await openHome({ disk: own, random, root: ROOT, env: STATE });
    const at = { disk: own, clock: new TestClock(), random, root: ROOT, home, observer: folding() };
    const { ledger } = await openAs({ ...at, segmentBytes: 3_000, verifiedAtOnceBytes: 0 });
    for (let round = 0; round < 6; round++) {
      const from = ledger.lastSeq();
      await ledger.append(life.slice(from, from + 3));
      acknowledged = from + 3;
    }
    await ledger.close();
    return false;
  };
  const ended = await Promise.race([live().catch(() => forEver), death]);
  return { acknowledged, died: ended };
}

test('a crash before every call, at the ends of segments and while checkpoints are written, loses nothing', async () => {
  const fates = [allLost, allKept, chanceChoice(chance(7))];
  let crashes = 0;
  for (let lives = 20; ; lives += 3) {
    const disk = new MemoryDisk();
    disk.plantFolder(ROOT);
    await lifeOf(disk, 1, Number.POSITIVE_INFINITY);
    const { acknowledged, died } = await lifeOf(disk, 2 + lives, lives);
    if (!died) break;
    crashes += 1;
    const fate = fates[crashes % 4];
    if (fate === undefined) disk.killProcess();
    else disk.losePower(fate);
    const random = seededRandom(lives);
    const home = await openHome({ disk, random, root: ROOT, env: STATE });
    const at = { disk, clock: new TestClock(), random, root: ROOT, home, segmentBytes: 3_000 };
    const observer = folding();
    const { ledger, said } = await openAs({ ...at, observer });
    assert.ok(ledger.lastSeq() >= Math.max(18, acknowledged), `lost after ${lives} calls: ${said.join('; ')}`);
    assert.equal(ledger.health().damage, [], `damage after ${lives} calls`);
    const straight = new State();
    for await (const { event, ours } of ledger.read(1)) straight.apply(event, ours);
    assert.is(straight.lastSeq, ledger.lastSeq());
    assert.is(bytesOf(observer.state), bytesOf(straight), `another state after ${lives} calls`);
    await ledger.close();
  }
  assert.ok(crashes > 50, `${crashes} crashes`);
});

test.run();
