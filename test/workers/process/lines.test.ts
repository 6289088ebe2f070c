import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLineReader } from '../../../workers/process/lines.js';

const test = suite('lines');

function linesOf(pieces: readonly Buffer[], maxBytes = 1_000_000): string[] {
  const lines: string[] = [];
  const reader = createLineReader(maxBytes, (line) => lines.push(line));
  for (const piece of pieces) reader.take(piece);
  reader.end();
  return lines;
}

test('however a text is cut into pieces, its lines are the same', () => {
  const texts = fc
    .array(fc.constantFrom('a', 'é', '😀', '\n', '\r\n', 'word '), { maxLength: 40 })
    .map((parts) => parts.join(''));
  const property = fc.property(texts, fc.array(fc.nat(60), { maxLength: 10 }), (text, cuts) => {
    const bytes = Buffer.from(text);
    const places = [
      0,
      ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((one, other) => one - other),
      bytes.length,
    ];
    const pieces = places.slice(1).map((to, at) => bytes.subarray(places[at], to));
    const expected = text.split('\n');
    if (expected.at(-1) === '') expected.pop();
    assert.equal(
      linesOf(pieces),
      expected.map((line) => line.replace(/\r$/, '')),
    );
  });
  fc.assert(property, { numRuns: 300 });
});

test('a line over the limit throws, one of exactly the limit passes', () => {
  assert.equal(linesOf([Buffer.from('12345\n12345')], 5), ['12345', '12345']);
  assert.throws(() => linesOf([Buffer.from('123456\n')], 5), /longer than 5 bytes/);
  assert.throws(() => linesOf([Buffer.from('123'), Buffer.from('456')], 5), /longer than 5 bytes/);
});

test.run();
