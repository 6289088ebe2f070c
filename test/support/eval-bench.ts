/** A bench for the eval workers: suites are written, run, and their report is read. */
import type { JsonObject } from '../../lib/base/json.js';
import type { Attempt, CheckResult } from '../../workers/eval/model.js';
import type { SuiteReport } from '../../workers/eval/report.js';
import { evalSuite } from '../../workers/eval-suite.js';
import { createBench, refusalOf, type WorkerBench } from './builtin-context.js';

export const SUITE = 'evals/suite.yaml';

/** Commands may run, and processes are started. */
export function createEvalBench(root?: string, attempt?: number): WorkerBench {
  const bench = createBench(root, attempt);
  bench.startsProcesses = true;
  bench.allowPayloadCommands = true;
  return bench;
}

/** @param suite its text, or its value */
export function putSuite(bench: WorkerBench, suite: string | object): void {
  bench.put(SUITE, typeof suite === 'string' ? suite : JSON.stringify(suite, null, 1));
}

export async function runSuite(bench: WorkerBench, suite?: string | object): Promise<SuiteReport> {
  if (suite !== undefined) putSuite(bench, suite);
  await bench.run(evalSuite, 'eval.suite', { suite_path: SUITE });
  return JSON.parse(bench.read(bench.artifacts['run.json'] ?? '')) as SuiteReport;
}

/** Why the suite is not run. */
export function suiteRefusal(bench: WorkerBench, suite: string | object, payload?: JsonObject): Promise<string> {
  putSuite(bench, suite);
  return refusalOf(bench.run(evalSuite, 'eval.suite', payload ?? { suite_path: SUITE }));
}

/** The last run of the only case. */
export async function runCase(bench: WorkerBench, each: object): Promise<Attempt> {
  const report = await runSuite(bench, { cases: [{ id: 'the case', ...each }] });
  const attempt = report.cases[0]?.attempts.at(-1);
  if (attempt === undefined) throw new Error('the case was not run');
  return attempt;
}

/** What was expected and did not hold, with what was there. */
export function broken({ expectations }: { readonly expectations: readonly CheckResult[] }): string[] {
  return expectations.filter(({ holds }) => !holds).map(({ expected, observed }) => `${expected}: ${observed}`);
}
