import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wikiLimits } from '../../../workers/wiki/limits.js';
import { wikiOf } from '../../../workers/wiki/model.js';
import type { WikiPage } from '../../../workers/wiki/pages.js';

const test = suite('wiki model');

function page(name: string, more: Partial<WikiPage> = {}): WikiPage {
  const facts = {
    title: name,
    source: name,
    source_sha256: '',
    forged_by: 'x',
    summary: '',
    sections: [],
    keywords: [],
    links: [],
  };
  return { name, sha256: '', ...facts, ...more };
}

test('a link to itself is no back-link, and a link given twice is one', () => {
  const pages = [page('a.md', { links: ['a.md', 'b.md', 'b.md'] }), page('b.md')];
  const { backLinks, brokenLinks } = wikiOf({ pages, others: [] });
  assert.equal(
    [...backLinks],
    [
      ['a.md', []],
      ['b.md', ['a.md']],
    ],
  );
  assert.equal(brokenLinks, []);
});

test('an entity is a key word of several pages; of too many the common ones stay', () => {
  const { entitiesAtMost } = wikiLimits;
  const words = Array.from({ length: entitiesAtMost + 5 }, (_, at) => `word${String(at).padStart(4, '0')}`);
  const last = words.at(-1) ?? '';
  const pages = [
    page('a.md', { keywords: [...words, 'alone'] }),
    page('b.md', { keywords: words }),
    page('c.md', { keywords: [last] }),
  ];
  const { entities } = wikiOf({ pages, others: [] });
  assert.is(entities.length, entitiesAtMost);
  assert.equal([entities.at(-1)?.word, entities.at(-1)?.pages.length], [last, 3]);
  assert.is(entities[entitiesAtMost - 2]?.word, words[entitiesAtMost - 2]);
  assert.not.ok(entities.some(({ word }) => word === 'alone'));
});

test.run();
