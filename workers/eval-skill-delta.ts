/**
 * `eval.skill-delta`: runs a suite with and without a skill, each case several times, and says what the skill changed:
 * which cases flipped, and the difference of the pass rates with an interval, or that n is too small for one.
 *
 * Payload: `suite_path` (or `suite`), as of `eval.suite`; `skill`, a name below `.agents/skills` or `skills`, or a folder
 * of the repository with a `SKILL.md`; `repeats` of each side, 1 to 50, default 3. `tries` of a case do not count here:
 * each run is one. A run with the skill has its folder in `skill_folder` of the copy, a command finds it by
 * `AGENTOPS_EVAL_SKILL`, an agent is told its SKILL.md; a run without has it nowhere. Both sides take turns, so that what
 * changes over time changes both.
 *
 * Artifacts: `scorecard.json`; `runs.json`, every run with its checks; `times.json`; the files of agents as in
 * `eval.suite`.
 */
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { deltaOf, type PairedCase } from './eval/delta.js';
import { DEFAULT_REPEATS, evalLimits } from './eval/limits.js';
import type { CaseRun, EvalCase, EvalSuite } from './eval/model.js';
import { planCopies, readRunnableSuite, refuseTooMuch } from './eval/preparation.js';
import { agentTotal, rounded, suiteFacts } from './eval/report.js';
import { type RunOnce, withRuns } from './eval/runs.js';
import { readSkill, type Skill } from './eval/skill.js';
import { jsonText } from './kit/json-text.js';
import { wholeMember } from './kit/payload.js';
import type { CopyPlan } from './kit/workspace-copy.js';

const sides = ['without', 'with'] as const;
type Side = (typeof sides)[number];

interface SideRun {
  readonly caseAt: number;
  readonly side: Side;
  /** From 1. */
  readonly repeat: number;
  readonly run: CaseRun;
}

export const evalSkillDelta: BuiltinHandler = async (job, context) => {
  const repeats = wholeMember(job.payload, 'repeats', 1, evalLimits.repeatsAtMost) ?? DEFAULT_REPEATS;
  const suite = await readRunnableSuite(job.payload, context, 'eval.skill-delta');
  const skill = await readSkill(job.payload, context, suite);
  refuseTooMuch(suite, () => 2 * repeats, 'payload.repeats');
  const plans = {
    with: await planCopies(suite, context, skill.partsWith),
    without: await planCopies(suite, context, skill.partsWithout),
  };
  const runs = await withRuns(suite, context, (runOnce) =>
    runSides({ suite, skill, plans, repeats }, runOnce, context),
  );
  const card = scorecard(suite, skill, repeats, runs);
  const ordered = runs.toSorted(
    (a, b) => a.caseAt - b.caseAt || sides.indexOf(a.side) - sides.indexOf(b.side) || a.repeat - b.repeat,
  );
  await context.artifact('scorecard.json', jsonText(card));
  await context.artifact('runs.json', jsonText({ schema_version: 1, runs: ordered.map((each) => told(suite, each)) }));
  await context.artifact(
    'times.json',
    jsonText({ schema_version: 1, runs: ordered.map((each) => timed(suite, each)) }),
  );
  context.log(card.says);
};

interface Comparison {
  readonly suite: EvalSuite;
  readonly skill: Skill;
  readonly plans: Readonly<Record<Side, readonly CopyPlan[]>>;
  readonly repeats: number;
}

async function runSides(
  { suite, skill, plans, repeats }: Comparison,
  runOnce: RunOnce,
  context: BuiltinContext,
): Promise<SideRun[]> {
  const found: SideRun[] = [];
  const total = suite.cases.length * repeats * 2;
  for (let repeat = 1; repeat <= repeats; repeat++)
    for (const [caseAt, each] of suite.cases.entries())
      for (const side of sidesInTurn(repeat + caseAt)) {
        context.progress({ done: found.length, total, text: `${each.id}, ${side} the skill` });
        const planned = { each: onlyOnce(each), name: `case-${caseAt + 1}/${side}-${repeat}` };
        const plan = plans[side][caseAt] as CopyPlan;
        const run = await runOnce({ ...planned, plan, ...(side === 'with' ? { skill } : {}) });
        found.push({ caseAt, side, repeat, run });
      }
  context.progress({ done: total, total });
  return found;
}

function sidesInTurn(turn: number): readonly Side[] {
  return turn % 2 === 0 ? sides : sides.toReversed();
}

function onlyOnce(each: EvalCase): EvalCase {
  return { ...each, tries: 1 };
}

function scorecard(suite: EvalSuite, { name, path, sha256 }: Skill, repeats: number, runs: readonly SideRun[]) {
  const runsOf = (caseAt: number, side: Side) =>
    runs.filter((each) => each.caseAt === caseAt && each.side === side).map(({ run }) => run);
  const pairs = suite.cases.map(({ id, weight }, at): PairedCase => {
    const passed = (side: Side) => runsOf(at, side).filter(({ attempt }) => attempt.verdict === 'pass').length;
    return { id, weight, repeats, passedWithout: passed('without'), passedWith: passed('with') };
  });
  const { verdict, says, ...delta } = deltaOf(pairs);
  const agents = {
    without: agentTotal(runs.filter(({ side }) => side === 'without').map(({ run }) => run)),
    with: agentTotal(runs.filter(({ side }) => side === 'with').map(({ run }) => run)),
  };
  return {
    schema_version: 1,
    built_by: 'eval.skill-delta',
    suite: suiteFacts(suite),
    skill: { name, path, sha256 },
    repeats,
    verdict,
    says,
    ...delta,
    ...(agents.with === undefined ? {} : { agent: agents }),
    cases: pairs.map(({ id, weight, passedWithout, passedWith }) => ({
      id,
      weight,
      passed_without: passedWithout,
      passed_with: passedWith,
      difference: rounded((passedWith - passedWithout) / repeats),
    })),
  };
}

function told({ cases }: EvalSuite, { caseAt, side, repeat, run }: SideRun) {
  return { id: cases[caseAt]?.id, side, repeat, ...run.attempt };
}

function timed({ cases }: EvalSuite, { caseAt, side, repeat, run }: SideRun) {
  return { id: cases[caseAt]?.id, side, repeat, duration_ms: run.duration_ms };
}
