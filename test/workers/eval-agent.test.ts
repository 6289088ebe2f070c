/** Cases for an agent, and runs that an earlier attempt has finished. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evalSuite } from '../../workers/eval-suite.js';
import { refusalOf, type WorkerBench } from '../support/builtin-context.js';
import { broken, createEvalBench, putSuite, runSuite, SUITE } from '../support/eval-bench.js';
import { scriptedAgent } from '../support/scripted-agent.js';

const test = suite<WorkerBench>('eval, agent');

test.before.each((context) => {
  Object.assign(context, createEvalBench());
  context.put('fixture/todo.md', 'nothing\n');
});
test.after.each((context) => context.remove());

const writes = {
  id: 'writes',
  prompt: 'Write done into todo.md',
  fixture: 'fixture',
  timeout_seconds: 9,
  expect: { stdout: { contains: 'did it' }, files: { 'todo.md': { equals: 'done\n' } } },
};

test('an agent works in the copy, its answer counts as output, and what it used is told', async (bench) => {
  const usage = { input_tokens: 100, output_tokens: 20 };
  const agent = scriptedAgent(({ cwd = '' }) => {
    writeFileSync(join(cwd, 'todo.md'), 'done\n');
    return { answer: 'I did it.', cost_usd: 0.1, usage };
  });
  bench.agent = agent;
  const report = await runSuite(bench, { cases: [writes, { ...writes, id: 'again' }] });
  assert.is(report.verdict, 'pass');
  assert.equal(report.cases[0]?.agent, { name: 'claude', cost_usd: 0.1, tokens: 120 });
  assert.is(bench.read('fixture/todo.md'), 'nothing\n');
  const [first] = agent.requests;
  assert.equal(
    [first?.prompt, first?.access, first?.timeoutMs, first?.artifactPrefix],
    ['Write done into todo.md', 'write', 9000, 'case-1/try-1/'],
  );
  assert.is(first?.folder, join(bench.root, '.agents/runs/job-1/evals/case-1/try-1'));
});

test('git in a copy does not find the repository around it', async (bench) => {
  execFileSync('git', ['init', '--quiet'], { cwd: bench.root });
  const top = () => spawnSync('git', ['rev-parse', '--show-toplevel'], { cwd: asked, encoding: 'utf8' });
  let asked = bench.root;
  assert.is(top().stdout.trim(), bench.root);
  bench.agent = scriptedAgent(({ cwd = '' }) => {
    asked = cwd;
    const outside = top();
    execFileSync('git', ['init', '--quiet'], { cwd });
    return `${outside.status} ${outside.stdout}, own ${top().stdout.trim() === cwd}`;
  });
  const report = await runSuite(bench, {
    cases: [{ id: 'a', prompt: 'x', expect: { stdout: { equals: '128 , own true' } } }],
  });
  assert.is(report.verdict, 'pass');
});

test('an agent that fails fails its case, with why; of its tries the report has all', async (bench) => {
  bench.agent = scriptedAgent([
    { verdict: 'failed', why: 'it asked for a tool that it may not use', answer: 'I did it' },
    { verdict: 'succeeded', answer: 'did it not' },
  ]);
  const report = await runSuite(bench, { cases: [{ ...writes, tries: 2 }] });
  const [first, second] = report.cases[0]?.attempts ?? [];
  assert.equal(
    [first?.exit_code, first?.why, first && broken(first)],
    [
      1,
      'it asked for a tool that it may not use',
      ['exit_code equals 0: 1', 'file "todo.md" equals "done\\n": nothing\n'],
    ],
  );
  assert.equal([second?.exit_code, second && broken(second)], [0, ['file "todo.md" equals "done\\n": nothing\n']]);
});

test('without an agent, or with one that can not be reached, nothing is found out: the job fails', async (bench) => {
  putSuite(bench, { cases: [{ id: 'a', command: ['true'], expect: { exit_code: 0 } }, writes] });
  assert.match(
    await refusalOf(bench.run(evalSuite, 'eval.suite', { suite_path: SUITE }), 'provider_unreachable'),
    /^evals\/suite\.yaml:\d+:\d+: cases\[1\]\.prompt needs an agent; put executors: \{ eval\.suite: \{ agent: claude \} \}/,
  );
  const failure = { code: 'provider_unreachable', message: 'claude is not there', retryable: true } as const;
  bench.agent = scriptedAgent([{ verdict: 'failed', why: 'claude is not there', failure }]);
  assert.is(
    await refusalOf(bench.run(evalSuite, 'eval.suite', { suite_path: SUITE }), 'provider_unreachable'),
    'claude is not there',
  );
});

/** Answers the first case, and is stopped in the second. */
async function runHalf(bench: WorkerBench): Promise<void> {
  const stop = Object.assign(new Error('stopped'), { name: 'AbortError' });
  bench.agent = scriptedAgent(({ artifactPrefix }) => {
    if (artifactPrefix !== 'case-1/try-1/') throw stop;
    return 'one';
  });
  const thrown = await bench.run(evalSuite, 'eval.suite', { suite_path: SUITE }).catch((error: unknown) => error);
  assert.is(thrown, stop);
}

const two = {
  cases: [
    { id: 'one', prompt: 'one', expect: { stdout: { equals: 'one' } } },
    { id: 'two', prompt: 'two', expect: { stdout: { equals: 'two' } } },
  ],
};

test('the next attempt pays only for what the first has not finished', async (bench) => {
  putSuite(bench, two);
  await runHalf(bench);
  const next = createEvalBench(bench.root, 2);
  const agent = scriptedAgent(['two']);
  next.agent = agent;
  bench.put('.agents/runs/job-1/evals/case-1/try-1/transcript.jsonl', '{}\n');
  assert.is((await runSuite(next)).verdict, 'pass');
  assert.equal(
    agent.requests.map(({ prompt }) => prompt),
    ['two'],
  );
  assert.is(next.artifacts['case-1/try-1/transcript.jsonl'], '.agents/runs/job-1/evals/case-1/try-1/transcript.jsonl');
});

test('a suite, a file or an agent that is another one is run anew; so is what is damaged or was delivered', async (bench) => {
  const changed: [string, (bench: WorkerBench) => void][] = [
    ['the suite', () => putSuite(bench, { ...two, title: 'changed' })],
    ['the agent', () => undefined],
    ['damage', () => bench.put('.agents/runs/job-1/evals/case-1/try-1/run.json', '{')],
  ];
  for (const [what, change] of changed) {
    putSuite(bench, two);
    const first = createEvalBench(bench.root);
    await runHalf(first);
    change(bench);
    const next = createEvalBench(bench.root, 2);
    const agent = scriptedAgent(['one', 'two'], what === 'the agent' ? 'codex' : 'claude');
    next.agent = agent;
    assert.is((await runSuite(next, what === 'the suite' ? { ...two, title: 'changed' } : two)).verdict, 'pass', what);
    assert.is(agent.requests.length, 2, what);
  }
  const delivered = readFileSync(join(bench.root, '.agents/runs/job-1/evals/case-1/try-1/run.json'));
  const fresh = createEvalBench(bench.root);
  const agent = scriptedAgent(['one', 'two']);
  fresh.agent = agent;
  bench.put('.agents/runs/job-1/evals/case-1/try-1/run.json', delivered);
  await runSuite(fresh, two);
  assert.is(agent.requests.length, 2, 'a first attempt believes nothing that stands there');
});

test.run();
