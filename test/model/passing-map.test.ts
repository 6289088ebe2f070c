import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PassingMap } from '../../lib/model/passing-map.js';

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
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;
  const oldMb = () =>
    (getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0) / 1e6;
  collect({ type: 'major' });
  const map = new PassingMap<object>();
  const fromMb = oldMb();
  let mostMb = 0;
  for (let n = 0; n < 20_000; n++) {
    map.set(`job-${n}`, new Array<number>(1024).fill(n));
    map.delete(`job-${n - 16}`);
    // Its table of now becomes old.
    if (n === 300) for (let time = 0; time < 2; time++) collect({ type: 'minor' });
    if (n % 100 === 0) mostMb = Math.max(mostMb, oldMb() - fromMb);
  }
  assert.ok(mostMb < 8, `${mostMb} MB of 160 were kept`);
});

passing.run();
