import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Waiting } from '../../lib/engine/waiting.js';

const test = suite('waiting');

test('tells the age of the oldest decision that is not durable, a short while too much at most', () => {
  const waiting = new Waiting();
  assert.is(waiting.sinceMs(1000), 0);
  waiting.decided(1, 1000);
  waiting.decided(2, 1010);
  waiting.decided(3, 1100);
  assert.is(waiting.sinceMs(1200), 200);
  waiting.durable(1);
  assert.is(waiting.sinceMs(1200), 200, '2 shares the note of 1');
  waiting.durable(2);
  assert.is(waiting.sinceMs(1200), 100);
  waiting.durable(3);
  assert.is(waiting.sinceMs(1200), 0);
});

test('what was dropped waits no more', () => {
  const waiting = new Waiting();
  waiting.decided(1, 0);
  waiting.discard();
  assert.is(waiting.sinceMs(5000), 0);
});

test.run();
