/** A fresh daemon, started, killed and damaged by the conformance program: the level `observe`, whole. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints, judged, OWN_PROFILE } from './program.js';

const test = suite('conformance, observe');

test('the daemon is CONFORMANT, and nothing is even warned of', async () => {
  const { code, report } = await judged('--profile', OWN_PROFILE, '--level', 'observe');
  assert.equal(complaints(report), []);
  assert.equal(report.levels, { observe: 'CONFORMANT' });
  assert.is(code, 0);
});

test.run();
