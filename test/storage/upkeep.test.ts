/** What a ledger does beside its batches, on a clock that is turned: when the anchor is written, and how a full disk is probed. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import type { Anchor } from '../../lib/storage/anchor.js';
import { readAnchor } from '../../lib/storage/anchor.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { Upkeep } from '../../lib/storage/upkeep.js';
import { createFaultyDisk, failing } from '../support/faulty-disk.js';
import { type LedgerPlace, makeLedgerPlace, until } from '../support/ledger-place.js';
import { TestClock } from '../support/test-clock.js';

interface Room {
  place: LedgerPlace;
  clock: TestClock;
  upkeep: Upkeep;
  anchor: Anchor | undefined;
  checks: number;
  resumed: number;
  full: boolean;
  /** Sizes of the probes that the disk took. */
  probes: number[];
}
const test = suite<Room>('upkeep');

test.before.each(async (room) => {
  const place = await makeLedgerPlace();
  fs.mkdirSync(place.layout.run, { recursive: true });
  const clock = new TestClock();
  Object.assign(room, { place, clock, anchor: undefined, checks: 0, resumed: 0, full: false, probes: [] });
  const disk = createFaultyDisk(createNodeDisk(), (call, path) => {
    if (!path.includes('.room.')) return undefined;
    if (call === 'write' && room.full) failing('ENOSPC', call, path);
    if (call === 'datasync') room.probes.push(fs.statSync(path).size);
    return undefined;
  });
  const seams = { disk, random: createNodeRandom(), clock, layout: place.layout, home: place.home };
  room.upkeep = new Upkeep(seams, {
    check: async () => {
      room.checks += 1;
    },
    resume: async () => {
      room.resumed += 1;
    },
    anchor: () => room.anchor,
  });
});
test.after.each(async ({ upkeep, place }) => {
  await upkeep.close();
  await place.remove();
});

const anchored = async ({ place }: Room) => (await readAnchor(createNodeDisk(), place.home))?.seq;
const hash = '0'.repeat(64);

test('limits.anchorDelayMs: the anchor stands so much behind an acknowledgement at most, however many follow', async (room) => {
  const { upkeep, clock, place } = room;
  const file = join(place.home.folder, 'anchor.json');
  upkeep.acknowledged();
  clock.advance(limits.anchorDelayMs - 1);
  room.anchor = { seq: 7, hash };
  upkeep.acknowledged();
  assert.is(fs.existsSync(file), false);
  clock.advance(1);
  await until('the anchor is written', () => fs.existsSync(file));
  assert.is(await anchored(room), 7);
  room.anchor = { seq: 8, hash };
  clock.advance(10 * limits.anchorDelayMs);
  await upkeep.close();
  assert.is(await anchored(room), 7, 'nothing was acknowledged since');
});

test('what was acknowledged last is anchored at the end', async (room) => {
  room.anchor = { seq: 9, hash };
  room.upkeep.acknowledged();
  await room.upkeep.close();
  assert.is(await anchored(room), 9);
});

test('limits.ownershipCheckMs: between two looks at whether all is still ours', (room) => {
  const { clock } = room;
  clock.advance(limits.ownershipCheckMs - 1);
  assert.is(room.checks, 0);
  for (const times of [1, 2, 3]) {
    clock.advance(times === 1 ? 1 : limits.ownershipCheckMs);
    assert.is(room.checks, times);
  }
});

test('limits.spaceProbeMs and spaceProbeBytes: a full disk is gone on from once so much fits', async (room) => {
  const { upkeep, clock, place } = room;
  room.full = true;
  const waiting = clock.pendingTimers;
  upkeep.full();
  for (const _ of [1, 2]) {
    clock.advance(limits.spaceProbeMs - 1);
    assert.is(clock.pendingTimers, waiting + 1, 'the probe is not due yet');
    clock.advance(1);
    await until('the next probe is set', () => clock.pendingTimers === waiting + 1);
  }
  assert.equal([room.probes, room.resumed], [[], 0]);
  room.full = false;
  clock.advance(limits.spaceProbeMs);
  await until('it is gone on from', () => room.resumed === 1);
  assert.equal(room.probes, [limits.spaceProbeBytes]);
  assert.equal(fs.readdirSync(place.layout.run), [], 'nothing of the probes is left');
});

test.run();
