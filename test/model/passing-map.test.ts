import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PassingMap } from '../../lib/model/passing-map.js';
import { mostPromotedMb } from '../support/promoted.js';

const passing = suite('passing map');

passing('holds what was set last, until it is deleted', () => {
  const map = new PassingMap<{ n: number }>();
  map.set('__proto__', { n: 1 });
  map.set('', { n: 2 });
  map.set('7', { n: 3 });
  map.set('', { n: 4 });
  assert.equal(
    [map.get('__proto__'), map.get(''), map.get('7'), map.get('8')],
    [{ n: 1 }, { n: 4 }, { n: 3 }, undefined],
  );
  map.delete('__proto__');
  map.delete('8');
  assert.equal([map.size, map.has('__proto__'), map.has(''), map.get('__proto__')], [2, false, true, undefined]);
  map.clear();
  assert.equal([map.size, map.has(''), [...map.values()]], [0, false, []]);
});

passing('tells its values in the order in which they were first set, whatever places they get', () => {
  const map = new PassingMap<{ n: number }>();
  for (const n of [1, 2, 3]) map.set(`job-${n}`, { n });
  map.delete('job-1');
  map.set('job-4', { n: 4 });
  map.set('job-2', { n: 20 });
  assert.equal(
    [...map.values()].map(({ n }) => n),
    [20, 3, 4],
  );
});

passing('what has passed through it is gone without a full collection', () => {
  const map = new PassingMap<object>();
  const mostMb = mostPromotedMb((value, round) => {
    map.set(`job-${round}`, value);
    map.delete(`job-${round - 16}`);
  });
  assert.ok(mostMb < 8, `${mostMb} MB of 160 were kept`);
});

passing.run();
