/**
 * Makes an agent of an agent CLI: the adapter knows the CLI, the runner its run, and here both come together. A run goes
 *
 *     version ─> files ─> process ─> lines to the adapter ─> verdict ─> artifacts
 *
 * and gives back a verdict whatever the CLI did. Only a stop of the attempt is thrown, after what is known was kept.
 */
import { join, resolve } from 'node:path';
import type { AgentRunFacts } from '../../lib/model/event.js';
import type { WorkerAgent } from '../../lib/model/worker-protocol.js';
import { failureOf } from '../failure.js';
import type { Variables } from '../process/environment.js';
import type { Spawn } from '../process/spawn.js';
import type { AgentAdapter } from './adapter.js';
import type { Agent, AgentRequest } from './agent.js';
import { agentLimits } from './agent-limits.js';
import { CliRun } from './cli-run.js';
import { runFileNames } from './run-files.js';
import { UsageOfThreads } from './thread-usage.js';

export interface AgentGround {
  readonly spawn: Spawn;
  readonly root: string;
  readonly runDir: string;
  readonly signal: AbortSignal;
  /** Of the attempt's lease. */
  readonly marker: string;
  /** The daemon's variables, as the thread sees them. */
  readonly variables: Variables;
  /** Of the transcript and of the standard error, each. */
  readonly outputBytes: number;
  log(text: string): void;
  /** Names a file that is still being written. */
  nameArtifact(name: string, path: string): void;
  recordArtifact(name: string, path: string): Promise<string>;
  /** What is known of a run now; `urgent` when it began or ended. */
  tell(run: string, facts: AgentRunFacts, urgent: boolean): void;
}

export interface CliAgentSettings {
  readonly worker: WorkerAgent;
  readonly adapter: AgentAdapter;
  readonly ground: AgentGround;
  /** Default: `agentLimits.unreachableMs`. */
  readonly unreachableMs?: number;
  /** Default: `agentLimits.lingerMs`. */
  readonly lingerMs?: number;
}

export function createCliAgent(settings: CliAgentSettings): Agent {
  const { worker, adapter, ground } = settings;
  const threads = new UsageOfThreads();
  const named = new Map<string, number>();
  let version: Promise<string | undefined> | undefined;
  return {
    name: worker.name,
    async run(request) {
      ground.signal.throwIfAborted();
      version ??= versionOf(settings);
      const cliVersion = await version;
      ground.signal.throwIfAborted();
      const folder = resolve(ground.root, request.folder ?? join(ground.runDir, 'artifacts'));
      const run = new CliRun(settings, request, folder, { threads, cliVersion, name: nameOf(request, named) });
      try {
        nameFiles(ground, request, folder);
        return await run.result(adapter.plan(worker.command, request.access));
      } finally {
        run.close();
        await recordFiles(ground, request, folder);
      }
    },
  };
}

/** What its artifacts' names begin with; a second run of that name gets a number. */
function nameOf({ artifactPrefix = '' }: AgentRequest, named: Map<string, number>): string {
  const name = artifactPrefix.replace(/\/+$/u, '') || 'agent';
  const times = (named.get(name) ?? 0) + 1;
  named.set(name, times);
  return times === 1 ? name : `${name} ${times}`;
}

/** Undefined where the transcript tells it, and where it can't be found out: the run will say why. */
async function versionOf({ worker, adapter, ground }: CliAgentSettings): Promise<string | undefined> {
  const command = adapter.versionCommand?.(worker.command);
  if (command === undefined) return undefined;
  const [program = '', ...args] = command;
  let found: string | undefined;
  const onLine = (line: string) => {
    found ??= /\d+\.\d+\.\d+[\w.+-]*/u.exec(line)?.[0];
  };
  const { versionMs: timeoutMs } = agentLimits;
  await ground
    .spawn(program, args, { passEnv: worker.env, timeoutMs, idleMs: timeoutMs, log: false, onLine })
    .catch(() => undefined);
  return found;
}

function nameFiles(ground: AgentGround, { artifactPrefix = '' }: AgentRequest, folder: string): void {
  for (const name of runFileNames) {
    try {
      ground.nameArtifact(`${artifactPrefix}${name}`, join(folder, name));
    } catch (error) {
      ground.log(`[agentopsd: ${name} is no artifact: ${failureOf(error).message}]`);
    }
  }
}

/** That a file can't be taken as an artifact is told, and is not the run's failure. */
async function recordFiles(ground: AgentGround, { artifactPrefix = '' }: AgentRequest, folder: string): Promise<void> {
  for (const name of runFileNames) {
    await ground.recordArtifact(`${artifactPrefix}${name}`, join(folder, name)).catch((error: unknown) => {
      if (!ground.signal.aborted) ground.log(`[agentopsd: ${name} is no artifact: ${failureOf(error).message}]`);
    });
  }
}
