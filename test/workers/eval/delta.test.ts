/** The comparison: verdict, interval, flips; and that the interval holds what it promises. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deltaOf, type PairedCase, quantileOfT } from '../../../workers/eval/delta.js';
import { Chance } from '../../support/crash-chance.js';

const test = suite('eval delta');

/** Of `[passed without, passed with]`. */
function pairs(counts: readonly (readonly [number, number])[], repeats = 1, weightOf = (_at: number) => 1) {
  return counts.map(
    ([passedWithout, passedWith], at): PairedCase => ({
      id: `case ${at}`,
      weight: weightOf(at),
      passedWithout,
      passedWith,
      repeats,
    }),
  );
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

test('the interval is that of Agresti and Min', () => {
  // 100 pairs, 20 better, 5 worse: (15 ± 1.984217 sqrt(26 - 15²/102)) / 102
  const delta = deltaOf(
    pairs([...times(20, [0, 1] as const), ...times(5, [1, 0] as const), ...times(75, [1, 1] as const)]),
  );
  assert.equal([delta.difference, delta.n, delta.pass_rate], [0.15, 100, { without: 0.8, with: 0.95 }]);
  const reach = (1.984217 * Math.sqrt(26 - 15 ** 2 / 102)) / 102;
  assert.ok(Math.abs((delta.interval?.low ?? 0) - (15 / 102 - reach)) < 1e-5);
  assert.ok(Math.abs((delta.interval?.high ?? 0) - (15 / 102 + reach)) < 1e-5);
  assert.is(delta.verdict, 'better');
  assert.match(
    delta.says,
    /differs by \+15\.0 points \(95 % interval from \+5\.2 to \+24\.2\): the skill makes it better$/,
  );
});

test('the quantiles of t are those of the tables', () => {
  const table = [
    [9, 2.262157],
    [15, 2.13145],
    [29, 2.04523],
    [99, 1.984217],
    [999, 1.962341],
  ] as const;
  for (const [degrees, quantile] of table) assert.ok(Math.abs(quantileOfT(degrees) - quantile) < 1e-3, `${degrees}`);
});

test('the other side is worse, and no difference is undecided and no point', () => {
  const worse = deltaOf(pairs(times(20, [3, 0] as const), 3));
  assert.equal([worse.verdict, worse.difference, worse.flips.to_fail.length], ['worse', -1, 20]);
  assert.ok((worse.interval?.low ?? 0) >= -1);
  const same = deltaOf(pairs(times(12, [1, 1] as const)));
  assert.equal([same.verdict, same.difference], ['undecided', 0]);
  assert.ok((same.interval?.high ?? 0) > 0.1 && (same.interval?.low ?? 0) < -0.1);
  assert.match(same.says, /that may be chance$/);
});

test('with fewer than ten cases that count n is too small', () => {
  const nine = deltaOf(pairs(times(9, [0, 1] as const)));
  assert.equal([nine.verdict, nine.interval, nine.difference], ['too_few_cases', undefined, 1]);
  assert.match(nine.says, /n is too small to tell it from chance: 9 cases of the 10 that it takes at least$/);
  assert.is(deltaOf(pairs(times(10, [0, 1] as const))).verdict, 'better');
  assert.is(deltaOf(pairs(times(10, [0, 1] as const), 1, () => 0.1)).verdict, 'better');
  const lopsided = deltaOf(pairs(times(20, [0, 1] as const), 1, (at) => (at === 0 ? 100 : 1)));
  assert.equal([lopsided.verdict, lopsided.n < 2], ['too_few_cases', true]);
});

test('a case flips when its majority does; one whose runs differ is unsteady', () => {
  const { flips, unsteady } = deltaOf(
    pairs(
      [
        [0, 3],
        [1, 2],
        [3, 0],
        [3, 3],
        [2, 3],
      ],
      3,
    ),
  );
  assert.equal(flips, { to_pass: ['case 0', 'case 1'], to_fail: ['case 2'] });
  assert.equal(unsteady, ['case 1', 'case 4']);
  assert.equal(deltaOf(pairs([[0, 1]], 2)).flips.to_pass, [], 'half is no majority');
});

test('weights weigh', () => {
  const { difference, pass_rate } = deltaOf(
    pairs(
      [
        [0, 1],
        [1, 1],
      ],
      1,
      (at) => (at === 0 ? 3 : 1),
    ),
  );
  assert.equal([difference, pass_rate], [0.75, { without: 0.25, with: 1 }]);
});

test('in 95 of 100 worlds the interval holds the true difference', () => {
  const chance = new Chance('20260101');
  const worlds: [cases: number, repeats: number, without: number, withSkill: number][] = [
    [10, 1, 0.5, 0.5],
    [10, 3, 0.2, 0.8],
    [12, 1, 0.9, 0.95],
    [30, 1, 0.3, 0.6],
    [30, 5, 0.7, 0.6],
    [100, 1, 0.1, 0.12],
  ];
  const drawn = (rate: number, repeats: number) =>
    times(repeats, 0).filter(() => chance.below(1e6) < rate * 1e6).length;
  for (const [cases, repeats, without, withSkill] of worlds) {
    let held = 0;
    for (let world = 0; world < 2000; world++) {
      const counts = times(cases, 0).map(() => [drawn(without, repeats), drawn(withSkill, repeats)] as const);
      const { low = 1, high = -1 } = deltaOf(pairs(counts, repeats)).interval ?? {};
      if (low <= withSkill - without && withSkill - without <= high) held += 1;
    }
    assert.ok(held >= 0.935 * 2000, `${cases} cases, ${repeats} repeats, ${without} to ${withSkill}: ${held} of 2000`);
  }
});

test.run();
