/** Dreams killed at any moment: no learning is half written, none is there twice, and no checkpoint is lost. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeLearning } from '../../workers/dream/learning.js';
import { decodeIndex } from '../../workers/dream/taken-sources.js';
import { rounds } from '../support/crash-chance.js';
import { killAtRandomPoints } from '../support/killed-worker.js';

const test = suite('dream, killed');
const scenario = new URL('../support/fixtures/killed/dream.js', import.meta.url);

/** A file between two iterations, or two jobs: whole, though it is neither the first nor the last of its kind. */
function isWhole(path: string, text: string): boolean {
  if (path === '.agents/dream/index.json') return decodeIndex(text) !== undefined;
  if (path.startsWith('.agents/learnings/')) return decodeLearning(text) !== undefined;
  if (path === 'reports/summary.md') return text.startsWith('---\n') && text.endsWith('\n');
  return path === 'reports/summary.json' && JSON.parse(text).schema_version === 1;
}

test('a dream of several iterations ends as if nothing had happened', async () => {
  const { interrupted } = await killAtRandomPoints(scenario, { rounds: rounds(4), leastInTime: 0.2, mayHold: isWhole });
  assert.ok(interrupted > 0);
});

test.run();
