import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;
const ROUNDS = 20_000;
/** Whatever holds the values has become old by then. */
const OLD_AFTER = 300;

/**
 * Lets something happen again and again, each time with a new object of 8 KiB, and tells how much of them all stood in
 * the old space at most, in MB: 160 if every one of them did.
 */
export function mostPromotedMb(pass: (value: object, round: number) => void): number {
  const oldMb = () =>
    (getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0) / 1e6;
  collect({ type: 'major' });
  const fromMb = oldMb();
  let mostMb = 0;
  for (let round = 0; round < ROUNDS; round++) {
    pass(new Array<number>(1024).fill(round), round);
    if (round === OLD_AFTER) for (let time = 0; time < 2; time++) collect({ type: 'minor' });
    if (round % 100 === 0) mostMb = Math.max(mostMb, oldMb() - fromMb);
  }
  return mostMb;
}
