import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { evalLimits } from '../../workers/eval/limits.js';
import { evalSkillDelta } from '../../workers/eval-skill-delta.js';
import { refusalOf, sha256, type WorkerBench } from '../support/builtin-context.js';
import { createEvalBench, putSuite, SUITE } from '../support/eval-bench.js';
import { scriptedAgent } from '../support/scripted-agent.js';

const test = suite<WorkerBench>('eval.skill-delta');

interface Scorecard {
  verdict: string;
  says: string;
  skill: { name: string; path: string; sha256: string };
  repeats: number;
  difference: number;
  flips: { to_pass: string[]; to_fail: string[] };
  agent?: { with: JsonObject; without: JsonObject };
  cases: { id: string; passed_without: number; passed_with: number }[];
}

test.before.each((context) => {
  Object.assign(context, createEvalBench());
  context.put('.agents/skills/knead/SKILL.md', 'Knead for ten minutes.\n');
  context.put('.agents/skills/knead/tool.sh', 'echo kneaded\n');
});
test.after.each((context) => context.remove());

const sh = (script: string) => ['sh', '-c', script];
const suites = {
  needs: { id: 'needs', command: sh('sh "$AGENTOPS_EVAL_SKILL/tool.sh"'), expect: { stdout: { equals: 'kneaded\n' } } },
  hates: { id: 'hates', command: sh('test ! -e .agents/skills/knead'), expect: { exit_code: 0 } },
  same: { id: 'same', command: ['true'], expect: { exit_code: 0 } },
};

async function compare(bench: WorkerBench, payload: JsonObject = {}): Promise<Scorecard> {
  await bench.run(evalSkillDelta, 'eval.skill-delta', { suite_path: SUITE, skill: 'knead', ...payload });
  return JSON.parse(bench.read(bench.artifacts['scorecard.json'] ?? '')) as Scorecard;
}

function refusal(bench: WorkerBench, payload: JsonObject): Promise<string> {
  return refusalOf(bench.run(evalSkillDelta, 'eval.skill-delta', { suite_path: SUITE, skill: 'knead', ...payload }));
}

test('each case runs with and without the skill, and the scorecard tells what flipped', async (bench) => {
  putSuite(bench, { cases: Object.values(suites) });
  const card = await compare(bench);
  assert.equal(card.cases.map(Object.values), [
    ['needs', 1, 0, 3, 1],
    ['hates', 1, 3, 0, -1],
    ['same', 1, 3, 3, 0],
  ]);
  assert.equal([card.repeats, card.difference, card.verdict], [3, 0, 'too_few_cases']);
  assert.equal(card.flips, { to_pass: ['needs'], to_fail: ['hates'] });
  assert.match(card.says, /n is too small .* 3 cases of the 10/);
  assert.equal(card.skill, {
    name: 'knead',
    path: '.agents/skills/knead',
    sha256: sha256('Knead for ten minutes.\n'),
  });
  const { runs } = JSON.parse(bench.read(bench.artifacts['runs.json'] ?? '')) as { runs: JsonObject[] };
  assert.equal(
    runs.slice(0, 4).map(({ id, side, repeat, verdict }) => [id, side, repeat, verdict]),
    [
      ['needs', 'without', 1, 'fail'],
      ['needs', 'without', 2, 'fail'],
      ['needs', 'without', 3, 'fail'],
      ['needs', 'with', 1, 'pass'],
    ],
  );
  assert.is(runs.length, 18);
  assert.not.ok(existsSync(join(bench.root, '.agents/runs/job-1/attempt-1/copies')));
});

test('the same suite gives the same bytes, and enough cases a verdict', async (bench) => {
  const expect = { stdout: { contains: 'Knead' } };
  const cases = Array.from({ length: 10 }, (_, at) => ({ id: `asks ${at}`, prompt: 'Bake', expect }));
  bench.agent = scriptedAgent(({ prompt }) => prompt);
  putSuite(bench, { cases });
  const card = await compare(bench, { repeats: 1 });
  assert.equal([card.verdict, card.difference], ['better', 1]);
  const files = ['scorecard.json', 'runs.json'].map((name) => bench.read(bench.artifacts[name] ?? ''));
  await compare(bench, { repeats: 1 });
  assert.equal(
    ['scorecard.json', 'runs.json'].map((name) => bench.read(bench.artifacts[name] ?? '')),
    files,
  );
});

