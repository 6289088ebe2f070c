/**
 * Who runs a job type here: an executor of the configuration, else the built-in worker, else nobody, with the reason and
 * the line that would change it. A job that nobody takes stays queued.
 */
import { resolve } from 'node:path';
import { isBuiltinType } from '../model/builtin-types.js';
import { type Configuration, type Executor, knownAgents } from '../model/configuration.js';
import type { JobType } from '../model/event.js';
import type { WorkerAgent, WorkerExecutor } from '../model/worker-protocol.js';
import { agentNamed } from './agent-commands.js';

export type Taker = { readonly executor: WorkerExecutor; readonly nobody?: undefined } | { readonly nobody: string };

const CONFIGURATION_FILE = '.agents/config.yaml';

/** @param root real path of the repository: modules are named relative to it */
export function takerOf(jobType: JobType, configuration: Configuration, root: string): Taker {
  const executor = configuration.executors[jobType];
  if (executor === undefined) return builtin(jobType, configuration);
  return executor.kind === 'agent'
    ? withAgent(jobType, executor.agent, configuration)
    : configured(jobType, executor, root);
}

/** The built-in worker stays, and gets its agent. */
function withAgent(jobType: JobType, name: string, configuration: Configuration): Taker {
  if (!isBuiltinType(jobType)) {
    return {
      nobody: `nobody here takes ${jobType}: ${CONFIGURATION_FILE} gives it to the agent ${name}, which no built-in worker of this type can drive; a command or a module can`,
    };
  }
  const agent = agentNamed(name, configuration);
  if (agent !== undefined) return builtin(jobType, configuration, agent);
  return {
    nobody: `nobody here takes ${jobType}: the agent ${name} in ${CONFIGURATION_FILE} is none that can be spoken with; call it ${knownAgents.join(' or ')}, or let its command start a program of that name`,
  };
}

function builtin(
  jobType: JobType,
  { allow_payload_commands: allowPayloadCommands }: Pick<Configuration, 'allow_payload_commands'>,
  agent?: WorkerAgent,
): Taker {
  if (isBuiltinType(jobType)) {
    return { executor: { kind: 'builtin', ...(agent === undefined ? {} : { agent }), allowPayloadCommands } };
  }
  return {
    nobody: `nobody here takes ${jobType}: give it a worker in ${CONFIGURATION_FILE}, such as executors: { ${jobType}: { command: [program, argument] } }`,
  };
}

function configured(jobType: JobType, executor: Exclude<Executor, { kind: 'agent' }>, root: string): Taker {
  switch (executor.kind) {
    case 'command':
      return {
        executor: {
          kind: 'command',
          command: executor.command,
          env: executor.env,
          timeoutMs: executor.timeout_seconds * 1000,
          idleMs: executor.idle_seconds * 1000,
        },
      };
    case 'module':
      return {
        executor: {
          kind: 'module',
          path: resolve(root, executor.module),
          timeoutMs: executor.timeout_seconds * 1000,
        },
      };
    case 'off':
      return {
        nobody:
          executor.why === 'untrusted'
            ? `nobody here takes ${jobType}: its executor in ${CONFIGURATION_FILE} is not trusted; see it, and trust it, with agentopsd trust`
            : `nobody here takes ${jobType}: ${CONFIGURATION_FILE} says off`,
      };
  }
}
