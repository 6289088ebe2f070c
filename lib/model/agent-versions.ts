/**
 * Versions of the agent CLIs with which everything was tried (`make test-agents`). What they print and how they end is
 * no contract of theirs: another line of versions may do otherwise.
 */
import type { knownAgents } from './configuration-schema.js';

export type KnownAgent = (typeof knownAgents)[number];

export const triedVersions: Readonly<Record<KnownAgent, string>> = { claude: '2.1.332', codex: '0.171.0' };

/** Whether a version is of the line that was tried: the same major and minor number. */
export function isKnownToWork(agent: KnownAgent, version: string): boolean {
  return lineOf(version) === lineOf(triedVersions[agent]);
}

function lineOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
