import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodePage, encodePage, entityNameOf, type PageFacts, pageNameOf } from '../../../workers/kit/pages.js';

const test = suite('pages');

const text = fc.string({ unit: 'grapheme' }).filter((each) => each.isWellFormed());
const facts: fc.Arbitrary<PageFacts> = fc.record({
  title: text,
  source: text,
  source_sha256: text,
  forged_by: text,
  summary: text,
  sections: fc.array(text),
  keywords: fc.array(text),
  links: fc.array(text),
});

test('what is written is read back, whatever the texts hold', () => {
  fc.assert(
    fc.property(facts, text, (page, body) => assert.equal(decodePage(encodePage({ ...page }, body)), { ...page })),
  );
});

test('the front matter of people is YAML of any form', () => {
  const page =
    "\uFEFF---\r\ntitle: It's mine\r\nsource: a.md\r\nsource_sha256: '1'\r\nforged_by: me\r\nkeywords:\r\n  - one\r\n  - 2\r\n---\r\nbody";
  assert.equal(decodePage(page), {
    title: "It's mine",
    source: 'a.md',
    source_sha256: '1',
    forged_by: 'me',
    summary: '',
    sections: [],
    keywords: ['one'],
    links: [],
  });
});

test('what is no page says why', () => {
  assert.equal(decodePage('# text\n---\n'), { reason: 'no front matter' });
  assert.equal(decodePage('---\n- a list\n---\n'), { reason: 'its front matter is no YAML' });
  assert.equal(decodePage('---\n---\n'), { reason: 'its front matter is no YAML' });
  assert.equal(decodePage('---\nforged_by: x\nforged_by: y\n---\n'), { reason: 'its front matter is no YAML' });
  assert.equal(decodePage('---\ntitle: x\n---\n'), { reason: 'not forged' });
});

test('a name is one file name, its own for each path, and never reserved', () => {
  const path = fc
    .array(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 1 })
    .map((parts) => parts.join('/'));
  const plain = fc.stringMatching(/^[a-z](?:[-/.][a-z])*\.md$/);
  const either = fc.oneof(path, plain);
  const isName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,130}\.md$/.test(name);
  fc.assert(
    fc.property(either, either, (one, other) => {
      assert.ok(isName(pageNameOf(one)) && isName(entityNameOf(one)), `${pageNameOf(one)} ${entityNameOf(one)}`);
      if (one !== other) {
        assert.is.not(pageNameOf(one), pageNameOf(other));
        assert.is.not(entityNameOf(one), entityNameOf(other));
      }
    }),
    { numRuns: 1000 },
  );
  assert.is(pageNameOf('docs/first-steps.md'), 'docs--first-steps.md');
  assert.match(pageNameOf('index.md'), /^index\.md---[0-9a-f]{10}\.md$/);
  assert.match(pageNameOf(`${'long/'.repeat(100)}a.md`), /^.{0,120}---[0-9a-f]{10}\.md$/);
});

test.run();
