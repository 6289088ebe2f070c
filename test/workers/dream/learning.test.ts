import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeLearning,
  encodeLearning,
  type Learning,
  learningName,
  mergePlaces,
} from '../../../workers/dream/learning.js';
import { dreamLimits } from '../../../workers/dream/limits.js';
import { decodeIndex, encodeIndex } from '../../../workers/dream/taken-sources.js';

const test = suite('learnings and their index');

const learning: Learning = {
  statement: 'The *kettle* trips `the breaker`: "always".',
  kind: 'pitfall',
  sources: [{ path: '.agents/notes/a.md' }, { path: '.agents/notes/b.md', heading: 'Lessons [1]' }],
};

test('a learning that is written is read back the same', () => {
  assert.equal(decodeLearning(encodeLearning(learning)), learning);
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 });
  const place = fc.record({ path: text, heading: fc.option(text, { nil: undefined }) });
  fc.assert(
    fc.property(text, fc.array(place, { maxLength: 4 }), (statement, places) => {
      const sources = places.map(({ path, heading }) => ({ path, ...(heading === undefined ? {} : { heading }) }));
      const made: Learning = { statement, kind: 'learning', sources };
      assert.equal(decodeLearning(encodeLearning(made)), made);
    }),
  );
});

test('one that was edited, or that somebody else made, is not ours to write over', () => {
  const text = encodeLearning(learning);
  for (const other of [
    `${text}And more.\n`,
    text.replace('pitfall', 'opinion'),
    text.replace('dream.run', 'wiki.build'),
    text.replace('kettle', 'teapot'),
    text.replace('---\n', '--- \n'),
    '# Notes\n',
    '',
  ])
    assert.is(decodeLearning(other), undefined, other);
});

test('its name comes from what it says, and is a plain file name', () => {
  assert.match(learningName(learning.statement), /^the-kettle-trips-the-breaker-always---[0-9a-f]{16}\.md$/);
  assert.match(learningName('???'), /^learning---[0-9a-f]{16}\.md$/);
  assert.match(learningName('../../etc/passwd is there'), /^etc-passwd-is-there---/);
  assert.is.not(learningName('One thing.'), learningName('One thing!'));
  assert.ok(learningName('word '.repeat(200)).length < 100);
});

test('places are merged in order, each once, and bounded', () => {
  const more = [{ path: '.agents/notes/b.md', heading: 'Lessons [1]' }, { path: '.agents/notes/0.md' }];
  assert.equal(
    mergePlaces(learning.sources, more).map(({ path }) => path),
    ['.agents/notes/0.md', '.agents/notes/a.md', '.agents/notes/b.md'],
  );
  const many = Array.from({ length: 500 }, (_, at) => ({ path: `${at}.md` }));
  const merged = mergePlaces(learning.sources, many);
  assert.is(merged.length, dreamLimits.sourcesOfLearning);
  assert.ok(
    merged.some(({ path }) => path === '.agents/notes/a.md'),
    'what was known stays',
  );
});

test('the index is written and read back, and what is none is nothing', () => {
  const index = new Map([
    ['b.md', { sha256: 'bb', learned: ['x.md'] }],
    ['a.md', { sha256: 'aa', learned: [] }],
  ]);
  assert.equal([...(decodeIndex(encodeIndex(index)) ?? [])].sort(), [...index].sort());
  for (const text of ['', '{', '[]', '{}', '{"built_by":"dream.run"}', '{"built_by":"x","sources":{}}'])
    assert.is(decodeIndex(text), undefined, text);
  assert.is(decodeIndex('{"built_by":"dream.run","sources":{"a":7,"b":{"sha256":"x"}}}')?.size, 1);
});

test.run();
