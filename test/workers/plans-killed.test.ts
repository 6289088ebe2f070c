/** The projection killed at any moment: each of its files is the old or the new one, whole. */
import { suite } from 'uvu';
import { rounds } from '../support/crash-chance.js';
import { killAtRandomPoints } from '../support/killed-worker.js';

const test = suite('plans.projection, killed');

test('each file is the old or the new one, and the next run ends as if nothing had happened', async () => {
  const scenario = new URL('../support/fixtures/killed/plans.js', import.meta.url);
  await killAtRandomPoints(scenario, { rounds: rounds(20) });
});

test.run();
