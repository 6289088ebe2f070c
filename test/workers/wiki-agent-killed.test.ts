/** Pages by an agent, killed at any moment: whole or not there, and in the end the same, also what is in quarantine. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rounds } from '../support/crash-chance.js';
import { killAtRandomPoints } from '../support/killed-worker.js';

const test = suite('wiki by an agent, killed');
const scenario = new URL('../support/fixtures/killed/wiki-agent.js', import.meta.url);

test('pages by an agent end as if nothing had happened, and so does what is in quarantine', async () => {
  const { interrupted } = await killAtRandomPoints(scenario, { rounds: rounds(5), leastInTime: 0.2 });
  assert.ok(interrupted > 0);
});

test.run();
