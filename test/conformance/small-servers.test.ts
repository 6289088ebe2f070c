/**
 * A server that is none of ours, whole and with reads alone: it gets the levels that it keeps. Where something is said
 * against it, this program has taken a habit of the daemon for the contract.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sideBySide } from './side-by-side.js';
import { judgedSmall } from './small-servers.js';

const test = suite('conformance, small servers');

const judgedOf = sideBySide(test, {
  whole: () => judgedSmall({ keep: 'file', claims: ['observe', 'enqueue'] }),
  reads: () => judgedSmall({ keep: 'file', claims: ['observe'], words: ['--only-reads'] }),
});

test('whole: CONFORMANT in what it claims, and nothing is said against it', async () => {
  const { code, report, said } = await judgedOf('whole');
  assert.equal(said, []);
  assert.equal(report.levels, { observe: 'CONFORMANT', enqueue: 'CONFORMANT' });
  assert.is(code, 0);
});

test('reads alone: what nobody can submit is not tested, and nothing is held against it', async () => {
  const { code, report, said } = await judgedOf('reads');
  assert.equal(said, []);
  assert.equal(report.levels, { observe: 'INCOMPLETE' });
  assert.is(code, 4);
  const submits = report.checks.find(({ id }) => id === 'observe.events.envelope');
  assert.match(submits?.reason ?? '', /no POST \/v1\/jobs/);
});

test.run();
