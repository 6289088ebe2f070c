/** What is told of a run: to whoever asked for it, to the ledger, and to `result.json`. Pure. */
import type { JsonObject } from '../../lib/base/json.js';
import type { AgentRunFacts } from '../../lib/model/event.js';
import type { SpawnResult } from '../context.js';
import type { Told } from './adapter.js';
import type { AgentDenial, AgentRun, AgentUsage } from './agent.js';
import { agentLimits } from './agent-limits.js';
import { brief } from './members.js';
import type { Ended, Verdict } from './verdict.js';

const TOOL_CHARACTERS = 200;
/** Names of refused tools that the ledger gets. */
const TOLD_DENIALS = 20;

/** @param usage of this run alone @param cliVersion as `--version` told it */
export function runOf(
  told: Told,
  { verdict, why, failure }: Verdict,
  usage: AgentUsage | undefined,
  cliVersion: string | undefined,
): AgentRun {
  const version = told.cli_version ?? cliVersion;
  const denials = told.denials.slice(0, agentLimits.denials).map(boundedDenial);
  return {
    verdict,
    why,
    ...(failure === undefined ? {} : { failure }),
    answer: told.answer.slice(0, agentLimits.answerCharacters).toWellFormed(),
    ...(told.session_id === undefined ? {} : { session_id: told.session_id }),
    ...(version === undefined ? {} : { cli_version: version }),
    ...(told.model === undefined ? {} : { model: told.model }),
    ...(usage === undefined ? {} : { usage }),
    ...(told.cost_usd === undefined ? {} : { cost_usd: told.cost_usd }),
    denials,
    ...(told.turns === undefined ? {} : { turns: told.turns }),
    ...leftOutOf(told, denials),
  };
}

function leftOutOf(
  { answer, denials, moreDenials = 0 }: Told,
  listed: readonly AgentDenial[],
): Pick<AgentRun, 'left_out'> {
  const counts = {
    answer_characters: Math.max(0, answer.length - agentLimits.answerCharacters),
    denials: denials.length + moreDenials - listed.length,
    denial_inputs: listed.filter(({ input }, at) => input === undefined && denials[at]?.input !== undefined).length,
  };
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0 ? {} : { left_out: Object.fromEntries(some) };
}

function boundedDenial(denial: AgentDenial): AgentDenial {
  const isLong = JSON.stringify(denial.input ?? {}).length > agentLimits.denialInputCharacters;
  const tool = brief(denial.tool, TOOL_CHARACTERS);
  return isLong || denial.input === undefined ? { tool } : { tool, input: denial.input };
}

/** @param isOver whether its verdict counts */
export function factsOf(agent: string, run: AgentRun, isOver: boolean): AgentRunFacts {
  const { answer: _answer, failure: _failure, left_out: _leftOut, verdict, why, denials, usage, ...rest } = run;
  const tools = [...new Set(denials.map(({ tool }) => tool))].slice(0, TOLD_DENIALS);
  return {
    agent,
    ...rest,
    ...(isOver ? { verdict, why } : {}),
    ...(usage === undefined ? {} : { usage: { ...usage } }),
    ...(tools.length === 0 ? {} : { denials: tools }),
  };
}

export interface ResultFacts {
  readonly agent: string;
  /** What was started; no secret stands in it, since those go by the environment. */
  readonly command: readonly string[];
  /** False while it runs, and for ever when its daemon was killed. */
  readonly finished: boolean;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly end: SpawnResult | undefined;
  readonly ended: Ended | undefined;
  readonly events: number;
  readonly unreadableLines: number;
  /** Bytes that the transcript's file does not hold. */
  readonly omittedBytes: number;
}

/** What `result.json` holds. */
export function resultOf({ answer, ...run }: AgentRun, facts: ResultFacts): JsonObject {
  const { end, ended, unreadableLines, omittedBytes } = facts;
  return {
    schema_version: 1,
    agent: facts.agent,
    command: [...facts.command],
    ...(run as unknown as JsonObject),
    answer,
    finished: facts.finished,
    started_at: facts.startedAt.toISOString(),
    duration_ms: Math.round(facts.durationMs),
    ...(end?.exitCode === undefined ? {} : { exit_code: end.exitCode }),
    ...(end?.signal === undefined ? {} : { signal: end.signal }),
    ...(end?.stopped === undefined ? {} : { stopped: ended ?? end.stopped }),
    transcript: {
      events: facts.events,
      ...(unreadableLines === 0 ? {} : { unreadable_lines: unreadableLines }),
      ...(omittedBytes === 0 ? {} : { left_out_bytes: omittedBytes }),
    },
  };
}
