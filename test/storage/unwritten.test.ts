import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Piece } from '../../lib/storage/reader.js';
import { whyPieceIsMissingBytes, withoutLeadingZeros } from '../../lib/storage/unwritten.js';
import { homeA, SegmentBuilder } from '../support/segment-builder.js';

const test = suite('unwritten');
const line = new SegmentBuilder(1, homeA).batches(1).lines[1] as string;

function piece(text: string, complete: boolean, offset = 1000): Piece {
  const bytes = Buffer.from(text, 'latin1');
  return { bytes, offset, length: bytes.length + (complete ? 1 : 0), lineNumber: 2, complete };
}
const why = (text: string, complete: boolean, offset?: number): string | undefined =>
  whyPieceIsMissingBytes(piece(text, complete, offset), 1_000_000);

test('a line cut short anywhere is missing bytes', () => {
  for (let length = 1; length <= line.length; length++)
    assert.is(why(line.slice(0, length), false), 'is cut short', String(length));
});

test('a whole line with something in the place of its newline is not', () => {
  for (const text of [`${line}\x0b`, `${line} `, `${line}${line}`, `x${line}`, 'x'])
    assert.is(why(text, false), undefined);
  assert.is(why(line.replace('goal', 'g"oal'), true), undefined);
});

test('zeros are missing bytes, but one flipped bit is not', () => {
  assert.is(why('{"a":\0\0"}', true), 'holds zero bytes');
  assert.is(why('\0"a":1}', true), 'holds zero bytes');
  assert.is(why(`{"goal":"a\0b"}`, true), undefined);
  const atEdge = 512 * 2 - '{"goal":"a'.length;
  assert.is(why(`{"goal":"a\0b"}`, true, atEdge), 'holds zero bytes');
  assert.is(why(`{"goal":"a\0b"}`, true, atEdge - 1), 'holds zero bytes');
});

test('a whole line behind zeros is kept apart from them', () => {
  const [zeros, whole] = withoutLeadingZeros(piece(`{"act\0\0\0${line}`, true));
  assert.equal([zeros?.length, zeros?.complete, whole?.offset, whole?.complete], [8, false, 1008, true]);
  assert.is(whole?.bytes.toString(), line);
  for (const text of [line, `\0\0${line.slice(5)}`, '\0\0'])
    assert.is(withoutLeadingZeros(piece(text, true)).length, 1);
});

test.run();
