/** The stages of a dream as jobs of their own, killed at any moment: no checkpoint is half written, and none is lost. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rounds } from '../support/crash-chance.js';
import { killAtRandomPoints } from '../support/killed-worker.js';

const test = suite('dream stages, killed');
const scenario = new URL('../support/fixtures/killed/dream-stages.js', import.meta.url);

test('each stage goes on from the one before it, as if nothing had happened', async () => {
  const { interrupted } = await killAtRandomPoints(scenario, { rounds: rounds(5), leastInTime: 0.2 });
  assert.ok(interrupted > 0);
});

test.run();
