/**
 * Carries a work order out in the tree of its pilot: its commands, then the agent, then the commands that validate it.
 * Who does the work is the agent that the configuration gives to the job type; without one the order's own commands alone.
 */
import { join } from 'node:path';
import { safeLine } from '../../lib/base/text.js';
import type { AgentRun } from '../agents/agent.js';
import type { BuiltinContext } from '../builtin-context.js';
import type { SpawnResult } from '../context.js';
import { failure } from '../failure.js';
import { endLeftovers, FOLDER_VARIABLE } from '../process/leftover-processes.js';
import { tailKeeper, tailOf } from '../process/tail-keeper.js';
import { factoryLimits } from './limits.js';
import type { PilotPlace } from './pilot-worktree.js';
import type { CarriedOrder } from './work-order-model.js';

export interface CommandRun {
  readonly command: string;
  readonly passed: boolean;
  readonly end: 'exited' | 'signalled' | 'timeout' | 'aborted';
  readonly exit_code?: number;
  readonly signal?: string;
  /** The end of what it printed; all of it is in `output.log`. */
  readonly output: string;
}

export interface AgentReport {
  readonly name: string;
  readonly passed: boolean;
  readonly why: string;
  readonly answer: string;
}

export interface PilotSteps {
  readonly commands: readonly CommandRun[];
  readonly agent?: AgentReport;
  /** Empty when the order was not carried out: there is nothing to validate. */
  readonly validation: readonly CommandRun[];
  readonly carriedOut: boolean;
}

/**
 * @throws a failure `request_rejected` for commands that may not run, `provider_unreachable` when there is neither an
 * agent nor a command
 */
export function refuseUnpilotable(order: CarriedOrder, { agent, allowPayloadCommands }: BuiltinContext): void {
  const { commands, validation_commands, goal } = order;
  const named = commands.length > 0 ? 'commands' : 'validation_commands';
  const some = commands.length + validation_commands.length > 0;
  if (some && !allowPayloadCommands)
    throw failure(
      'request_rejected',
      `payload.work_order.${named}: commands of a payload run only with allow_payload_commands: true in a trusted .agents/config.yaml`,
    );
  if (agent === undefined && !some)
    throw failure(
      'provider_unreachable',
      'nobody can carry the order out: put "executors: { factory.local-pilot: { agent: claude } }" into .agents/config.yaml, or give it payload.work_order.commands',
    );
  if (agent !== undefined && commands.length === 0 && goal === undefined)
    throw failure('request_rejected', 'payload.work_order.goal is missing: the agent needs a goal');
}

export async function runPilotSteps(
  order: CarriedOrder,
  place: PilotPlace,
  context: BuiltinContext,
): Promise<PilotSteps> {
  const total = order.commands.length + order.validation_commands.length;
  const commands: CommandRun[] = [];
  const not = (more: Partial<PilotSteps>): PilotSteps => ({ commands, validation: [], carriedOut: false, ...more });
  for (const command of order.commands) {
    context.progress({ done: commands.length, total, text: command.slice(0, 200) });
    const run = await runCommand(command, order, place, context);
    commands.push(run);
    if (!run.passed) return not({});
  }
  const agent =
    context.agent === undefined || order.goal === undefined ? undefined : await askAgent(order, place, context);
  if (agent?.passed === false) return not({ agent });
  const validation: CommandRun[] = [];
  for (const command of order.validation_commands) {
    context.progress({ done: commands.length + validation.length, total, text: command.slice(0, 200) });
    validation.push(await runCommand(command, order, place, context));
  }
  return { commands, ...(agent === undefined ? {} : { agent }), validation, carriedOut: true };
}

async function runCommand(
  command: string,
  order: CarriedOrder,
  { tree, scratch }: PilotPlace,
  context: BuiltinContext,
): Promise<CommandRun> {
  context.log(safeLine(`$ ${command}`));
  const timeoutMs = order.command_timeout_seconds * 1000;
  const output = tailKeeper(factoryLimits.outputCharacters);
  const result = await context.spawn('/bin/sh', ['-c', command], {
    cwd: tree,
    env: { [FOLDER_VARIABLE]: tree, TMPDIR: join(scratch, 'tmp') },
    timeoutMs,
    idleMs: timeoutMs,
    onOutput: (bytes) => output.take(bytes),
    onErrorOutput: (bytes) => void output.take(bytes),
  });
  await endLeftovers(context.claim.marker, tree);
  context.signal.throwIfAborted();
  // Where the tree stood says nothing about the order.
  return { command, ...endOf(result), output: output.text().replaceAll(tree, '<tree>') };
}

function endOf({ exitCode, signal, stopped }: SpawnResult): Omit<CommandRun, 'command' | 'output'> {
  if (stopped !== undefined) return { passed: false, end: stopped === 'aborted' ? stopped : 'timeout' };
  if (signal !== undefined) return { passed: false, end: 'signalled', signal };
  return { passed: exitCode === 0, end: 'exited', ...(exitCode === undefined ? {} : { exit_code: exitCode }) };
}

/** @throws the agent's own failure when it can't be reached: that says nothing about the order */
async function askAgent(order: CarriedOrder, { tree }: PilotPlace, context: BuiltinContext): Promise<AgentReport> {
  if (context.agent === undefined) throw new Error('invariant broken: only an agent that is there is asked');
  const run: AgentRun = await context.agent.run({
    prompt: promptOf(order),
    cwd: tree,
    access: 'write',
    folder: join(context.runDir, 'artifacts', 'agent'),
    artifactPrefix: 'agent/',
  });
  await endLeftovers(context.claim.marker, tree);
  context.signal.throwIfAborted();
  if (run.failure?.code === 'provider_unreachable') throw Object.assign(new Error(run.why), { failure: run.failure });
  const { verdict, why, answer } = run;
  return {
    name: context.agent.name,
    passed: verdict === 'succeeded',
    why,
    answer: tailOf(answer.replaceAll(tree, '<tree>'), factoryLimits.outputCharacters),
  };
}

function promptOf({ title, goal, paths, validation_commands }: CarriedOrder): string {
  const parts = [
    'Carry out this work order in the folder you are in, a git worktree made for it alone.',
    ...(title === undefined ? [] : [`Title: ${title}`]),
    `Goal: ${goal}`,
    ...(paths.length === 0 ? [] : [`Change nothing but these files and what is below these folders:\n${list(paths)}`]),
    ...(validation_commands.length === 0
      ? []
      : [`The work is good when each of these commands ends with exit code 0:\n${list(validation_commands)}`]),
    'Leave the changes as files; do not merge, push, or touch other branches.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}
