/** What an eval takes at most: exactly so much passes, and what is more is refused or told. */
import { linkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import type { BuiltinContext } from '../../../workers/builtin-context.js';
import { checkAll } from '../../../workers/eval/checks.js';
import { deltaOf } from '../../../workers/eval/delta.js';
import { keptRuns } from '../../../workers/eval/kept-runs.js';
import { DEFAULT_REPEATS, evalLimits } from '../../../workers/eval/limits.js';
import type { CaseRun, EvalCase } from '../../../workers/eval/model.js';
import { planCopies, refuseTooMuch } from '../../../workers/eval/preparation.js';
import { readSuite } from '../../../workers/eval/suite-file.js';
import { evalSkillDelta } from '../../../workers/eval-skill-delta.js';
import { refusalOf, type WorkerBench } from '../../support/builtin-context.js';
import { broken, createEvalBench, putSuite, runCase, SUITE, suiteRefusal } from '../../support/eval-bench.js';
import { scriptedAgent } from '../../support/scripted-agent.js';

const test = suite<WorkerBench>('limits of evals');

test.before.each((context) => {
  Object.assign(context, createEvalBench());
});
test.after.each((context) => context.remove());

const good = { id: 'a', command: ['true'], expect: { exit_code: 0 } };
const read = (bench: WorkerBench) => readSuite(bench.root, SUITE, 'payload.suite_path');

test('evalLimits.suiteBytes', async (bench) => {
  const { suiteBytes } = evalLimits;
  const text = JSON.stringify({ cases: [good] });
  putSuite(bench, text.padEnd(suiteBytes));
  assert.is((await read(bench)).cases.length, 1);
  assert.match(await suiteRefusal(bench, text.padEnd(suiteBytes + 1)), `is larger than ${suiteBytes} bytes`);
});

test('evalLimits.suiteAliases: so often a value may stand there by its anchor', async (bench) => {
  const { suiteAliases } = evalLimits;
  const times = (count: number) =>
    `cases:\n  - { id: a, command: [&x x${', *x'.repeat(count - 1)}], expect: { exit_code: 0 } }\n`;
  putSuite(bench, times(suiteAliases));
  assert.is((await read(bench)).cases[0]?.command?.length, suiteAliases);
  assert.match(await suiteRefusal(bench, times(suiteAliases + 1)), /Excessive alias count/);
});

test('evalLimits.toldProblems: the others are counted', async (bench) => {
  const { toldProblems } = evalLimits;
  const wrong = (count: number) => ({
    cases: Array.from({ length: count }, (_, at) => ({ ...good, id: `${at}`, x: 1 })),
  });
  const told = (text: string) => text.split(/unknown key/).length - 1;
  assert.is(told(await suiteRefusal(bench, wrong(toldProblems))), toldProblems);
  assert.not.match(await suiteRefusal(bench, wrong(toldProblems)), /more$/);
  const more = await suiteRefusal(bench, wrong(toldProblems + 1));
  assert.equal([told(more), more.endsWith('; and 1 more')], [toldProblems, true]);
});

/** Never run: only counted. */
const counted = (count: number, more: object = {}): Pick<EvalCase, 'tries'>[] =>
  Array.from({ length: count }, () => ({ ...good, tries: 1, timeout_seconds: 1, ...more }));

test('what all runs of a job take together: each bound holds exactly, and the member is named', async () => {
  const { runsAtMost, agentRunsAtMost, secondsAtMost, checksAtMost } = evalLimits;
  const refused = (cases: object[]) =>
    refusalOf(
      (async () => refuseTooMuch({ cases } as never, ({ tries }: Pick<EvalCase, 'tries'>) => tries, 'payload.x'))(),
    );
  const passes = (cases: object[]) => refuseTooMuch({ cases } as never, ({ tries }) => tries, 'payload.x');
  const prompt = { prompt: 'x', command: undefined };
  const checks = (count: number) => ({ expect: { exit_code: 0, stdout: { contains: Array(count - 1).fill('x') } } });
  passes(counted(runsAtMost));
  assert.is(await refused(counted(runsAtMost + 1)), `payload.x: ${runsAtMost + 1} runs, more than ${runsAtMost}`);
  passes(counted(agentRunsAtMost, prompt));
  assert.match(
    await refused(counted(agentRunsAtMost + 1, prompt)),
    `${agentRunsAtMost + 1} runs of an agent, more than`,
  );
  passes(counted(2, { timeout_seconds: secondsAtMost / 2 }));
  assert.match(
    await refused([...counted(2, { timeout_seconds: secondsAtMost / 2 }), ...counted(1)]),
    `${secondsAtMost + 1} seconds, if each run took all of its time, more than ${secondsAtMost}`,
  );
  passes(counted(1, { tries: 100, ...checks(checksAtMost / 100) }));
  assert.match(
    await refused([...counted(1, { tries: 100, ...checks(checksAtMost / 100) }), ...counted(1, checks(1))]),
    `${checksAtMost + 1} checks of all runs together, more than ${checksAtMost}`,
  );
});

const plan = async (bench: WorkerBench) => {
  const suite = await read(bench);
  return planCopies(suite, { root: bench.root, signal: bench.stopping.signal } as BuiltinContext);
};

test('evalLimits.copyFiles', async (bench) => {
  const { copyFiles } = evalLimits;
  bench.put('fixture/0', '');
  const link = (at: number) => linkSync(join(bench.root, 'fixture/0'), join(bench.root, `fixture/${at}`));
  for (let at = 1; at < copyFiles; at++) link(at);
  putSuite(bench, { cases: [{ ...good, fixture: 'fixture' }] });
  assert.is((await plan(bench))[0]?.files.size, copyFiles);
  link(copyFiles);
  assert.match(
    await refusalOf(plan(bench)),
    /^evals\/suite\.yaml:\d+:\d+: cases\[0\]\.fixture: "fixture" makes the copy hold more than 5000 files$/,
  );
});

test('evalLimits.copyDepth', async (bench) => {
  const { copyDepth } = evalLimits;
  const folders = 'd/'.repeat(copyDepth - 1);
  bench.put(`fixture/${folders}a`, '');
  putSuite(bench, { cases: [{ ...good, fixture: 'fixture' }] });
  assert.equal([...((await plan(bench))[0]?.files.keys() ?? [])], [`${folders}a`]);
  bench.put(`fixture/${folders}d/b`, '');
  assert.match(await refusalOf(plan(bench)), `is deeper than ${copyDepth} folders`);
});

test('evalLimits.lookedAtBytes: a larger file fails what is expected of its content', async (bench) => {
  const { lookedAtBytes } = evalLimits;
  bench.put('fits', 'x'.repeat(lookedAtBytes));
  bench.put('larger', 'x'.repeat(lookedAtBytes + 1));
  const files = { fits: { contains: 'x' }, larger: { exists: true, contains: 'x' } } as const;
  const expectations = await checkAll(
    { exit_code: 0, files },
    { exitCode: 0, stdout: '', stderr: '', copy: bench.root },
  );
  assert.equal(broken({ expectations }), [`file "larger" contains "x": it is larger than ${lookedAtBytes} bytes`]);
});

test('evalLimits.patternMs: a pattern that is not done by then fails its check', async (bench) => {
  const found = await runCase(bench, {
    command: ['sh', '-c', `printf 'a%.0s' $(seq 40); printf b`],
    expect: { stdout: { matches: '^(a+)+$' } },
  });
  assert.match(broken(found)[0] ?? '', `the pattern was not done after ${evalLimits.patternMs} ms`);
});

test('evalLimits.observedCharacters: what is longer is cut, and ends in …', async (bench) => {
  const { observedCharacters } = evalLimits;
  const observed = async (stdout: string) => {
    const evidence = { exitCode: 0, stdout, stderr: '', copy: bench.root };
    return (await checkAll({ exit_code: 0, stdout: { equals: '' } }, evidence))[1]?.observed;
  };
  const most = 'x'.repeat(observedCharacters);
  assert.is(await observed(most), most);
  assert.is(await observed(`${most}x`), `${most}…`);
});

test('evalLimits.keptRunBytes: what is larger counts as nothing, and the case runs again', async (bench) => {
  const { keptRunBytes } = evalLimits;
  const runDir = join(bench.root, '.agents/runs/job-1/attempt-2');
  bench.put('.agents/runs/job-1/attempt-2/output.log', '');
  const kept = keptRuns({ root: bench.root, runDir, attempt: 2 });
  const run: CaseRun = { attempt: { verdict: 'pass', end: 'exited', expectations: [] }, duration_ms: 1 };
  await kept.keep('case-1/try-1', 'facts', run);
  await kept.finish();
  const file = '.agents/runs/job-1/evals/case-1/try-1/run.json';
  const text = bench.read(file);
  bench.put(file, text.padEnd(keptRunBytes));
  assert.equal(await kept.find('case-1/try-1', 'facts'), run);
  bench.put(file, text.padEnd(keptRunBytes + 1));
  assert.is(await kept.find('case-1/try-1', 'facts'), undefined);
});

const delta = (bench: WorkerBench, payload: JsonObject) =>
  bench.run(evalSkillDelta, 'eval.skill-delta', { suite_path: SUITE, skill: 'knead', ...payload });

test('evalLimits.skillBytes and skillCharacters: a long SKILL.md is told by its beginning, a larger one refused', async (bench) => {
  const { skillBytes, skillCharacters } = evalLimits;
  putSuite(bench, { cases: [{ id: 'asks', prompt: 'Bake', expect: { stdout: { equals: 'ok' } } }] });
  const toldOf = async (text: string) => {
    bench.put('skills/knead/SKILL.md', text);
    const agent = scriptedAgent(() => 'ok');
    bench.agent = agent;
    await delta(bench, { repeats: 1 });
    return agent.requests.map(({ prompt }) => prompt).find((prompt) => prompt.includes('SKILL.md')) ?? '';
  };
  const whole = 'x'.repeat(skillCharacters);
  assert.ok((await toldOf(whole)).endsWith(`Its SKILL.md:\n\n${whole}`));
  assert.ok((await toldOf(`${whole}y`)).endsWith(`Its SKILL.md begins:\n\n${whole}`));
  assert.match(await toldOf('x'.repeat(skillBytes)), 'Its SKILL.md begins:');
  bench.put('skills/knead/SKILL.md', 'x'.repeat(skillBytes + 1));
  assert.is(
    await refusalOf(delta(bench, {})),
    `payload.skill: "skills/knead/SKILL.md" is needed, and is larger than ${skillBytes} bytes`,
  );
});

test('evalLimits.repeatsAtMost, and DEFAULT_REPEATS where the payload says nothing', async (bench) => {
  const { repeatsAtMost } = evalLimits;
  bench.put('skills/knead/SKILL.md', 'Knead.\n');
  bench.agent = scriptedAgent(() => 'ok');
  putSuite(bench, { cases: [{ id: 'asks', prompt: 'Bake', expect: { stdout: { equals: 'ok' } } }] });
  const repeats = () =>
    (JSON.parse(bench.read(bench.artifacts['scorecard.json'] ?? '')) as { repeats: number }).repeats;
  await delta(bench, { repeats: repeatsAtMost });
  assert.is(repeats(), repeatsAtMost);
  await delta(bench, {});
  assert.is(repeats(), DEFAULT_REPEATS);
  assert.is(
    await refusalOf(delta(bench, { repeats: repeatsAtMost + 1 })),
    `payload.repeats must be a number from 1 to ${repeatsAtMost}`,
  );
});

test('evalLimits.deltaCasesAtLeast: with one case less there is no interval', () => {
  const { deltaCasesAtLeast } = evalLimits;
  const of = (count: number) =>
    deltaOf(
      Array.from({ length: count }, (_, at) => ({
        id: `${at}`,
        weight: 1,
        passedWithout: 0,
        passedWith: 1,
        repeats: 1,
      })),
    );
  assert.is(of(deltaCasesAtLeast).verdict, 'better');
  const less = of(deltaCasesAtLeast - 1);
  assert.equal([less.verdict, less.interval], ['too_few_cases', undefined]);
  assert.match(less.says, `of the ${deltaCasesAtLeast} that it takes at least`);
});

test.run();
