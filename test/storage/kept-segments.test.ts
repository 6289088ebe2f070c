import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import type { Disk, DiskFile } from '../../lib/storage/disk.js';
import { KeptSegments } from '../../lib/storage/kept-segments.js';
import { layoutOf } from '../../lib/storage/layout.js';

const test = suite('kept segments');

test('limits.keptDescriptors: of more segments the newest stay open, and each can be read', async () => {
  const { keptDescriptors } = limits;
  let open = 0;
  const disk = {
    open: async (path: string) => {
      open += 1;
      const close = async () => {
        open -= 1;
      };
      return { path, close } as Partial<DiskFile> as DiskFile;
    },
  } as Partial<Disk> as Disk;
  const kept = new KeptSegments(disk, layoutOf('/repository'));
  const segments = [];
  for (let at = 0; at < keptDescriptors; at++) segments.push(await kept.open(`${at}.jsonl`, 0));
  assert.is(open, keptDescriptors);
  assert.is((await segments[0]?.open())?.close, false, 'the oldest is open, and stays so');
  segments.push(await kept.open('newer.jsonl', 0));
  assert.is(open, keptDescriptors);
  const again = await segments[0]?.open();
  assert.equal([again?.close, again?.file.path], [true, '/repository/.agents/daemon/ledger/0.jsonl']);
  await again?.file.close();
  assert.is((await segments[1]?.open())?.close, false);
  await kept.close();
  assert.is(open, 0);
});

test.run();
