/** Lines in one piece of memory: the same bytes as line by line, whatever comes before. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LineBuffer } from '../../lib/storage/line-buffer.js';

const test = suite('line-buffer');
const inUtf8 = (lines: readonly string[]): string =>
  Buffer.from(lines.map((line) => `${line}\n`).join('')).toString('hex');

test('each line with its newline, in UTF-8', () => {
  const buffer = new LineBuffer();
  const lines = ['{}', '', 'ü', '\u{1f600}', 'x'.repeat(500), '\u20ac'.repeat(500)];
  for (const line of lines) assert.is(buffer.add(line).toString('utf8'), line);
  assert.is(buffer.bytes().toString('hex'), inUtf8(lines));
});

test('it grows as far as it has to, also by a line that fits to the byte, and keeps what is in it', () => {
  for (const letter of ['x', '\u20ac']) {
    const buffer = new LineBuffer();
    const width = Buffer.byteLength(letter);
    const lines = ['first'];
    buffer.add('first');
    for (const bytes of [65_536 - 7, 65_536, 3_000_000]) {
      const line = letter.repeat(Math.ceil(bytes / width));
      lines.push(line);
      assert.is(buffer.add(line).length, line.length * width);
    }
    assert.is(buffer.bytes().toString('hex'), inUtf8(lines));
  }
});

test('it is empty again after a batch, and gives back what a large one took', () => {
  const buffer = new LineBuffer();
  buffer.add('x'.repeat(5_000_000));
  assert.ok(buffer.bytes().buffer.byteLength >= 5_000_000);
  buffer.clear();
  assert.is(buffer.bytes().length, 0);
  assert.ok(buffer.bytes().buffer.byteLength < 1_048_576);
  buffer.add('{}');
  assert.is(buffer.bytes().toString(), '{}\n');
});

test.run();
