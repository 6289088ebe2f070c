import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readDocument } from '../../../workers/kit/read-document.js';

const test = suite('read document');

function sections(text: string): [string, string][] {
  return readDocument('docs/a.md', text).sections.map(({ heading, excerpt }) => [heading, excerpt]);
}

test('headings of both kinds, and the first paragraph below each', () => {
  const text =
    'Great\n=====\n\nintro\n\nSmall\n-----\nfirst *line*\nsecond line\n\nnot this\n\n### Closed ###\n- list\n  more of it\n\nprose';
  assert.is(readDocument('a.md', text).title, 'Great');
  assert.is(readDocument('a.md', text).summary, 'intro');
  assert.equal(sections(text), [
    ['Small', 'first line second line'],
    ['Closed', 'prose'],
  ]);
});

test('what stands in a fence is neither heading nor prose', () => {
  assert.equal(sections('# T\n\n## One\n```sh\n# no\n~~~\n## no\n```\ntext\n## Two\n~~~~\n~~~\n# no\n'), [
    ['One', 'text'],
    ['Two', ''],
  ]);
});

test('the title: front matter, else the heading that begins it, else the great one, else the file', () => {
  const titleOf = (text: string): string => readDocument('docs/some-file.md', text).title;
  assert.is(titleOf('---\ntitle: "From: matter"\n---\n# Other\n'), 'From: matter');
  assert.is(titleOf('## Begins\n\n# Great\n'), 'Begins');
  assert.is(titleOf('words first\n\n## Small\n\n# Great\n'), 'Great');
  assert.is(titleOf('words first\n\n## Small\n'), 'some-file');
  assert.is(titleOf(''), 'some-file');
  assert.is(titleOf('---\nno: [matter\n---\n# Real\n'), 'Real');
});

test('links: to documents by their page, to the web as they are, nothing else', () => {
  const text = [
    '[a](b.md) [c](../d/e%20f.md "title") [g](/h.md#part) ![pic](p.md) [code](x.ts) [self](a.md#x) [up](../../out.md)',
    '[[wiki/page]] [[wiki/other.md|shown]] [m](mailto:x@y.z) [j](javascript:alert.md) [n](//host/x.md) [w](https://w.example/?q=1)',
    '',
    '[ref]: ref.md',
  ].join('\n');
  const { links, webLinks } = readDocument('docs/a.md', text);
  assert.equal(
    links.filter((link) => !link.includes('---')),
    ['docs--b.md', 'docs--ref.md', 'docs--wiki--other.md', 'docs--wiki--page.md', 'h.md'],
  );
  assert.is(links.filter((link) => link.includes('---')).length, 1, 'd/e f.md');
  assert.equal(webLinks, ['https://w.example/?q=1']);
});

test('key words: by weight, then by letters; no stop words, no code', () => {
  const { keywords } = readDocument(
    'a.md',
    '# Kettle\n\nWhich water? Water and stone and stone. There is tea.\n\n```\ncode code code code\n```\n',
  );
  assert.equal(keywords, ['kettle', 'stone', 'water']);
});

test('controls become visible, and a cut keeps whole characters', () => {
  const { title, summary } = readDocument('a.md', `# a\u001b[2J\u202eb\n\n${'😀'.repeat(400)}\n`);
  assert.is(title, 'a\\u001b[2J\\u202eb');
  assert.ok(summary.isWellFormed() && summary.length <= 600);
});

test('a carriage return ends no word', () => {
  assert.equal(sections('# T\r\n\r\n## One\r\n\r\ntext\r\n'), [['One', 'text']]);
});

test.run();
