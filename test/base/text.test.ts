import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { counted, safeLine, safeText } from '../../lib/base/text.js';

const test = suite('text');

test('controls and bidirectional marks become visible', () => {
  assert.is(safeText('a\u001b[2Jb\u202ec\u0007d\re'), 'a\\u001b[2Jb\\u202ec\\u0007d\\u000de');
  assert.is(safeText('one\n\ttwo ü 😀'), 'one\n\ttwo ü 😀');
});

test('a line stays one line', () => {
  assert.is(safeLine('one\n\ttwo'), 'one\\n\\ttwo');
});

test('one page, two pages', () => {
  assert.equal(
    [0, 1, 2].map((count) => counted(count, 'page')),
    ['0 pages', '1 page', '2 pages'],
  );
});

test.run();
