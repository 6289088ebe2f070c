/** A fresh daemon, started, killed and damaged by the conformance program: the level `enqueue`, whole. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints, judged, OWN_PROFILE } from './program.js';

const test = suite('conformance, enqueue');

test('the daemon is CONFORMANT, and nothing is even warned of', async () => {
  const { code, report } = await judged('--profile', OWN_PROFILE, '--level', 'enqueue');
  assert.equal(complaints(report), []);
  assert.equal(report.levels, { enqueue: 'CONFORMANT' });
  assert.is(code, 0);
});

test.run();
