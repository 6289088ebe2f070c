/** The disk in memory behaves as a disk does that loses power: otherwise what is tested on it shows nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DiskError, DiskFile } from '../../lib/storage/disk.js';
import { allKept, allLost, chanceChoice, MemoryDisk } from './memory-disk.js';
import { chance } from './test-clock.js';

const test = suite('memory disk');
const text = (disk: MemoryDisk, path: string): string | undefined => disk.contentOf(path)?.toString('latin1');

async function written(disk: MemoryDisk, path: string, content: string): Promise<DiskFile> {
  await disk.makeFolder('/d');
  const file = await disk.open(path, 'create');
  file.writeSync(Buffer.from(content), 0);
  return file;
}
async function errnoOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return (error as DiskError).errno;
  }
  return 'none';
}

test('what was not synced is lost, or kept, as power loss chooses', async () => {
  for (const [choice, content] of [
    [allLost, 'one'],
    [allKept, 'onetwo'],
  ] as const) {
    const disk = new MemoryDisk();
    const file = await written(disk, '/d/f', 'one');
    await file.datasync();
    await disk.syncFolder('/d');
    await disk.syncFolder('/');
    file.writeSync(Buffer.from('two'), 3);
    disk.losePower(choice);
    assert.is(text(disk, '/d/f'), content);
    assert.is(disk.durableContentOf('/d/f')?.toString(), content);
    assert.is(await errnoOf(() => file.writeSync(Buffer.from('x'), 0)), 'EBADF');
  }
});

test('a name that was not synced is lost with its file', async () => {
  const disk = new MemoryDisk();
  await (await written(disk, '/d/f', 'one')).datasync();
  await disk.syncFolder('/');
  disk.losePower(allLost);
  assert.equal(await disk.list('/d'), []);
});

test('a removal that was not synced comes back', async () => {
  const disk = new MemoryDisk();
  disk.plant('/d/f', 'x');
  await disk.remove('/d/f');
  disk.losePower(allLost);
  assert.is(text(disk, '/d/f'), 'x');
});

test('sectors come out old, new or zero, each by itself', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const disk = new MemoryDisk();
    disk.plant('/f', 'a'.repeat(512));
    (await disk.open('/f', 'update')).writeSync(Buffer.from('b'.repeat(1024)), 512);
    disk.losePower(chanceChoice(chance(seed)));
    const after = text(disk, '/f') as string;
    assert.is(after.slice(0, 512), 'a'.repeat(512));
    seen.add(after.slice(512).replace(/b+/g, 'b').replace(/\0+/g, '0'));
  }
  for (const fate of ['', 'b', '0', 'b0', '0b']) assert.ok(seen.has(fate), `${fate} in ${[...seen]}`);
});

test('a failed sync leaves the page clean: seen still, but never written by a later one', async () => {
  const disk = new MemoryDisk();
  const file = await written(disk, '/d/f', 'one');
  disk.plan({ call: 'datasync', errno: 'EIO' });
  assert.is(await errnoOf(() => file.datasync()), 'EIO');
  await file.datasync();
  assert.is(text(disk, '/d/f'), 'one');
  assert.is(disk.durableContentOf('/d/f')?.length, 0);
});

test('planned faults strike the n-th call, on the path, once', async () => {
  const disk = new MemoryDisk();
  const file = await written(disk, '/d/f', '');
  disk.plan(
    { call: 'write', nth: 2, takenBytes: 1 },
    { call: 'write', nth: 3, takenBytes: 2, errno: 'ENOSPC' },
    { call: 'open', path: /other/, errno: 'EMFILE' },
  );
  assert.is(file.writeSync(Buffer.from('abc'), 0), 3);
  assert.is(file.writeSync(Buffer.from('abc'), 3), 1);
  assert.is(await errnoOf(() => file.writeSync(Buffer.from('abc'), 4)), 'ENOSPC');
  assert.is(text(disk, '/d/f'), 'abcaab');
  assert.is(await errnoOf(() => disk.open('/d/other', 'read')), 'EMFILE');
  assert.is(await errnoOf(() => disk.open('/d/other', 'read')), 'ENOENT');
});

test('descriptors outlive names; link is exclusive; the hook sees each call and may stop it', async () => {
  const disk = new MemoryDisk();
  const file = await written(disk, '/d/f', 'x');
  assert.is(await disk.link('/d/f', '/d/g'), true);
  assert.is(await disk.link('/d/f', '/d/g'), false);
  assert.is(file.factsSync().links, 2);
  await disk.remove('/d/f');
  await disk.remove('/d/g');
  assert.equal([file.factsSync().links, (await file.read(0, 9)).toString()], [0, 'x']);
  const seen: string[] = [];
  disk.beforeCall = (call, path) => {
    seen.push(`${call} ${path}`);
    if (call === 'list') throw new Error('crash');
  };
  disk.factsSync('/d');
  assert.is(await disk.list('/d').catch((error: Error) => error.message), 'crash');
  assert.equal(seen, ['facts /d', 'list /d']);
});

test.run();
