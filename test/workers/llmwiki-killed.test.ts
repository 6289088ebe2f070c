/** The upkeep of a vault killed at any moment: no page is half written, and no tick takes its own work for done before. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodePage } from '../../workers/kit/pages.js';
import { decodeSentinel } from '../../workers/llmwiki/vault-sentinel.js';
import { rounds } from '../support/crash-chance.js';
import { killAtRandomPoints } from '../support/killed-worker.js';

const test = suite('llmwiki, killed');
const scenario = new URL('../support/fixtures/killed/llmwiki.js', import.meta.url);

function isWhole(path: string, text: string): boolean {
  if (path === 'vault/.llmwiki.json') return decodeSentinel(text) !== undefined;
  return path.startsWith('vault/vault--') && !('reason' in decodePage(text));
}

test('two ticks end as if nothing had happened', async () => {
  const { interrupted } = await killAtRandomPoints(scenario, { rounds: rounds(4), leastInTime: 0.2, mayHold: isWhole });
  assert.ok(interrupted > 0);
});

test.run();
