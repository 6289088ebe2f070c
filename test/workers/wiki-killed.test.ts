/** The wiki workers killed at any moment: no page is half written, and the next run ends as if nothing had happened. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rounds } from '../support/crash-chance.js';
import { killAtRandomPoints } from '../support/killed-worker.js';

const test = suite('wiki, killed');
const scenario = new URL('../support/fixtures/killed/wiki.js', import.meta.url);

test('every file is whole or not there, whenever the kill comes, and the next run ends as if it had not', async () => {
  const { interrupted } = await killAtRandomPoints(scenario, { rounds: rounds(12) });
  assert.ok(interrupted > 0);
});

test.run();
