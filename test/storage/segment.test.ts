import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareSegmentNames, parseSegmentName, segmentName } from '../../lib/storage/segment.js';

const test = suite('segment');

test('names come back as they went', () => {
  assert.is(segmentName(43, '3f9a2c1b'), '000043-3f9a2c1b.jsonl');
  for (const term of [1, 999_999, 1_000_000, 123_456_789]) {
    assert.equal(parseSegmentName(segmentName(term, '00ff00ff')), { term, writer: '00ff00ff' });
  }
});

test('what is no name of a segment', () => {
  for (const name of [
    '43-3f9a2c1b.jsonl',
    '0000043-3f9a2c1b.jsonl',
    '000043-3F9A2C1B.jsonl',
    '000043-3f9a2c1.jsonl',
    '000043-3f9a2c1b.json',
    '../000043-3f9a2c1b.jsonl',
    '000043-3f9a2c1b.jsonl~',
    '',
  ]) {
    assert.is(parseSegmentName(name), undefined, name);
  }
});

test('the order is that of the terms, also past six digits', () => {
  const names = [
    segmentName(1_000_000, 'aaaaaaaa'),
    segmentName(2, 'bbbbbbbb'),
    segmentName(2, 'aaaaaaaa'),
    segmentName(999_999, 'aaaaaaaa'),
  ];
  assert.equal(names.sort(compareSegmentNames), [
    '000002-aaaaaaaa.jsonl',
    '000002-bbbbbbbb.jsonl',
    '999999-aaaaaaaa.jsonl',
    '1000000-aaaaaaaa.jsonl',
  ]);
});

test.run();
