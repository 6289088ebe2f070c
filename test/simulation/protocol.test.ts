/**
 * The ledger's protocol, explored: the standard set to the last state (one run to a bound), with the counts that are
 * known; and for some rules what happens without them, so that an explorer gone blind is noticed.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ablations, withoutRule } from './protocol/ablations.js';
import { explore } from './protocol/explorer.js';
import { agreed } from './protocol/protocol.js';
import { runs } from './protocol/runs.js';

const test = suite('protocol');
const main = fileURLToPath(new URL('./protocol/main.js', import.meta.url));

for (const run of runs) {
  test(`holds: ${run.name}`, () => {
    const { violation, trace, states, depth, exhausted } = explore(run.scenario, run.stateLimit);
    assert.is(violation, '', trace.join('\n'));
    assert.equal({ states, depth }, { states: run.states, depth: run.depth });
    assert.is(exhausted, run.stateLimit === undefined);
  });
}

/** Quick ones, of every group: terms, checks, durability, repair, reading. */
const shortest: readonly (readonly [name: string, steps: number])[] = [
  ['a renewal takes any number', 16],
  ['lower terms are removed', 15],
  ['a term can be taken twice', 12],
  ['terms are listed before the segments', 23],
  ['check without the own term', 12],
  ['check without the next term', 10],
  ['check without the segment', 5],
  ['check before the write only', 11],
  ['the head is not synced', 9],
  ['the head is not written again', 10],
  ['a clean stop removes the only seal of a cut file', 13],
  ['the replay cuts', 7],
  ['no commit mark', 3],
  ['a torn end starts behind the last commit mark', 3],
  ['one head: a clone that returns', 12],
  ['nothing seals', 8],
  ['homes are not told apart', 11],
];

for (const [name, steps] of shortest) {
  test(`breaks in ${steps} steps: ${name}`, () => {
    const ablation = ablations.find((each) => each.name === name);
    assert.ok(ablation, 'there is no such ablation');
    const { violation, trace, exhausted } = explore(withoutRule(ablation));
    assert.is.not(violation, '');
    assert.is(trace.length, steps);
    assert.is(ablation.found, steps);
    assert.is(exhausted, false);
  });
}

test('every rule is taken away by some ablation', () => {
  const taken = new Set(ablations.flatMap(({ changes }) => Object.keys(changes)));
  assert.equal(
    Object.keys(agreed).filter((rule) => !taken.has(rule)),
    [],
  );
});

test('a bound stops a run, and is not taken for the end of it', () => {
  const { states, exhausted, violation } = explore({ writers: ['A', 'A', 'A'] }, 100);
  assert.ok(states >= 100 && states < 200, `${states} states`);
  assert.equal({ exhausted, violation }, { exhausted: false, violation: '' });
});

test('the command prints a row and the counterexample', () => {
  const { status, stdout } = spawnSync(process.execPath, [main, 'ablate', 'check without the segment'], {
    encoding: 'utf8',
  });
  assert.is(status, 0);
  assert.match(stdout, /^\| check without the segment \| 47 \| 5 \| [\d.]+ \| VIOLATION: /m);
  assert.match(stdout, / 5\. W0 passes the check and ACKNOWLEDGES key 1\n$/);
});

test('the command refuses a name that no run has', () => {
  const { status, stderr } = spawnSync(process.execPath, [main, 'nonsense'], { encoding: 'utf8' });
  assert.is(status, 2);
  assert.match(stderr, /No run has "nonsense" in its name/);
});

test.run();
