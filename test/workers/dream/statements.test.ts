import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dreamLimits } from '../../../workers/dream/limits.js';
import { statementsIn } from '../../../workers/dream/statements.js';

const test = suite('statements');

const texts = (text: string): string[] => statementsIn(text).statements.map((found) => found.text);

test('items and paragraphs below a heading that says so, until a heading of its level', () => {
  const text = [
    '# A migration',
    'Nothing was learned up here.',
    '## Lessons learned',
    'Copy the table before you touch it.',
    '',
    '- Index the new column first,',
    '  then fill it.',
    '* [x] Tell the others **before** you begin',
    '### In detail',
    '1. Run `vacuum` over night, never by day.',
    '## Next steps',
    '- Order a larger disk soon.',
  ].join('\n');
  assert.equal(statementsIn(text).statements, [
    { text: 'Copy the table before you touch it.', kind: 'learning', heading: 'Lessons learned' },
    { text: 'Index the new column first, then fill it.', kind: 'learning', heading: 'Lessons learned' },
    { text: 'Tell the others before you begin', kind: 'learning', heading: 'Lessons learned' },
    { text: 'Run vacuum over night, never by day.', kind: 'learning', heading: 'In detail' },
  ]);
});

test('lines with a label, wherever they stand, each of its kind', () => {
  const kinds: [string, string][] = [
    ['Lesson: keep the old key for a week.', 'learning'],
    ['- **Gotcha:** the cache keeps the old key.', 'pitfall'],
    ['Decision: keys live for a week.', 'decision'],
    ['**Root cause**: the key was read once, at start.', 'cause'],
    ['Best practice: read the key at every use.', 'pattern'],
    ['TIL: a key can be read twice.', 'learning'],
    ['Anti-pattern: a key in a global variable.', 'pitfall'],
  ];
  for (const [line, kind] of kinds) {
    const [found, ...more] = statementsIn(`Some words.\n${line}\n\nOther words.`).statements;
    assert.equal([found?.kind, more.length], [kind, 0], line);
  }
  assert.equal(texts('Lesson: one goes on\nover two lines.\n\nNot this.'), ['one goes on over two lines.']);
});

test('what is no statement is none', () => {
  for (const text of [
    '',
    'Lesson: short.',
    'Lesson: these are:',
    '```\nLesson: this is only an example.\n```',
    '> Lesson: somebody else said so.',
    '## Lessons\n\n| a | table | of words |',
    'The lesson: is in the middle of it.',
    'Lessons are taught in the morning.',
  ])
    assert.equal(texts(text), [], text);
});

test('the same text stands once', () => {
  assert.is(texts('Lesson: keep the old key.\n\nGotcha: keep the old key.').length, 1);
});

test('what looks like a secret is left out, and counted', () => {
  for (const secret of [
    'Lesson: the key is sk-abcdef0123456789abcdef now.',
    'Lesson: use ghp_0123456789abcdefABCDEF for that.',
    'Lesson: log in with password: hunter2hunter2 there.',
    'Lesson: send Authorization: Bearer abcdefghijklmnopqrstuvwx with it.',
    'Lesson: it begins with -----BEGIN RSA PRIVATE KEY----- there.',
  ])
    assert.equal(statementsIn(secret), { statements: [], leftOut: 1 }, secret);
  assert.is(texts('Lesson: a token is read from the state folder.').length, 1);
});

test('what says too little is no statement', () => {
  const { statementLeastCharacters, statementLeastWords } = dreamLimits;
  const shortest = `${'a '.repeat(statementLeastWords - 1)}`.padEnd(statementLeastCharacters, 'b');
  assert.equal(texts(`Lesson: ${shortest}`), [shortest]);
  assert.equal(texts(`Lesson: ${shortest.slice(0, -1)}`), []);
  const oneWordLess = 'long'.repeat(statementLeastCharacters).concat(' word'.repeat(statementLeastWords - 2));
  assert.equal(texts(`Lesson: ${oneWordLess}`), []);
  assert.equal(texts(`Lesson: ${oneWordLess} more`), [`${oneWordLess} more`]);
});

test('of a long line the rest is not read, of a long statement the rest is not kept', () => {
  const { lineCharacters, statementCharacters } = dreamLimits;
  const item = '- The part has to be oiled';
  const indented = (characters: number) => texts(`# Lessons\n\n${item.padStart(characters)}`);
  assert.equal(indented(lineCharacters), ['The part has to be oiled']);
  assert.equal(indented(lineCharacters + 1), ['The part has to be oile']);
  const longest = 'word '
    .repeat(statementCharacters)
    .slice(0, statementCharacters - 1)
    .concat('!');
  assert.equal(texts(`Lesson: ${longest}`), [longest]);
  assert.equal(texts(`Lesson: ${longest}?`), [`${longest.slice(0, -1)}…`]);
});

test('every step is bounded', () => {
  const { statementsPerSource, statementCharacters } = dreamLimits;
  const many = Array.from({ length: statementsPerSource + 7 }, (_, at) => `- The part ${at} has to be oiled.`);
  const found = statementsIn(`# Lessons\n\n${many.join('\n')}`);
  assert.equal([found.statements.length, found.leftOut], [statementsPerSource, 7]);
  const [long] = texts(`Lesson: ${'word '.repeat(200_000)}`);
  assert.is(long?.length, statementCharacters);
  const startedAt = performance.now();
  for (const part of ['- ', '**', '_', '* * ', 'Lesson: ', '`', '[', '<a', '# ', '\t', '-', 'key takeaways '])
    statementsIn(`# Lessons\n\n${part.repeat(1_000_000 / part.length)}\n${`${part}\n`.repeat(2_000)}`);
  assert.ok(performance.now() - startedAt < 5_000);
});

test.run();
