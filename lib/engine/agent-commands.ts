/**
 * The agent CLI behind a name of the configuration: what `agents` says of it, else what is known of it. Which adapter
 * speaks with it follows from the name, or from the program that it starts.
 */
import { posix } from 'node:path';
import { type Agent, type Configuration, knownAgents } from '../model/configuration.js';
import { configurationDefaults } from '../model/configuration-schema.js';
import type { WorkerAgent } from '../model/worker-protocol.js';

type KnownAgent = (typeof knownAgents)[number];

/** Credentials and endpoints that each CLI reads from its environment; its other settings stand in the user's home. */
const known: Readonly<Record<KnownAgent, Pick<Agent, 'command' | 'env'>>> = {
  claude: {
    command: ['claude'],
    env: [
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_AUTH_TOKEN',
      'ANTHROPIC_BASE_URL',
      'ANTHROPIC_MODEL',
      'CLAUDE_CODE_OAUTH_TOKEN',
      'CLAUDE_CONFIG_DIR',
    ],
  },
  codex: { command: ['codex'], env: ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'CODEX_API_KEY', 'CODEX_HOME'] },
};

/** @returns the agent, or undefined when none of the adapters can speak with it */
export function agentNamed(name: string, { agents }: Pick<Configuration, 'agents'>): WorkerAgent | undefined {
  const configured = Object.hasOwn(agents, name) ? agents[name] : undefined;
  const adapter = adapterOf(name) ?? adapterOf(posix.basename(configured?.command[0] ?? ''));
  if (adapter === undefined) return undefined;
  const { command, env } = configured ?? known[adapter];
  const { timeout_seconds, idle_seconds } = configured ?? configurationDefaults.program;
  return { name: adapter, command, env, timeoutMs: timeout_seconds * 1000, idleMs: idle_seconds * 1000 };
}

function adapterOf(name: string): KnownAgent | undefined {
  return knownAgents.find((one) => one === name);
}
