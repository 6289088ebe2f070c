import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import type { DiskFile } from '../../lib/storage/disk.js';
import type { Piece, ReadFrom } from '../../lib/storage/reader.js';
import { readBlocks, readLines, readPieces } from '../../lib/storage/reader.js';
import { MemoryDisk } from '../support/memory-disk.js';

const test = suite('reader');

async function fileOf(content: string | Buffer): Promise<DiskFile> {
  const disk = new MemoryDisk();
  disk.plant('/f', content);
  return disk.open('/f', 'read');
}
async function piecesOf(content: string | Buffer, from: ReadFrom = {}): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of readPieces(await fileOf(content), from)) pieces.push(piece);
  return pieces;
}

test('splits at newlines, tells places, and whether the last one is whole', async () => {
  const pieces = await piecesOf('ab\n\nc\nde');
  assert.equal(
    pieces.map(({ bytes, offset, length, lineNumber, complete }) => [
      bytes.toString(),
      offset,
      length,
      lineNumber,
      complete,
    ]),
    [
      ['ab', 0, 3, 1, true],
      ['', 3, 1, 2, true],
      ['c', 4, 2, 3, true],
      ['de', 6, 2, 4, false],
    ],
  );
  assert.equal(await piecesOf(''), []);
});

test('the size of the blocks makes no difference', async () => {
  const content = fc
    .array(fc.constantFrom('\n', 'a', 'bc', 'ü', '\0'), { maxLength: 60 })
    .map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(content, fc.integer({ min: 1, max: 9 }), async (text, blockBytes) => {
      const pieces = await piecesOf(text, { blockBytes });
      assert.equal(pieces, await piecesOf(text));
      assert.is(
        pieces.map(({ bytes, complete }) => bytes.toString('latin1') + (complete ? '\n' : '')).join(''),
        Buffer.from(text).toString('latin1'),
      );
    }),
  );
});

test('who stops after a few lines has read a small block, who reads on reads large ones', async () => {
  const file = await fileOf(Buffer.alloc(3 * limits.readBlockBytes, `${'x'.repeat(99)}\n`));
  const asked: number[] = [];
  const counting: DiskFile = Object.assign(Object.create(file) as DiskFile, {
    factsSync: () => file.factsSync(),
    read: (position: number, length: number) => {
      asked.push(length);
      return file.read(position, length);
    },
  });
  for await (const piece of readPieces(counting)) if (piece.lineNumber === 10) break;
  assert.equal(asked, [limits.firstReadBlockBytes]);
  let lines = 0;
  for await (const pieces of readBlocks(counting)) lines += pieces.length;
  assert.is(lines, Math.ceil((3 * limits.readBlockBytes) / 100));
  assert.is(Math.max(...asked), limits.readBlockBytes);
});

test('begins at a line in the midst, and ends where it is told', async () => {
  const pieces = await piecesOf('ab\ncd\nef\n', { fromByte: 3, lineNumber: 2, toByte: 8 });
  assert.equal(
    pieces.map(({ bytes, offset, lineNumber, complete }) => [bytes.toString(), offset, lineNumber, complete]),
    [
      ['cd', 3, 2, true],
      ['ef', 6, 3, false],
    ],
  );
});

test('a file that grows while it is read is read to the size it had', async () => {
  const disk = new MemoryDisk();
  disk.plant('/f', 'ab\ncd\n');
  const file = await disk.open('/f', 'update');
  const seen: string[] = [];
  for await (const block of readBlocks(file, { blockBytes: 3 })) {
    if (seen.length === 0) file.writeSync(Buffer.from('ef\n'), 6);
    seen.push(...block.map(({ bytes }) => bytes.toString()));
  }
  assert.equal(seen, ['ab', 'cd']);
});

test('of a line without end only so much is kept as shows that it is too long', async () => {
  const size = limits.ledgerLineBytes + 3 * limits.readBlockBytes;
  const pieces = await piecesOf(Buffer.concat([Buffer.alloc(size, 0x61), Buffer.from('\nb\n')]));
  assert.is(pieces[0]?.bytes.length, limits.ledgerLineBytes + 1);
  assert.is(pieces[0]?.length, size + 1);
  assert.equal([pieces[1]?.bytes.toString(), pieces[1]?.offset], ['b', size + 1]);
});

test('whole lines come in blocks that end with one, whatever the disk gives at once; only the last may lack its newline', async () => {
  const content = fc
    .array(fc.constantFrom('\n', 'a', 'bc', 'ü', 'a longer one'), { maxLength: 60 })
    .map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(content, fc.integer({ min: 1, max: 9 }), async (text, atOnce) => {
      const file = await fileOf(text);
      const short: DiskFile = Object.assign(Object.create(file) as DiskFile, {
        read: (position: number, length: number) => file.read(position, Math.min(length, atOnce)),
      });
      const size = Buffer.byteLength(text);
      let next = 0;
      const parts: Buffer[] = [];
      for await (const { bytes, offset } of readLines(short, size)) {
        assert.is(offset, next);
        next += bytes.length;
        if (next < size) assert.is(bytes.at(-1), 0x0a);
        parts.push(bytes);
      }
      assert.is(Buffer.concat(parts).toString(), text);
    }),
  );
});

test.run();
