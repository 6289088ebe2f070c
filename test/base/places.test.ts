import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Places } from '../../lib/base/places.js';
import { mostPromotedMb } from '../support/promoted.js';

const places = suite('places');

places('holds a value until its place is left, and gives the place to another', () => {
  const values = new Places<{ n: number }>();
  const [first, second] = [values.take({ n: 1 }), values.take({ n: 2 })];
  assert.equal([values.size, values.get(first), values.get(second)], [2, { n: 1 }, { n: 2 }]);
  values.replace(second, { n: 20 });
  values.leave(first);
  assert.equal([values.size, values.get(first), [...values]], [1, undefined, [{ n: 20 }]]);
  assert.is(values.take({ n: 3 }), first);
  assert.equal([values.size, [...values]], [2, [{ n: 3 }, { n: 20 }]]);
  values.clear();
  assert.equal([values.size, [...values], values.take({ n: 4 })], [0, [], 0]);
});

places('what has left is gone without a full collection', () => {
  const values = new Places<object>();
  const taken: number[] = [];
  const mostMb = mostPromotedMb((value, round) => {
    taken.push(values.take(value));
    if (round >= 16) values.leave(taken.shift() as number);
  });
  assert.ok(mostMb < 8, `${mostMb} MB of 160 were kept`);
});

places.run();
