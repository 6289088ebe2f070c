/**
 * What the agents of a job did, as its events tell it: each says what changed of the runs of its attempt, and the job
 * keeps the last word of each. Pure, and tolerant: a member that is not as it should be is left out.
 */
import { isJsonObject, type Json, type JsonObject } from '../base/json.js';
import type { AgentRunOfJob, LedgerEvent } from './event.js';
import type { Job } from './job.js';

/** A job with more of them forgets the oldest: everything stands in its run folder. */
export const AGENT_RUNS_KEPT = 64;

export function agentRunsAfter(job: Job, event: LedgerEvent): readonly AgentRunOfJob[] | undefined {
  const told = event.payload?.['agent_runs'];
  if (!isJsonObject(told)) return job.agent_runs;
  const runs = [...(job.agent_runs ?? [])];
  for (const [run, given] of Object.entries(told)) {
    const read = readRun(job.attempt, run, given);
    if (read === undefined) continue;
    const at = runs.findIndex((one) => one.attempt === job.attempt && one.run === run);
    runs.splice(at === -1 ? runs.length : at, 1, read);
  }
  return runs.length === 0 ? undefined : runs.slice(-AGENT_RUNS_KEPT);
}

type NewRun = { -readonly [Member in keyof AgentRunOfJob]: AgentRunOfJob[Member] };

/** Its members are in the order of their names: so the text of the job needs no sorting. */
function readRun(attempt: number, run: string, given: Json | undefined): AgentRunOfJob | undefined {
  if (!isJsonObject(given) || typeof given['agent'] !== 'string') return undefined;
  const { agent, cli_version, cost_usd, denials, model, session_id, turns, usage, verdict, why } = given;
  const read = { agent, attempt } as NewRun;
  if (typeof cli_version === 'string') read.cli_version = cli_version;
  if (isCount(cost_usd)) read.cost_usd = cost_usd;
  if (Array.isArray(denials)) read.denials = denials.filter((tool) => typeof tool === 'string');
  if (typeof model === 'string') read.model = model;
  read.run = run;
  if (typeof session_id === 'string') read.session_id = session_id;
  if (isCount(turns)) read.turns = turns;
  if (isJsonObject(usage)) read.usage = counts(usage);
  if (verdict === 'succeeded' || verdict === 'failed') read.verdict = verdict;
  if (typeof why === 'string') read.why = why;
  return read;
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}

function counts(given: JsonObject): Record<string, number> {
  for (const name in given)
    if (!isCount(given[name]))
      return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, number] => isCount(entry[1])));
  return given as Record<string, number>;
}
