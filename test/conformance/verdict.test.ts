/** From findings to verdicts, from verdicts to levels and the exit code. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Level, Severity } from '../../spec/conformance/catalogue.js';
import type { Finding } from '../../spec/conformance/findings.js';
import { exitCodeOf, type Judged, levelVerdict, type Verdict, verdictOf } from '../../spec/conformance/verdict.js';

const test = suite('conformance, verdicts');
const ran = { kind: 'ran' } as const;
const found = (severity: Severity): Finding => ({ severity, expected: 'a', observed: 'b' });

test('a part weighs at most as much as its check', () => {
  assert.is(verdictOf('MUST', [], ran), 'pass');
  assert.is(verdictOf('MUST', [found('MAY'), found('MUST')], ran), 'fail');
  assert.is(verdictOf('MUST', [found('SHOULD')], ran), 'warn');
  assert.is(verdictOf('SHOULD', [found('MUST')], ran), 'warn');
  assert.is(verdictOf('MAY', [found('MUST')], ran), 'info');
});

test('what a monitor saw stands where the check could not run', () => {
  const missing = { kind: 'not-tested', reason: 'no token' } as const;
  assert.is(verdictOf('MUST', [], missing), 'not-tested');
  assert.is(verdictOf('MUST', [found('MUST')], missing), 'fail');
  assert.is(verdictOf('MUST', [found('SHOULD')], missing), 'not-tested');
  assert.is(verdictOf('SHOULD', [found('SHOULD')], missing), 'warn');
  assert.is(verdictOf('MUST', [found('MUST')], { kind: 'unsupported', reason: 'by design' }), 'unsupported');
  assert.is(verdictOf('MUST', [], { kind: 'error', reason: 'a fault' }), 'error');
});

const judged = (verdict: Verdict, level: Level = 'observe', severity: Severity = 'MUST'): Judged => ({
  level,
  severity,
  verdict,
});

test('only what passed makes a level', () => {
  assert.is(levelVerdict([judged('pass'), judged('warn')], 'observe'), 'CONFORMANT');
  assert.is(levelVerdict([judged('pass'), judged('fail', 'enqueue')], 'observe'), 'CONFORMANT');
  assert.is(levelVerdict([judged('pass'), judged('not-tested', 'observe', 'SHOULD')], 'observe'), 'CONFORMANT');
  for (const verdict of ['not-tested', 'n/a', 'unsupported', 'error'] as const)
    assert.is(levelVerdict([judged('pass'), judged(verdict)], 'observe'), 'INCOMPLETE', verdict);
  assert.is(levelVerdict([judged('not-tested'), judged('fail')], 'observe'), 'NON-CONFORMANT');
  assert.is(levelVerdict([], 'observe'), 'INCOMPLETE');
});

test('exit codes', () => {
  assert.is(exitCodeOf([judged('pass')], ['observe']), 0);
  assert.is(exitCodeOf([judged('pass'), judged('fail')], ['observe']), 1);
  assert.is(exitCodeOf([judged('pass'), judged('fail', 'enqueue')], ['observe']), 0);
  assert.is(exitCodeOf([judged('fail'), judged('error')], ['observe']), 1);
  assert.is(exitCodeOf([judged('pass'), judged('error')], ['observe']), 3);
  assert.is(exitCodeOf([judged('pass'), judged('not-tested')], ['observe']), 4);
  assert.is(exitCodeOf([], []), 4);
});

test.run();
