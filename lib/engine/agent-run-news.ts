/** What the agents of one attempt did, as far as it is known, and what of it the ledger does not know yet. */
import { AGENT_RUNS_KEPT } from '../model/agent-runs.js';
import type { AgentRunFacts, AgentRuns } from '../model/event.js';

export class AgentRunNews {
  readonly #runs = new Map<string, AgentRunFacts>();
  readonly #untold = new Set<string>();
  #isDue = false;

  /** @param urgent whether it is worth a heartbeat of its own: that a run began or ended, not what it spent meanwhile */
  tell(run: string, facts: AgentRunFacts, urgent: boolean): void {
    this.#runs.delete(run);
    this.#runs.set(run, facts);
    this.#untold.add(run);
    this.#isDue ||= urgent;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  /** All of the attempt; undefined when there is none. */
  all(): AgentRuns | undefined {
    return this.#runs.size === 0 ? undefined : latest([...this.#runs]);
  }

  /** Those that were not taken so far; undefined when there is none. */
  take(): AgentRuns | undefined {
    this.#isDue = false;
    if (this.#untold.size === 0) return undefined;
    const untold = [...this.#runs].filter(([run]) => this.#untold.has(run));
    this.#untold.clear();
    return latest(untold);
  }
}

function latest(runs: readonly [string, AgentRunFacts][]): AgentRuns {
  return Object.fromEntries(runs.slice(-AGENT_RUNS_KEPT));
}
