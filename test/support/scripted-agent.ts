/** An agent that answers what it was told to, one answer a run, without a process. */
import type { Agent, AgentRequest, AgentRun } from '../../workers/agents/agent.js';

export interface ScriptedAgent extends Agent {
  readonly requests: AgentRequest[];
}

/** @param answers the text that a good run says, or what is different from a good run; a function sees the request */
export function scriptedAgent(
  answers: readonly (string | Partial<AgentRun>)[] | ((request: AgentRequest) => string | Partial<AgentRun>),
  name = 'claude',
): ScriptedAgent {
  const requests: AgentRequest[] = [];
  return {
    name,
    requests,
    async run(request) {
      const said = typeof answers === 'function' ? answers(request) : answers[requests.length];
      requests.push(request);
      if (said === undefined) throw new Error('the agent was asked more often than it has answers');
      return {
        verdict: 'succeeded',
        why: 'it said so',
        answer: '',
        denials: [],
        ...(typeof said === 'string' ? { answer: said } : said),
      };
    },
  };
}
