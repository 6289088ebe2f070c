/** The report of a suite: `run.json`, without anything that could differ between two runs of the same. Pure. */
import type { AgentFacts, CaseResult, CaseRun, EvalCase, EvalSuite } from './model.js';

/** Sums of weights come out a little off. */
const TOLERANCE = 1e-9;

export function caseResult(each: EvalCase, inputs_sha256: string, runs: readonly CaseRun[]): CaseResult {
  const agent = agentTotal(runs);
  return {
    id: each.id,
    ...(each.title === undefined ? {} : { title: each.title }),
    verdict: runs.at(-1)?.attempt.verdict ?? 'fail',
    weight: each.weight,
    inputs_sha256,
    attempts: runs.map(({ attempt }) => attempt),
    ...(agent === undefined ? {} : { agent }),
  };
}

/** Of all runs together; undefined when no agent had a part in them. */
export function agentTotal(runs: readonly CaseRun[]): AgentFacts | undefined {
  const agents = runs.map(({ agent }) => agent).filter((agent) => agent !== undefined);
  const [first] = agents;
  if (first === undefined) return undefined;
  const sum = (measure: (agent: AgentFacts) => number | undefined) => {
    const values = agents.map(measure).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0);
  };
  const [cost, tokens] = [sum(({ cost_usd }) => cost_usd), sum((agent) => agent.tokens)];
  return {
    name: first.name,
    ...(cost === undefined ? {} : { cost_usd: rounded(cost) }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

export interface SuiteReport {
  readonly schema_version: 1;
  readonly built_by: 'eval.suite';
  readonly suite: { readonly path: string; readonly sha256: string; readonly title?: string };
  readonly verdict: 'pass' | 'fail';
  /** Passed weight of the whole, from 0 to 1. */
  readonly score: number;
  readonly threshold: number;
  readonly weight: { readonly passed: number; readonly total: number };
  readonly counts: { readonly cases: number; readonly passed: number; readonly failed: number };
  readonly cases: readonly CaseResult[];
}

export function suiteReport(suite: EvalSuite, cases: readonly CaseResult[]): SuiteReport {
  const passed = cases.filter(({ verdict }) => verdict === 'pass');
  const weight = { passed: weightOf(passed), total: weightOf(cases) };
  const score = weight.passed / weight.total;
  return {
    schema_version: 1,
    built_by: 'eval.suite',
    suite: suiteFacts(suite),
    verdict: score + TOLERANCE >= suite.threshold ? 'pass' : 'fail',
    score: rounded(score),
    threshold: suite.threshold,
    weight: { passed: rounded(weight.passed), total: rounded(weight.total) },
    counts: { cases: cases.length, passed: passed.length, failed: cases.length - passed.length },
    cases,
  };
}

export function suiteFacts({ path, sha256, title }: EvalSuite): SuiteReport['suite'] {
  return { path, sha256, ...(title === undefined ? {} : { title }) };
}

function weightOf(cases: readonly CaseResult[]): number {
  return cases.reduce((sum, { weight }) => sum + weight, 0);
}

/** To six digits: what lies behind them is noise of the arithmetic. */
export function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6 || 0;
}
