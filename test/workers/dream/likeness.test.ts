import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLikeness } from '../../../workers/dream/likeness.js';

const test = suite('likeness');

/** For each text the index of the one that it is like. */
function placed(...texts: readonly string[]): number[] {
  const likeness = createLikeness(texts);
  return texts.map((text) => likeness.place(text).index);
}

test('the same in nearly the same words is one', () => {
  const [first] = placed('Run the migration before you restart the server.');
  assert.is(first, 0);
  for (const other of [
    'run the migration before you restart the server',
    'Run the migration, before you restart the server!',
    'Run a migration before you restart the server.',
    'Always run the migration before you restart the server.',
  ])
    assert.equal(placed('Run the migration before you restart the server.', other), [0, 0], other);
});

test('what says something else stays apart', () => {
  for (const [one, other] of [
    ['Restart the server before the migration runs.', 'Run the migration before the server restarts.'],
    ['Run the migration before you restart it.', 'Never run the migration before you restart it.'],
    ['Keep the old key for 7 days after a change.', 'Keep the old key for 30 days after a change.'],
    ['The client calls the server of the shop.', 'The server calls the client of the shop.'],
    ["The cache doesn't keep the old key of a user.", 'The cache does keep the old key of a user.'],
    ['Copy the table.', 'Index the column.'],
  ])
    assert.equal(placed(one ?? '', other ?? ''), [0, 1], other);
});

test('each goes to the first that is most like it', () => {
  const texts = ['a one two three four five six', 'b one two three four five six seven', 'one two three four five six'];
  assert.equal(placed(...texts), placed(...texts));
  assert.equal(placed('same words here', 'other words there', 'Same words here.'), [0, 1, 0]);
});

test('comparing few finds what comparing all would', () => {
  const word = fc.constantFrom(...'alpha beta gamma delta epsilon zeta eta theta iota kappa'.split(' '));
  const sentence = fc.array(word, { minLength: 3, maxLength: 9 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.array(sentence, { minLength: 2, maxLength: 12 }), (texts) => {
      const likeness = createLikeness(texts);
      const firsts: string[] = [];
      for (const text of texts) {
        const { index, isNew } = likeness.place(text);
        const like = firsts.findIndex((first) => placed(first, text)[1] === 0);
        assert.is(isNew, like < 0, text);
        if (isNew) assert.is(firsts.push(text) - 1, index);
      }
    }),
    { numRuns: 300 },
  );
});

test('thousands are placed in a moment', () => {
  const texts = Array.from(
    { length: 5_000 },
    (_, at) => `The part ${at} of the machine has to be oiled before work number ${at % 97} begins.`,
  );
  const startedAt = performance.now();
  assert.is(new Set(placed(...texts)).size, 5_000);
  assert.ok(performance.now() - startedAt < 10_000);
});

test('what is like nothing, though it shares nearly all its words, is placed without a look at all others', () => {
  const texts = Array.from(
    { length: 3_000 },
    (_, at) => `word${at % 7} is before thing${at % 11} and after part${at % 13} of house${at}`,
  );
  const before = process.cpuUsage();
  placed(...texts);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 10_000_000, `${user + system} µs of processor time`);
});

test.run();
