/** How the runs of agents, and the progress of a job, are told to people. */
import type { QueueJob } from '../client/client.js';

type AgentRun = NonNullable<QueueJob['agent_runs']>[number];

/** One line: which run, by what, how it ended, and what it used and cost. */
export function agentRunWords(run: AgentRun): string {
  const { attempt, agent, cli_version, session_id, verdict, why, cost_usd, denials = [] } = run;
  const parts = [
    `${run.run} (attempt ${attempt})`,
    [agent, cli_version].filter((word) => word !== undefined).join(' '),
    verdict === undefined ? 'no end told' : verdict,
    usageWords(run),
    cost_usd === undefined ? '' : `$${cost_usd.toFixed(4)}`,
    denials.length === 0 ? '' : `refused ${denials.join(', ')}`,
    session_id === undefined ? '' : `session ${session_id}`,
    verdict === 'failed' && why !== undefined ? why : '',
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

function usageWords({ usage = {} }: AgentRun): string {
  const { input_tokens, output_tokens } = usage;
  if (input_tokens === undefined && output_tokens === undefined) return '';
  return `${input_tokens ?? 0} tokens in, ${output_tokens ?? 0} out`;
}

export function progressWords(progress: QueueJob['progress']): string | undefined {
  if (progress === undefined) return undefined;
  const { done, total, text } = progress;
  const words = total === undefined ? String(done) : `${done} of ${total}`;
  return text === undefined ? words : `${words}: ${text}`;
}
