import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addCases, agentOf, prepare, run } from '../../support/agent-cases.js';

const test = suite('codex run');
prepare(test);
addCases(test, 'codex');

test('what a resumed thread had used before is not counted again', async () => {
  const agent = agentOf('codex', { args: ['exec', 'resume', 'thread-a'] });
  const used = async () => (await agent.run({ access: 'write', prompt: 'x' })).usage?.input_tokens;
  assert.equal([await used(), await used(), await used()], [100, 100, 100]);
});

test('what Codex keeps of a thread tells what it had used before, and in a turn that was cut short', async () => {
  const told = await run('codex', '[[spent 700]] [[spent 1100]] [[exit 1]]', { args: ['exec', 'resume', 'thread-b'] });
  assert.is(told.verdict, 'failed');
  assert.is(told.usage?.input_tokens, 400);
});

test.run();
