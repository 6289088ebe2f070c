/**
 * What the agents of a job did, as its events tell it: each says what changed of the runs of its attempt, and the job
 * keeps the last word of each. Pure, and tolerant: a member that is not as it should be is left out.
 */
import { isJsonObject, type Json, type JsonObject } from '../base/json.js';
import type { AgentRunFacts, AgentRunOfJob, LedgerEvent } from './event.js';
import type { Job } from './job.js';

/** A job with more of them forgets the oldest: everything stands in its run folder. */
export const AGENT_RUNS_KEPT = 64;

export function agentRunsAfter(job: Job, event: LedgerEvent): readonly AgentRunOfJob[] | undefined {
  const told = event.payload?.['agent_runs'];
  if (!isJsonObject(told)) return job.agent_runs;
  const runs = [...(job.agent_runs ?? [])];
  for (const [run, given] of Object.entries(told)) {
    const facts = readFacts(given);
    if (facts === undefined) continue;
    const at = runs.findIndex((one) => one.attempt === job.attempt && one.run === run);
    runs.splice(at === -1 ? runs.length : at, 1, { attempt: job.attempt, run, ...facts });
  }
  return runs.length === 0 ? undefined : runs.slice(-AGENT_RUNS_KEPT);
}

function readFacts(given: Json | undefined): AgentRunFacts | undefined {
  if (!isJsonObject(given) || typeof given['agent'] !== 'string') return undefined;
  const { verdict, usage, denials } = given;
  return {
    agent: given['agent'],
    ...texts(given, 'cli_version', 'model', 'session_id', 'why'),
    ...(verdict === 'succeeded' || verdict === 'failed' ? { verdict } : {}),
    ...(isJsonObject(usage) ? { usage: counts(usage, ...Object.keys(usage)) } : {}),
    ...counts(given, 'cost_usd', 'turns'),
    ...(Array.isArray(denials) ? { denials: denials.filter((tool) => typeof tool === 'string') } : {}),
  };
}

function texts(given: JsonObject, ...names: string[]): Record<string, string> {
  const known = names.map((name) => [name, given[name]] as const);
  return Object.fromEntries(known.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function counts(given: JsonObject, ...names: string[]): Record<string, number> {
  const known = names.map((name) => [name, given[name]] as const);
  const isCount = (entry: readonly [string, Json | undefined]): entry is [string, number] =>
    typeof entry[1] === 'number' && entry[1] >= 0;
  return Object.fromEntries(known.filter(isCount));
}
