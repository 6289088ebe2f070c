import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nearest } from '../../lib/base/nearest.js';

const test = suite('nearest');
const words = ['workers', 'queue', 'lease_seconds', 'heartbeat_seconds'];

test('finds a slip of the fingers', () => {
  assert.is(nearest('worker', words), 'workers');
  assert.is(nearest('lease_second', words), 'lease_seconds');
  assert.is(nearest('qeuue', words), 'queue');
  assert.is(nearest('QUEUE', words), 'queue');
});

test('finds nothing where nothing is near', () => {
  assert.is(nearest('zzzzzz', words), undefined);
  assert.is(nearest('x', words), undefined);
  assert.is(nearest('workers'.repeat(1000), words), undefined);
  assert.is(nearest('', words), undefined);
});

test.run();
