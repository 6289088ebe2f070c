/** The factory workers killed at any moment: no event and no run twice, nothing of git that is left over. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rounds } from '../support/crash-chance.js';
import { killAtRandomPoints } from '../support/killed-worker.js';

const test = suite('factory, killed');
const scenarioOf = (name: string): URL => new URL(`../support/fixtures/killed/factory-${name}.js`, import.meta.url);

test('an admitted order is recorded and handed on once', async () => {
  const { interrupted } = await killAtRandomPoints(scenarioOf('admission'), { rounds: rounds(4) });
  assert.ok(interrupted > 0);
});

test('a pilot leaves neither a worktree nor a second run', async () => {
  // Between two attempts git may hold what the killed one left; after the last everything is compared.
  const mayHold = (path: string): boolean => path.startsWith('.git/worktrees/');
  const { interrupted } = await killAtRandomPoints(scenarioOf('pilot'), { rounds: rounds(3), mayHold });
  assert.ok(interrupted > 0);
});

test.run();
