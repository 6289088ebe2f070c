/**
 * Runs the phases that a request asks for, each once a job: what an earlier attempt finished is taken as it is. The
 * first phase that fails ends the run.
 */
import type { JsonObject } from '../../lib/base/json.js';
import type { WorkerJob } from '../../lib/model/worker-protocol.js';
import type { Agent } from '../agents/agent.js';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import { readRegularFile, resolveInside } from '../kit/sources.js';
import { earlierPhases } from './earlier.js';
import { rpiLimits } from './limits.js';
import { type PhaseDone, type PhaseGround, workPhase } from './phase-work.js';
import { type Phase, type PhaseResult, type RpiRequest, refuseCommands } from './request.js';
import { PhaseResults } from './results.js';
import { closeWorktree, openWorktree, type Worktree } from './worktree.js';

/** @throws JobFailure `provider_unreachable` when the configuration gives this job type no agent */
export function agentFor({ job_type }: WorkerJob, { agent }: BuiltinContext): Agent {
  if (agent !== undefined) return agent;
  throw failure(
    'provider_unreachable',
    `${job_type} needs an agent: put the line "  ${job_type}: { agent: claude }" (or codex) below "executors:" in .agents/config.yaml, then run agentopsd trust`,
  );
}

export async function runPhases(context: BuiltinContext, agent: Agent, request: RpiRequest): Promise<void> {
  refuseCommands(request, context.allowPayloadCommands);
  const packet = await readPacket(context, request);
  const results = await PhaseResults.open(context, request);
  const worktree = request.worktree ? await openWorktree(context) : undefined;
  const cwd = worktree?.folder ?? context.root;
  const ground: PhaseGround = { context, agent, request, results, cwd, packet };
  const earlier = await earlierPhases(context, request);
  const done: PhaseResult[] = [];
  let failed: PhaseDone['failure'];
  for (const phase of request.phases) {
    context.signal.throwIfAborted();
    context.progress({ done: done.length, total: request.phases.length, text: phase.name });
    const { result, failure: why } = await phaseOf(ground, phase, earlier);
    done.push(result);
    earlier.push({ name: phase.name, summary: typeof result['summary'] === 'string' ? result['summary'] : '' });
    failed = why;
    if (failed !== undefined) break;
  }
  await tellRun(ground, done, worktree);
  if (failed !== undefined) throw failure(failed.code, failed.message ?? failed.code, failed.retryable);
  context.progress({ done: done.length, total: request.phases.length, text: 'done' });
}

async function phaseOf(
  ground: PhaseGround,
  phase: Phase,
  earlier: Parameters<typeof workPhase>[2],
): Promise<PhaseDone> {
  const { context, results } = ground;
  const finished = await results.finished(phase);
  if (finished === undefined) {
    context.log(`[agentopsd: phase ${phase.number}, ${phase.name}]`);
    return workPhase(ground, phase, earlier);
  }
  context.log(`[agentopsd: phase ${phase.number}, ${phase.name}, was finished by attempt ${finished.attempt}]`);
  return { result: finished };
}

/** `run.json`: what the phases came to, and what became of the worktree. */
async function tellRun({ context, agent, request, cwd }: PhaseGround, done: PhaseResult[], worktree?: Worktree) {
  const left = worktree === undefined ? undefined : await closeWorktree(context, worktree);
  if (left !== undefined) context.log(`[agentopsd: ${left}]`);
  const costs = done.map(({ cost_usd }) => cost_usd).filter((cost) => typeof cost === 'number');
  const run: JsonObject = {
    schema_version: 1,
    run_id: request.runId,
    job_id: request.jobId,
    mode: request.mode,
    agent: agent.name,
    goal: request.goal,
    verdict: done.every(({ verdict }) => verdict === 'succeeded') ? 'succeeded' : 'failed',
    why: done.at(-1)?.why ?? '',
    phases: done.map(({ phase, phase_name, attempt, verdict, why }) => ({ phase, phase_name, attempt, verdict, why })),
    ...(costs.length === 0 ? {} : { cost_usd: costs.reduce((sum, cost) => sum + cost, 0) }),
    ...(left === undefined ? {} : { worktree: { base: worktree?.base ?? '', left } }),
    ...(cwd === context.root ? {} : { worked_in: 'a worktree of its own' }),
  };
  await context.artifact('run.json', `${JSON.stringify(run, null, 2)}\n`);
}

async function readPacket({ root }: BuiltinContext, { packetPath }: RpiRequest): Promise<string | undefined> {
  if (packetPath === undefined) return undefined;
  const member = 'payload.execution_packet_path';
  const { absolute } = await resolveInside(root, packetPath, member);
  const read = await readRegularFile(root, absolute, rpiLimits.packetBytes);
  if ('reason' in read) throw failure('request_rejected', `${member}: ${read.reason}`);
  return read.bytes.toString('utf8');
}
