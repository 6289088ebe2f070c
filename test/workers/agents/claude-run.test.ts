import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addCases, prepare, run, told } from '../../support/agent-cases.js';

const test = suite('claude run');
prepare(test);
addCases(test, 'claude');

test('a tool that is refused does not hide what came before it, and runs are told as they go', async () => {
  await run('claude', '[[say Hello.]]', { artifactPrefix: 'phase-2/' });
  const names = new Set(told.map(({ name }) => name));
  assert.equal([...names], ['phase-2']);
  assert.is(told[0]?.facts.verdict, undefined);
  const last = told.at(-1);
  assert.is(last?.facts.verdict, 'succeeded');
  assert.is(last?.facts.cost_usd, 0.25);
  assert.is(last?.urgent, true);
});

test.run();
