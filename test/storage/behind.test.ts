/** How gently the older part of a ledger is verified beside the work. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { verifyBehind } from '../../lib/storage/behind.js';
import type { Disk, DiskFile } from '../../lib/storage/disk.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { eventOf, type LedgerPlace, makeLedgerPlace, until } from '../support/ledger-place.js';
import { TestClock } from '../support/test-clock.js';

const test = suite<{ place: LedgerPlace }>('verification behind');

test.before.each(async (room) => {
  room.place = await makeLedgerPlace();
});
test.after.each(({ place }) => place.remove());

/** Writes down how much each read asks for. */
function counting(disk: Disk, reads: number[]): Disk {
  const wrapped = (file: DiskFile): DiskFile => ({
    ...file,
    path: file.path,
    factsSync: () => file.factsSync(),
    close: () => file.close(),
    read(position, length) {
      reads.push(length);
      return file.read(position, length);
    },
  });
  return {
    ...disk,
    list: (folder) => disk.list(folder),
    factsSync: (path) => disk.factsSync(path),
    open: async (...given) => wrapped(await disk.open(...given)),
  };
}

test('limits.backgroundBlockBytes and backgroundPauseMs: small blocks, with a pause before each', async ({ place }) => {
  const { backgroundBlockBytes, backgroundPauseMs } = limits;
  const { ledger } = await place.open();
  const text = 'x'.repeat(100_000);
  for (let seq = 1; seq <= 9; seq++) await ledger.append([eventOf(seq, { payload: { text } })]);
  const { name } = ledger.segment;
  await ledger.close();
  const reads: number[] = [];
  const clock = new TestClock();
  const disk = counting(createNodeDisk(), reads);
  const source = { disk, ledgerFolder: place.layout.ledger, home: place.home, names: [name] };
  let over = false;
  const running = verifyBehind(source, () => {}, clock, new AbortController().signal).finally(() => {
    over = true;
  });
  for (let pauses = 0; ; pauses++) {
    await until('it pauses, or is through', () => over || clock.pendingTimers === 1);
    assert.is(reads.length, pauses, 'as many reads as pauses');
    if (over) break;
    clock.advance(backgroundPauseMs - 1);
    assert.is(clock.pendingTimers, 1);
    clock.advance(1);
  }
  assert.is((await running).status, 'complete');
  assert.is(Math.max(...reads), backgroundBlockBytes);
  assert.ok(reads.length >= 900_000 / backgroundBlockBytes);
});

test.run();
