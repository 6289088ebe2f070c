/** One phase: the agent's run, the validation commands where they belong to it, the difference, and the result of all. */
import { join } from 'node:path';
import type { JsonObject } from '../../lib/base/json.js';
import type { Failure } from '../../lib/model/event.js';
import type { Agent, AgentRun } from '../agents/agent.js';
import type { BuiltinContext } from '../builtin-context.js';
import { type Difference, type TreeState, treeOf, writeDifference } from './difference.js';
import { rpiLimits } from './limits.js';
import { beginningOf, type EarlierPhase, phasePrompt } from './prompt.js';
import { LAST_PHASE, type Phase, type PhaseResult, type RpiRequest } from './request.js';
import type { PhaseResults } from './results.js';
import { type Validated, validate } from './validation.js';

export interface PhaseGround {
  readonly context: BuiltinContext;
  readonly agent: Agent;
  readonly request: RpiRequest;
  readonly results: PhaseResults;
  /** Absolute folder to work in: the root, or a worktree. */
  readonly cwd: string;
  /** Content of the execution packet. */
  readonly packet: string | undefined;
}

export interface PhaseDone {
  readonly result: PhaseResult;
  /** Set when the phase failed. */
  readonly failure?: Failure;
}

export async function workPhase(
  ground: PhaseGround,
  phase: Phase,
  earlier: readonly EarlierPhase[],
): Promise<PhaseDone> {
  const { context, agent, request, results, cwd, packet } = ground;
  const startedMs = performance.now();
  const folder = join(context.runDir, 'artifacts', `phase-${phase.number}`);
  const scratch = join(context.runDir, 'index');
  const before = await results.base(phase, async () => asBase(await treeOf(context, cwd, scratch)));
  const run = await agent.run({
    prompt: phasePrompt(request, phase, earlier, packet),
    cwd,
    access: 'write',
    folder,
    artifactPrefix: `phase-${phase.number}/`,
    onText: (text) => tellProgress(ground, phase, text),
  });
  const validated = await validatedBy(ground, phase, run);
  const states: [TreeState, TreeState] = [asState(before), await treeOf(context, cwd, scratch)];
  const difference = await writeDifference(context, cwd, states, join(results.folderOf(phase), 'diff.patch'));
  const summary = summaryOf(phase, run, validated, difference);
  const failure = failureOfPhase(phase, run, validated);
  const result: PhaseResult = {
    ...headOf(ground, phase),
    verdict: failure === undefined ? 'succeeded' : 'failed',
    why: validated?.why ?? run.why,
    ...factsOf(run),
    ...(validated === undefined ? {} : { commands: [...validated.ends] }),
    difference: { ...difference },
    summary,
    duration_ms: Math.round(performance.now() - startedMs),
    ended_at: new Date().toISOString(),
  };
  await results.keep(phase, result, summary, folder);
  return { result, ...(failure === undefined ? {} : { failure }) };
}

function headOf({ context, agent, request }: PhaseGround, { number, name }: Phase) {
  return {
    schema_version: 1,
    run_id: request.runId,
    job_id: request.jobId,
    request: request.hash,
    phase: number,
    phase_name: name,
    mode: request.mode,
    attempt: context.attempt,
    agent: agent.name,
  } as const;
}

/** What is told of an agent's run beside its words. */
export function factsOf({ session_id, cli_version, model, usage, cost_usd, turns, denials }: AgentRun): JsonObject {
  const told = {
    session_id,
    cli_version,
    model,
    usage: usage === undefined ? undefined : { ...usage },
    cost_usd,
    turns,
  };
  const known = Object.entries(told).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(known) as JsonObject), denials: denials.map((denial) => ({ ...denial })) };
}

/** An agent that failed has not got to where the commands could judge anything. */
async function validatedBy({ context, request, cwd }: PhaseGround, { number }: Phase, run: AgentRun) {
  const { validationCommands } = request;
  if (number !== LAST_PHASE || validationCommands.length === 0 || run.verdict === 'failed') return undefined;
  return validate(context, validationCommands, cwd);
}

function failureOfPhase({ number, name }: Phase, run: AgentRun, validated: Validated | undefined): Failure | undefined {
  const where = `phase ${number} (${name})`;
  if (run.verdict === 'failed') {
    const { code, retryable = false } = run.failure ?? { code: 'request_rejected' };
    return { code, message: `${where}: ${run.why}`, retryable };
  }
  if (validated?.why === undefined) return undefined;
  return { code: 'request_rejected', message: `${where}: ${validated.why}`, retryable: false };
}

function summaryOf(
  phase: Phase,
  run: AgentRun,
  validated: Validated | undefined,
  difference: Difference | { readonly none: string },
): string {
  const said = beginningOf(run.answer.trim(), rpiLimits.summaryCharacters);
  const changes =
    'none' in difference
      ? `Changes: not known, ${difference.none}.`
      : `Changes: ${difference.files} files, ${difference.insertions} lines added, ${difference.deletions} removed.`;
  const checks = (validated?.ends ?? []).map(
    ({ command, exit_code, signal, stopped }) =>
      `- ${JSON.stringify(command)}: ${stopped ?? signal ?? `exit code ${exit_code}`}`,
  );
  const parts = [said === '' ? `The agent said nothing in the phase ${phase.name}.` : said, changes];
  return `${[...parts, ...(checks.length === 0 ? [] : [`Validation commands:\n\n${checks.join('\n')}`])].join('\n\n')}\n`;
}

function tellProgress({ context, request }: PhaseGround, phase: Phase, text: string): void {
  const done = request.phases.findIndex(({ number }) => number === phase.number);
  context.progress({ done, total: request.phases.length, text: `${phase.name}: ${text}` });
}

const asBase = (state: TreeState): JsonObject => ({ ...state });
const asState = (base: JsonObject): TreeState =>
  typeof base['tree'] === 'string' && /^[0-9a-f]{40,64}$/.test(base['tree'])
    ? { tree: base['tree'] }
    : { none: typeof base['none'] === 'string' ? base['none'] : 'the state before is not known' };
