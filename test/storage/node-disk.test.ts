import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import type { OpenMode } from '../../lib/storage/disk.js';
import { DiskError } from '../../lib/storage/disk.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';

const test = suite<{ folder: string }>('node disk');
const disk = createNodeDisk();

test.before.each(async (context) => {
  context.folder = await fs.mkdtemp(join(tmpdir(), 'agentopsd-'));
});
test.after.each(async ({ folder }) => {
  await fs.rm(folder, { recursive: true, force: true });
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AgentopsdError) return error.code;
    if (error instanceof DiskError) return error.errno;
    throw error;
  }
  return 'nothing was refused';
}

test('writes in place, reads blocks, cuts, tells facts', async ({ folder }) => {
  const path = join(folder, 'f');
  const file = await disk.open(path, 'create');
  assert.is(file.writeSync(Buffer.from('hello world'), 0), 11);
  file.writeSync(Buffer.from('HELLO'), 0);
  await file.datasync();
  assert.is((await file.read(0, 100)).toString(), 'HELLO world');
  assert.is((await file.read(6, 3)).toString(), 'wor');
  assert.is((await file.read(50, 3)).length, 0);
  await file.truncate(5);
  assert.equal([file.factsSync().sizeBytes, file.factsSync().links, file.factsSync().mode], [5, 1, 0o600]);
  assert.is(disk.factsSync(path)?.inode, file.factsSync().inode);
  await disk.remove(path);
  assert.is(file.factsSync().links, 0);
  await file.close();
  await file.close();
});

test('a file is closed behind its last sync, and synced no more then', async ({ folder }) => {
  for (let round = 0; round < 20; round++) {
    const file = await disk.open(join(folder, `f${round}`), 'create');
    file.writeSync(Buffer.alloc(4096, round), 0);
    const order: string[] = [];
    const synced = file.datasync().then(() => order.push('synced'));
    const closed = file.close().then(() => order.push('closed'));
    await Promise.all([synced, closed]);
    assert.equal(order, ['synced', 'closed']);
    assert.is(await codeOf(file.datasync()), 'EBADF');
  }
});

test('create is exclusive; what is not there is told by its errno', async ({ folder }) => {
  const path = join(folder, 'f');
  await (await disk.open(path, 'create')).close();
  assert.is(await codeOf(disk.open(path, 'create')), 'EEXIST');
  assert.is(await codeOf(disk.open(join(folder, 'none'), 'read')), 'ENOENT');
  assert.is(await codeOf(disk.open(join(folder, 'none', 'f'), 'create')), 'ENOENT');
  assert.is(disk.factsSync(join(folder, 'none')), undefined);
  assert.is(disk.factsSync(join(path, 'below')), undefined);
  assert.is(await disk.list(join(folder, 'none')), undefined);
  assert.is(await disk.remove(join(folder, 'none')), false);
});

test('links, folders and FIFOs are refused, and none blocks', async ({ folder }) => {
  const [target, link, fifo] = ['target', 'link', 'fifo'].map((name) => join(folder, name)) as [string, string, string];
  await fs.writeFile(target, 'x');
  await fs.symlink(target, link);
  execFileSync('mkfifo', [fifo]);
  for (const mode of ['read', 'update'] as const satisfies readonly OpenMode[]) {
    for (const path of [link, fifo, folder])
      assert.is(await codeOf(disk.open(path, mode)), 'file_unsafe', `${mode} ${path}`);
  }
  assert.is(await codeOf(disk.open(link, 'create')), 'EEXIST');
  assert.is(disk.factsSync(link)?.kind, 'link');
  assert.is(disk.factsSync(fifo)?.kind, 'other');
});

test('a folder that is a link, or a file, is refused', async ({ folder }) => {
  await fs.mkdir(join(folder, 'real'));
  await fs.symlink(join(folder, 'real'), join(folder, 'link'));
  await fs.writeFile(join(folder, 'file'), '');
  for (const name of ['link', 'file']) {
    assert.is(await codeOf(disk.list(join(folder, name))), 'file_unsafe');
    assert.is(await codeOf(disk.syncFolder(join(folder, name))), 'file_unsafe');
    assert.is(await codeOf(disk.makeFolder(join(folder, name))), 'file_unsafe');
  }
});

test('folders: made once, listed in order, synced', async ({ folder }) => {
  const path = join(folder, 'sub');
  assert.is(await disk.makeFolder(path), true);
  assert.is(await disk.makeFolder(path), false);
  assert.is((await fs.stat(path)).mode & 0o777, 0o700);
  for (const name of ['b', 'a', 'B']) await fs.writeFile(join(path, name), '');
  assert.equal(await disk.list(path), ['B', 'a', 'b']);
  await disk.syncFolder(path);
});

test('a second name is exclusive; a rename replaces', async ({ folder }) => {
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  await fs.writeFile(a, 'A');
  assert.is(await disk.link(a, b), true);
  assert.is(await disk.link(a, b), false);
  assert.is(disk.factsSync(b)?.links, 2);
  await fs.writeFile(join(folder, 'c'), 'C');
  await disk.rename(join(folder, 'c'), b);
  assert.is(await fs.readFile(b, 'utf8'), 'C');
  assert.is(await disk.realPath(folder), await fs.realpath(folder));
});

test.run();
