/**
 * What a run used of a thread that it may have gone on with. Some CLIs tell the usage of the whole thread each time: what
 * was known of the thread before is taken off, so that nothing is counted twice.
 */
import type { AgentUsage } from './agent.js';

const members = [
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_creation_input_tokens',
  'reasoning_output_tokens',
] as const satisfies readonly (keyof AgentUsage)[];

export class UsageOfThreads {
  readonly #known = new Map<string, AgentUsage>();

  /**
   * @param told what the thread had used before, where the CLI tells that; else what `record` was told counts
   * @returns what was used beyond that; all of it for a thread that is new
   */
  since(thread: string | undefined, usage: AgentUsage, told?: AgentUsage): AgentUsage {
    const before = told ?? (thread === undefined ? undefined : this.#known.get(thread));
    return before === undefined ? usage : difference(usage, before);
  }

  record(thread: string, usage: AgentUsage): void {
    this.#known.set(thread, usage);
  }
}

/** A count that became smaller was begun anew: then it is of this run alone. */
function difference(usage: AgentUsage, before: AgentUsage): AgentUsage {
  const startedOver = members.some((name) => (usage[name] ?? 0) < (before[name] ?? 0));
  if (startedOver) return usage;
  const left: { -readonly [Member in keyof AgentUsage]: AgentUsage[Member] } = { input_tokens: 0, output_tokens: 0 };
  for (const name of members) {
    const now = usage[name];
    if (now !== undefined) left[name] = now - (before[name] ?? 0);
  }
  return left;
}
