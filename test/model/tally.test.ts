import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tally } from '../../lib/model/tally.js';

const test = suite('tally');

test('counts are what was added, and those of which there are none are not told', () => {
  const tally = new Tally<'a' | 'b' | 'c'>([['b', 2]]);
  tally.add('c', 1);
  tally.add('a', 1);
  tally.add('a', 1);
  tally.add('c', -1);
  assert.equal([tally.of('a'), tally.of('b'), tally.of('c')], [2, 2, 0]);
  assert.equal(tally.entries(), [
    ['a', 2],
    ['b', 2],
  ]);
  assert.equal(new Tally(tally.entries()).entries(), tally.entries());
});

test.run();
