/** Who finds out late that the ledger is not theirs any more: at a start, where a segment ends, while a disk is full. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { limits } from '../../lib/base/limits.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { cutSealed } from '../../lib/storage/repair.js';
import { type Before, createFaultyDisk, failing } from '../support/faulty-disk.js';
import { eventOf, type LedgerPlace, makeLedgerPlace, type Opened, until } from '../support/ledger-place.js';
import { TestClock } from '../support/test-clock.js';

const test = suite<{ place: LedgerPlace }>('overtaken');
const SMALL = 1_500;

test.before.each(async (context) => {
  context.place = await makeLedgerPlace();
});
test.after.each(({ place }) => place.remove());

const codeOf = (work: () => Promise<unknown>): Promise<string | undefined> =>
  new Promise((resolve) => resolve(work())).then(
    () => undefined,
    (error: unknown) => (error instanceof AgentopsdError ? error.code : String(error)),
  );

/** Does something once, right before a call. */
function meanwhile(call: Parameters<Before>[0], pathEnd: string, work: () => void) {
  let done = false;
  return createFaultyDisk(createNodeDisk(), (called, path) => {
    if (!done && called === call && path.endsWith(pathEnd)) {
      done = true;
      work();
    }
    return undefined;
  });
}

/** Appends until the next batch needs a new segment. @returns how many events there are */
async function fillSegment({ ledger }: Opened, place: LedgerPlace): Promise<number> {
  const path = join(place.layout.ledger, ledger.segment.name);
  let seq = ledger.lastSeq();
  while (fs.statSync(path).size < SMALL) await ledger.append([eventOf(++seq)]);
  return seq;
}

for (const term of [2, 7])
  test(`a segment of term ${term} that arrives while term 2 opens turns it away`, async ({ place }) => {
    await (await place.open()).ledger.close();
    const arrived = `${String(term).padStart(6, '0')}-0123abcd.jsonl`;
    const disk = meanwhile('link', '/terms/2', () => fs.writeFileSync(join(place.layout.ledger, arrived), ''));
    assert.is(await codeOf(() => place.open({ disk })), 'daemon_running');
    assert.equal(
      fs.readdirSync(place.layout.ledger).filter((name) => name.startsWith('000002') && name !== arrived),
      [],
      'nothing was written beside it',
    );
  });

test('a segment of a later term that arrives where a segment ends stops the writer', async ({ place }) => {
  const disk = meanwhile('link', '/terms/2', () =>
    fs.writeFileSync(join(place.layout.ledger, '000002-0123abcd.jsonl'), ''),
  );
  const opened = await place.open({ disk, segmentBytes: SMALL });
  const seq = await fillSegment(opened, place);
  assert.is(await codeOf(() => opened.ledger.append([eventOf(seq + 1)])), 'writer_stopped');
  assert.is(opened.stopped.length, 1);
});

test('who was overtaken finds out where a segment ends, and the successor loses nothing', async ({ place }) => {
  const first = await place.open({ segmentBytes: SMALL });
  const seq = await fillSegment(first, place);
  const second = await place.open();
  await second.ledger.append([eventOf(seq + 1, { request_id: 'of the successor' })]);
  assert.is(await codeOf(() => first.ledger.append([eventOf(seq + 1)])), 'writer_stopped');
  assert.is(first.stopped.length, 1);
  await second.ledger.append([eventOf(seq + 2)]);
  await second.ledger.close();
  const third = await place.open();
  assert.is(third.replayed.length, seq + 2);
  assert.is(third.replayed.at(-2)?.request_id, 'of the successor');
});

