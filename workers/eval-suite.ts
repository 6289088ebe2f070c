/**
 * `eval.suite`: runs each case of a suite in a temporary copy of the files it names, holds what comes of it against what
 * it expects, and weighs. A suite that fails is a completed job with the verdict `fail`; what can't run fails the job.
 *
 * Payload: `suite_path` (or `suite`), a file as `spec/eval-suite.schema.json` has it. Commands in it need
 * `allow_payload_commands: true` in the trusted configuration, prompts an agent. A copy keeps cases apart; it is no
 * sandbox.
 *
 * Artifacts: `run.json`, the same bytes for the same outcome; `times.json`, how long each run took; of each run of an
 * agent `case-<n>/try-<n>/` with its prompt, transcript, errors and result. A job that is tried again takes up the runs
 * that it has finished.
 */
import { counted } from '../lib/base/text.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import type { CaseRun, EvalSuite } from './eval/model.js';
import { planCopies, readRunnableSuite, refuseTooMuch } from './eval/preparation.js';
import { caseResult, suiteReport } from './eval/report.js';
import { type RunOnce, withRuns } from './eval/runs.js';
import { jsonText } from './kit/json-text.js';
import type { CopyPlan } from './kit/workspace-copy.js';

export const evalSuite: BuiltinHandler = async (job, context) => {
  const suite = await readRunnableSuite(job.payload, context, 'eval.suite');
  refuseTooMuch(suite, ({ tries }) => tries, `payload.suite_path: ${suite.path}`);
  const plans = await planCopies(suite, context);
  const runs = await withRuns(suite, context, (runOnce) => runCases(suite, plans, runOnce, context));
  const results = suite.cases.map((each, at) => caseResult(each, plans[at]?.sha256 ?? '', runs[at] ?? []));
  const report = suiteReport(suite, results);
  await context.artifact('run.json', jsonText(report));
  await context.artifact('times.json', jsonText(timesOf(suite, runs)));
  const { passed, failed } = report.counts;
  context.log(`${report.verdict}: ${counted(passed, 'case')} passed, ${failed} failed, score ${report.score}`);
};

async function runCases(
  suite: EvalSuite,
  plans: readonly CopyPlan[],
  runOnce: RunOnce,
  context: BuiltinContext,
): Promise<CaseRun[][]> {
  const total = suite.cases.length;
  const found: CaseRun[][] = [];
  for (const [at, each] of suite.cases.entries()) {
    context.progress({ done: at, total, text: each.id });
    const runs: CaseRun[] = [];
    while (runs.length < each.tries && runs.at(-1)?.attempt.verdict !== 'pass') {
      const name = `case-${at + 1}/try-${runs.length + 1}`;
      runs.push(await runOnce({ each, name, plan: plans[at] as CopyPlan }));
    }
    found.push(runs);
  }
  context.progress({ done: total, total });
  return found;
}

function timesOf({ cases }: EvalSuite, runs: readonly (readonly CaseRun[])[]): unknown {
  const of = (tried: readonly CaseRun[] = []) => tried.map(({ duration_ms }) => duration_ms);
  return { schema_version: 1, cases: cases.map(({ id }, at) => ({ id, duration_ms: of(runs[at]) })) };
}
