import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LineBlock } from '../../lib/storage/line-block.js';

const test = suite('line block');

const blockOf = (lines: readonly string[]): LineBlock => {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''), 'utf8');
  return new LineBlock({ bytes, offset: 0 }, 1, bytes.length);
};

function allOf(block: LineBlock): unknown[] | undefined {
  const events: unknown[] = [];
  while (events.length < block.countedLines) {
    const next = block.events(events.length);
    if (next === undefined) return undefined;
    assert.ok(next.length > 0);
    events.push(...next);
  }
  return events;
}

test('events come as they stand in their lines, whatever signs are in some of them', () => {
  const texts = ['plain', 'é', '你好', '🙂', 'plain', 'plain', '\u0085'];
  for (const count of [1, 7, 63, 64, 65, 200]) {
    const values = Array.from({ length: count }, (_, at) => ({ seq: at, text: texts[at % texts.length] }));
    const plain = values.map(({ seq }) => ({ seq }));
    for (const all of [values, plain]) {
      const lines = all.map((value) => JSON.stringify(value));
      const block = blockOf(lines);
      assert.equal(allOf(block), all);
      assert.equal(allOf(block), all, 'the bytes are as they were');
      assert.is(block.bytesOf(count - 1).toString(), lines[count - 1]);
    }
  }
});

test('lines that are no JSON, and those that hold two values, are not taken', () => {
  for (const odd of ['{"a":', '{},{}', '"', ''])
    for (const beside of ['{"a":1}', '{"a":"é"}']) assert.is(allOf(blockOf([beside, odd, beside])), undefined, odd);
});

test.run();
