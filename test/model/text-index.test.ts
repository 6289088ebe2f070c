import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hashOfText, TextIndex } from '../../lib/model/text-index.js';

const test = suite('text index');

test('every text leads to its number, and no other does', () => {
  const texts = Array.from({ length: 20_000 }, (_, at) => `job_${at.toString(36)}`);
  const index = new TextIndex();
  const textOf = (number: number): string => texts[number] as string;
  texts.forEach((text, number) => index.add(hashOfText(text), number, textOf));
  const find = (text: string) => index.find(text, (number) => textOf(number) === text);
  assert.equal(texts.map(find), [...texts.keys()]);
  assert.is(find('job_'), undefined);
  assert.is(find(''), undefined);
});

test('texts that were chosen to meet in one place are found all the same, and cost no more than so many looks', () => {
  const texts = Array.from({ length: 3_000 }, (_, at) => `text ${at}`);
  const index = new TextIndex();
  const textOf = (number: number): string => texts[number] as string;
  const meeting = hashOfText('text 2999');
  for (const number of texts.keys()) index.add(meeting, number, textOf);
  let looks = 0;
  const found = index.find('text 2999', (number) => {
    looks++;
    return textOf(number) === 'text 2999';
  });
  assert.is(found, 2_999);
  assert.ok(looks <= 1_024);
});

test('a hash is never the sign of a free place', () => {
  assert.is(hashOfText(''), hashOfText(''));
  assert.ok(Array.from({ length: 10_000 }, (_, at) => hashOfText(String(at))).every((hash) => hash > 0));
});

test.run();