test('a run without has the skill nowhere, wherever the copy would get it from', async (bench) => {
  bench.put('fixture/.agents/skills/knead/SKILL.md', 'An older one\n');
  const look = 'cat .agents/skills/knead/SKILL.md; cat elsewhere/SKILL.md';
  const each = { id: 'looks', fixture: 'fixture', files: ['.agents/skills'], command: sh(look) };
  putSuite(bench, { cases: [{ ...each, expect: { stdout: { equals: 'Knead for ten minutes.\n' }, exit_code: 1 } }] });
  symlinkSync('../.agents/skills/knead/SKILL.md', join(bench.root, 'fixture/elsewhere'));
  const [only] = (await compare(bench)).cases;
  assert.equal([only?.passed_without, only?.passed_with], [0, 3]);
});

test('an agent is told the skill, or nothing of it', async (bench) => {
  const agent = scriptedAgent(({ prompt, cwd = '' }) => ({
    answer: prompt.includes('Knead for ten') ? readFileSync(join(cwd, '.claude/skills/knead/tool.sh'), 'utf8') : 'none',
    cost_usd: 0.5,
  }));
  bench.agent = agent;
  const each = { id: 'asks', prompt: 'Bake', expect: { stdout: { contains: 'kneaded' } } };
  putSuite(bench, { skill_folder: '.claude/skills', cases: [each] });
  const card = await compare(bench, { repeats: 2 });
  assert.equal([card.cases[0]?.passed_without, card.cases[0]?.passed_with], [0, 2]);
  assert.equal(card.agent, { without: { name: 'claude', cost_usd: 1 }, with: { name: 'claude', cost_usd: 1 } });
  assert.equal(
    agent.requests.map(({ artifactPrefix }) => artifactPrefix),
    ['case-1/with-1/', 'case-1/without-1/', 'case-1/without-2/', 'case-1/with-2/'],
  );
  assert.match(agent.requests[0]?.prompt ?? '', /^Bake\n\nA skill is at hand in the folder \.claude\/skills\/knead /);
  assert.is(agent.requests[1]?.prompt, 'Bake');
});

test('what can not be compared names the member', async (bench) => {
  putSuite(bench, { cases: [suites.same] });
  bench.put('../outside/SKILL.md', 'secret');
  bench.put('skills/bare/notes.md', '');
  bench.put('skills/file', '');
  symlinkSync('../../outside', join(bench.root, 'skills/out'));
  mkdirSync(join(bench.root, 'skills/link'));
  symlinkSync('../bare/notes.md', join(bench.root, 'skills/link/SKILL.md'));
  const wrong: [JsonObject, RegExp][] = [
    [{ skill: '' }, /^payload\.skill: name the skill/],
    [{ skill: 'none' }, /^payload\.skill: "none" is not there; looked for \.agents\/skills\/none and skills\/none/],
    [{ skill: 'out' }, /^payload\.skill: .* leads out of the repository/],
    [{ skill: '../outside' }, /^payload\.skill: .* leads out of the repository/],
    [{ skill: './' }, /^payload\.skill: the repository as a whole is no skill/],
    [{ skill: 'file' }, /^payload\.skill: "skills\/file" is not a folder/],
    [{ skill: 'bare' }, /^payload\.skill: "skills\/bare\/SKILL\.md" is needed/],
    [{ skill: 'link' }, /^payload\.skill: "skills\/link\/SKILL\.md" is needed/],
    [{ skill: 5 }, /^payload\.skill must be a string/],
    [{ repeats: 0 }, /^payload\.repeats must be a number from 1 to 50/],
    [{ repeats: 51 }, /^payload\.repeats must be a number from 1 to 50/],
    [{ repeats: 1.5 }, /^payload\.repeats must be a whole number from 1 to 50/],
    [{ suite_path: null }, /^payload\.suite_path: name the suite/],
  ];
  for (const [payload, message] of wrong) assert.match(await refusal(bench, payload), message, JSON.stringify(payload));
  putSuite(bench, { cases: Array.from({ length: 60 }, (_, at) => ({ ...suites.same, id: `${at}` })) });
  assert.match(await refusal(bench, { repeats: 50 }), /^payload\.repeats: 6000 runs, more than 5000/);
  bench.put('.agents/skills/knead/large', 'x'.repeat(40_000_000));
  assert.match(await refusal(bench, { repeats: 1 }), /^payload\.skill: .* makes the copy larger than/);
});

test('of a long SKILL.md an agent is told the beginning', async (bench) => {
  bench.put('.agents/skills/knead/SKILL.md', 'x'.repeat(evalLimits.skillCharacters + 1));
  const agent = scriptedAgent(() => 'ok');
  bench.agent = agent;
  putSuite(bench, { cases: [{ id: 'asks', prompt: 'Bake', expect: { stdout: { equals: 'ok' } } }] });
  await compare(bench, { repeats: 1 });
  const told = agent.requests[0]?.prompt ?? '';
  assert.match(told, 'Its SKILL.md begins:');
  assert.is(told.length - told.indexOf('xxx'), evalLimits.skillCharacters);
});

test.run();