test('a writer that was stopped while its disk was full does not go on when there is room', async ({ place }) => {
  const clock = new TestClock();
  let full = false;
  let probes = 0;
  const disk = createFaultyDisk(createNodeDisk(), (call, path) => {
    if (call === 'remove' && path.includes('.room.')) probes += 1;
    return full && call === 'write' ? failing('ENOSPC', call, path) : undefined;
  });
  const opened = await place.open({ disk, clock });
  await opened.ledger.append([eventOf(1)]);
  const { name } = opened.ledger.segment;
  full = true;
  assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), 'outcome_unknown');
  fs.rmSync(join(place.layout.ledger, name));
  await opened.ledger.recheck();
  assert.is(opened.stopped.length, 1);
  full = false;
  clock.advance(limits.spaceProbeMs);
  const rooms = (): string[] => fs.readdirSync(place.layout.run).filter((entry) => entry.startsWith('.room.'));
  await until('it was probed', () => probes > 0 && rooms().length === 0);
  // Waits for whatever the probe has set going.
  await new Promise((resume) => setImmediate(resume));
  await opened.ledger.close();
  assert.is(opened.ledger.segment.name, name);
  assert.equal(fs.readdirSync(place.layout.ledger), []);
  assert.is(opened.ledger.health().writable, false);
});

test('half a line that a full disk left is cut where writing goes on: every line of every file is whole', async ({
  place,
}) => {
  let full = false;
  let taken = false;
  const disk = createFaultyDisk(createNodeDisk(), (call, path) => {
    if (!full || call !== 'write') return undefined;
    if (taken) return failing('ENOSPC', call, path);
    taken = true;
    return 40;
  });
  const opened = await place.open({ disk });
  await opened.ledger.append([eventOf(1)]);
  const { name } = opened.ledger.segment;
  full = true;
  assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), 'outcome_unknown');
  full = false;
  await until('there is room', () => opened.ledger.health().writable);
  await opened.ledger.append([eventOf(2)]);
  assert.is.not(opened.ledger.segment.name, name);
  for (const one of fs.readdirSync(place.layout.ledger)) {
    const text = fs.readFileSync(join(place.layout.ledger, one), 'utf8');
    assert.ok(text.endsWith('\n'), one);
    for (const line of text.split('\n').slice(0, -1)) JSON.parse(line);
  }
  assert.is(fs.readdirSync(place.layout.quarantine).length, 2, 'a copy and its note');
});

test('bytes that a sleeping writer adds behind the copy are not cut', async ({ place }) => {
  const { ledger } = await place.open();
  await ledger.append([eventOf(1)]);
  const { name } = ledger.segment;
  await ledger.close();
  const path = join(place.layout.ledger, name);
  const sealedBytes = fs.statSync(path).size;
  fs.appendFileSync(path, '{"half a line');
  const disk = meanwhile('syncFolder', '/quarantine', () => fs.appendFileSync(path, ', and more'));
  const said: string[] = [];
  const progress = (text: string): number => said.push(text);
  const seams = { disk, clock: createNodeClock(), random: createNodeRandom(), layout: place.layout, progress };
  fs.mkdirSync(place.layout.quarantine, { recursive: true });
  await cutSealed(seams, name, sealedBytes);
  assert.ok(fs.readFileSync(path, 'utf8').endsWith(', and more'));
  assert.match(said.join('\n'), 'it grew meanwhile');
});

test('what is no whole batch behind a seal is cut, though its lines are whole', async ({ place }) => {
  const { ledger } = await place.open();
  await ledger.append([eventOf(1)]);
  await ledger.append([eventOf(2), eventOf(3)]);
  const { name } = ledger.segment;
  await ledger.close();
  const path = join(place.layout.ledger, name);
  const lines = fs.readFileSync(path, 'utf8').split('\n');
  const sealed = `${lines.slice(0, 2).join('\n')}\n`;
  // The second line of a batch whose first is gone: its commit says where it began.
  fs.writeFileSync(path, `${sealed}${lines[3]}\n`);
  const seams = { disk: createNodeDisk(), clock: createNodeClock(), random: createNodeRandom(), layout: place.layout };
  await cutSealed({ ...seams, progress: () => undefined }, name, Buffer.byteLength(sealed));
  assert.is(fs.readFileSync(path, 'utf8'), sealed);
});

test.run();
