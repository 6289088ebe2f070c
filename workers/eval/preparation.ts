/**
 * What has to be so before the first case runs: the suite can be read, what it asks for is there and allowed, it stays
 * within its bounds, and every copy can be made. What is not so fails the job, and nothing has run.
 *
 * A suite is a file of the repository, which came with a clone or was written by an agent, and whoever may submit can
 * name any of them. So its commands are taken for those of a payload: they run only where the trusted configuration says
 * `allow_payload_commands: true`.
 */
import { posix } from 'node:path';
import type { JsonObject } from '../../lib/base/json.js';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import { textMember } from '../kit/payload.js';
import { type CopyPart, type CopyPlan, planCopy } from '../kit/workspace-copy.js';
import { evalLimits } from './limits.js';
import type { EvalCase, EvalSuite } from './model.js';
import { countChecks } from './suite-checks.js';
import { readSuite } from './suite-file.js';

/** How a part of a copy differs from what the suite says. */
export type PartsOf = (parts: CopyPart[]) => CopyPart[];

/** @throws a failure that names the member of the payload, or file, line and member of the suite */
export async function readRunnableSuite(
  payload: JsonObject,
  { root, agent, allowPayloadCommands }: BuiltinContext,
  jobType: string,
): Promise<EvalSuite> {
  const member = textMember(payload, 'suite_path') === undefined ? 'suite' : 'suite_path';
  const path = textMember(payload, member);
  if (path === undefined)
    throw failure('request_rejected', 'payload.suite_path: name the suite, a file relative to the repository');
  const suite = await readSuite(root, path, `payload.${member}`);
  const withPrompt = suite.cases.findIndex(({ prompt }) => prompt !== undefined);
  if (withPrompt >= 0 && agent === undefined)
    throw failure(
      'provider_unreachable',
      `${suite.placeOf(withPrompt, 'prompt')}: cases[${withPrompt}].prompt needs an agent; put executors: { ${jobType}: { agent: claude } } into .agents/config.yaml`,
    );
  const withCommand = suite.cases.findIndex(({ command }) => command !== undefined);
  if (withCommand >= 0 && !allowPayloadCommands)
    throw failure(
      'request_rejected',
      `${suite.placeOf(withCommand, 'command')}: cases[${withCommand}].command: commands of a suite run only with allow_payload_commands: true in .agents/config.yaml, once it is trusted (agentopsd trust)`,
    );
  return suite;
}

/**
 * @param runsOf how often a case runs at most
 * @param member of the payload that is to be changed when it is too much
 */
export function refuseTooMuch({ cases }: EvalSuite, runsOf: (each: EvalCase) => number, member: string): void {
  const sum = (measure: (each: EvalCase) => number) =>
    cases.reduce((total, each) => total + runsOf(each) * measure(each), 0);
  const refuse = (what: string, got: number, most: number) => {
    if (got > most) throw failure('request_rejected', `${member}: ${got} ${what}, more than ${most}`);
  };
  refuse(
    'runs',
    sum(() => 1),
    evalLimits.runsAtMost,
  );
  refuse(
    'runs of an agent',
    sum(({ prompt }) => (prompt === undefined ? 0 : 1)),
    evalLimits.agentRunsAtMost,
  );
  refuse(
    'seconds, if each run took all of its time',
    sum(({ timeout_seconds }) => timeout_seconds),
    evalLimits.secondsAtMost,
  );
  refuse(
    'checks of all runs together',
    sum(({ expect }) => countChecks(expect)),
    evalLimits.checksAtMost,
  );
}

/** One plan a case; cases that begin with the same share it. */
export async function planCopies(
  suite: EvalSuite,
  context: BuiltinContext,
  partsOf: PartsOf = (parts) => parts,
): Promise<CopyPlan[]> {
  const plans = new Map<string, CopyPlan>();
  const found: CopyPlan[] = [];
  for (const [at, each] of suite.cases.entries()) {
    const key = JSON.stringify([each.fixture ?? null, each.files, each.copy_bytes]);
    const limits = { bytes: each.copy_bytes, files: evalLimits.copyFiles, depth: evalLimits.copyDepth };
    const parts = partsOf(copyParts(suite, at, each));
    const plan = plans.get(key) ?? (await planCopy(context.root, parts, limits, context.signal));
    plans.set(key, plan);
    found.push(plan);
  }
  return found;
}

function copyParts(suite: EvalSuite, at: number, { fixture, files }: EvalCase): CopyPart[] {
  const name = (member: string) => `${suite.placeOf(at, member)}: cases[${at}].${member}`;
  return [
    ...(fixture === undefined ? [] : [{ source: fixture, at: '.', member: name('fixture') }]),
    ...files.map((path, of) => ({ source: path, at: posix.normalize(path), member: `${name('files')}[${of}]` })),
  ];
}
