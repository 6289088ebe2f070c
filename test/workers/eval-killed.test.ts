/** The eval workers killed at any moment: the next run takes up what is finished, and reports as if nothing had happened. */
import { suite } from 'uvu';
import { rounds } from '../support/crash-chance.js';
import { killAtRandomPoints } from '../support/killed-worker.js';

const test = suite('eval, killed');

for (const name of ['eval-suite', 'eval-skill-delta'])
  test(`${name}: the report is that of an undisturbed run, and no copy is left`, async () => {
    const scenario = new URL(`../support/fixtures/killed/${name}.js`, import.meta.url);
    await killAtRandomPoints(scenario, { rounds: rounds(4), leastInTime: 0.2 });
  });

test.run();
