/** The agent CLIs that can be spoken with, by the name that the configuration uses. */
import type { AgentAdapter } from './adapter.js';
import { claude } from './claude.js';
import { codex } from './codex.js';

const adapters: readonly AgentAdapter[] = [claude, codex];

export function adapterNamed(name: string): AgentAdapter | undefined {
  return adapters.find((adapter) => adapter.name === name);
}
