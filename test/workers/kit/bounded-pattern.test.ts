import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPattern } from '../../../workers/kit/bounded-pattern.js';

const test = suite('bounded pattern');

test('it is found anywhere, line by line, in Unicode', () => {
  assert.equal(findPattern('^b$', 'a\nb\nc', 500), { found: true });
  assert.equal(findPattern('^\\p{L}.$', 'ä😀', 500), { found: true });
  assert.equal(findPattern('d', 'a\nb\nc', 500), { found: false });
});

test('one that would search for ever is stopped in time', () => {
  const begunMs = performance.now();
  assert.equal(findPattern('^(a|a)*$', `${'a'.repeat(60)}!`, 100), {
    problem: 'the pattern was not done after 100 ms',
  });
  assert.ok(performance.now() - begunMs < 5000);
});

test('neither a pattern nor a text is taken for a program', () => {
  assert.equal(findPattern('"); process.exit(1); ("', '"); process.exit(1); ("', 500), {
    problem: "the pattern can't be used: Invalid regular expression: /\"); process.exit(1); (\"/mu: Unmatched ')'",
  });
});

test.run();
