import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import type { AgentRequest, AgentRun } from '../../../workers/agents/agent.js';
import { askForObject } from '../../../workers/kit/ask-json.js';
import { askLimits } from '../../../workers/kit/ask-limits.js';
import { scriptedAgent } from '../../support/scripted-agent.js';

const test = suite('ask for an object');

const schema: JsonObject = {
  type: 'object',
  required: ['title'],
  additionalProperties: false,
  properties: { title: { type: 'string', maxLength: 40 }, count: { type: 'integer', minimum: 0 } },
};

async function asked(answers: readonly (string | Partial<AgentRun>)[], tries?: number) {
  const agent = scriptedAgent(answers);
  const result = await askForObject(agent, {
    prompt: 'What is it?',
    schema,
    ...(tries === undefined ? {} : { tries }),
  });
  return { result, requests: agent.requests };
}

async function objectIn(answer: string): Promise<unknown> {
  const { result } = await asked([answer], 1);
  return 'object' in result ? result.object : result.problem;
}

test('the object is found bare, in a fenced block, and in the middle of words', async () => {
  const plain = '{"title":"a","count":2}';
  for (const answer of [
    plain,
    `\n  ${plain}  \n`,
    `Here it is:\n\n\`\`\`json\n${plain}\n\`\`\`\nAnything else?`,
    `~~~\n${plain}\n~~~`,
    `\`\`\`json\n${plain}`,
    `\`\`\`sh\necho {}\n\`\`\`\n\n\`\`\`\n${plain}\n\`\`\``,
    `It is ${plain}, I think.`,
    `First {not this}, then ${plain}.`,
    `Not {"title":7} but ${plain}`,
  ]) {
    assert.equal(await objectIn(answer), { title: 'a', count: 2 }, answer);
  }
  assert.equal(await objectIn('so: {"title":"} \\" {"}'), { title: '} " {' });
});

test('what is wrong is named', async () => {
  const wrong: [string, RegExp][] = [
    ['', /^it is empty$/],
    ['no idea', /holds no JSON object/],
    ['[1,2]', /holds no JSON object/],
    ['{"title": "a"', /it is no JSON/],
    ['{"count":1}', /must have required property 'title'/],
    ['{"title":7}', /member title must be string/],
    ['{"title":"a","count":-1,"more":true}', /must NOT have additional properties \(more\).*member count must be >= 0/],
    [`{"title":"${'x'.repeat(41)}"}`, /member title must NOT have more than 40 characters/],
    ['{"title":"\\ud800"}', /lone surrogate/],
    [`{"title":${'['.repeat(100)}${']'.repeat(100)}}`, /nested deeper/],
    [`{"title":"a"}${' '.repeat(askLimits.answerCharacters)}`, /longer than 1048576 characters/],
    ['{"title":"a","\\u001b[2J\\u202e":1}', /\(\\u001b\[2J\\u202e\)/],
  ];
  for (const [answer, problem] of wrong) assert.match(String(await objectIn(answer)), problem, answer.slice(0, 60));
});

test('an answer that can not be used is asked again, with what was wrong', async () => {
  const { result, requests } = await asked(['{"title":7}', 'nothing', '{"title":"now"}']);
  assert.equal('object' in result ? result.object : result, { title: 'now' });
  assert.is(result.runs.length, 3);
  const prompts = requests.map(({ prompt }: AgentRequest) => prompt);
  assert.not.match(prompts[0] ?? '', 'could not be used');
  assert.match(prompts[1] ?? '', 'could not be used: member title must be string.');
  assert.match(prompts[1] ?? '', JSON.stringify('{"title":7}'));
  assert.match(prompts[2] ?? '', 'could not be used: it holds no JSON object.');
  for (const prompt of prompts) assert.ok(prompt.startsWith('What is it?') && prompt.includes('"maxLength": 40'));
  for (const { access } of requests) assert.is(access, 'read');
});

test('after the last try the problem is told, with the last answer', async () => {
  const { result, requests } = await asked(['no', 'no', 'not at all', '{"title":"too late"}']);
  assert.is(requests.length, askLimits.tries);
  if ('object' in result) throw new Error('an object came');
  assert.equal([result.problem, result.answer, result.failure], ['it holds no JSON object', 'not at all', undefined]);
  assert.is((await asked(['no', 'no'], 0)).requests.length, 1, 'at least once');
});

test('an agent that fails is not asked again, one that wanted too much is', async () => {
  const failure = { code: 'provider_unreachable' as const, message: 'the endpoint is not there' };
  const { result, requests } = await asked([
    { verdict: 'failed', why: 'no endpoint', failure, answer: '{"title":"a"}' },
  ]);
  assert.is(requests.length, 1);
  if ('object' in result) throw new Error('an object came from a failed run');
  assert.equal([result.problem, result.failure], ['no endpoint', failure]);
  const denied = { verdict: 'failed' as const, denials: [{ tool: 'Bash' }, { tool: 'Bash' }], answer: '{"title":"b"}' };
  const again = await asked([denied, '{"title":"c"}']);
  assert.equal('object' in again.result ? again.result.object : again.result, { title: 'c' });
  assert.match(again.requests[1]?.prompt ?? '', 'it asked for tools that it may not use (Bash)');
});

test('each try has a folder of its own', async () => {
  const agent = scriptedAgent(['no', '{"title":"a"}']);
  await askForObject(agent, {
    prompt: 'p',
    schema,
    folder: '/runs/x',
    artifactPrefix: 'page/',
    cwd: '/runs/y',
    timeoutMs: 5,
  });
  assert.equal(
    agent.requests.map(({ folder, artifactPrefix, cwd, timeoutMs }) => [folder, artifactPrefix, cwd, timeoutMs]),
    [
      ['/runs/x/try-1', 'page/try-1/', '/runs/y', 5],
      ['/runs/x/try-2', 'page/try-2/', '/runs/y', 5],
    ],
  );
});

test('a megabyte of anything is answered at once', async () => {
  for (const part of ['{', '}', '{"', '```a\n', '{}', '"', '\\', '{"a":', '~~~\n{\n', '[{']) {
    const startedAt = performance.now();
    await objectIn(part.repeat(Math.floor(1_000_000 / part.length)));
    assert.ok(performance.now() - startedAt < 3_000, part);
  }
});

test.run();
