/** The search: breadth first over every interleaving, so that the first violation found is one of the shortest. */
import { faults } from './faults.js';
import { findViolation } from './invariants.js';
import { quiet, type Scenario } from './scenario.js';
import { initialState, type State } from './state.js';
import { StateNames } from './state-names.js';
import { steps } from './steps.js';
import type { Successor } from './turn.js';

export interface Exploration {
  readonly states: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** Every state was seen; without it and without a violation the bound was met. */
  readonly exhausted: boolean;
  /** What does not hold, and a shortest way there; empty when all does. */
  readonly violation: string;
  readonly trace: readonly string[];
}

/** @param stateLimit no state is gone on from once so many were seen */
export function explore(options: Partial<Scenario>, stateLimit = Number.POSITIVE_INFINITY): Exploration {
  const scenario = { ...quiet, ...options };
  const seen = new Seen();
  let frontier: [number, State][] = [[0, initialState(scenario)]];
  seen.add(initialState(scenario), -1, '');
  for (let depth = 1; frontier.length > 0; depth++) {
    const found: [number, State][] = [];
    for (const [id, state] of frontier) {
      if (seen.size >= stateLimit) return { ...seen.summary(depth), exhausted: false };
      for (const [did, next] of successors(state, scenario)) {
        const nextId = seen.add(next, id, did);
        if (nextId < 0) continue;
        const violation = findViolation(next, scenario);
        if (violation) return { ...seen.summary(depth), exhausted: false, violation, trace: seen.traceTo(nextId) };
        found.push([nextId, next]);
      }
    }
    if (found.length === 0) return seen.summary(depth);
    frontier = found;
  }
  return seen.summary(0);
}

function successors(state: State, scenario: Scenario): Successor[] {
  const found = state.processes.flatMap((process, number) => steps[process.step]({ scenario, number, process, state }));
  return [...found, ...faults(state, scenario)];
}

/** The states seen so far, and where each was first reached from. */
class Seen {
  readonly #names = new StateNames();
  readonly #known = new Set<string>();
  readonly #cameFrom: number[] = [];
  readonly #did: string[] = [];

  get size(): number {
    return this.#known.size;
  }

  /** The id of a state that is new; -1 for one that was seen. */
  add(state: State, cameFrom: number, did: string): number {
    const name = this.#names.nameOf(state);
    if (this.#known.has(name)) return -1;
    this.#known.add(name);
    this.#cameFrom.push(cameFrom);
    return this.#did.push(did) - 1;
  }

  traceTo(id: number): string[] {
    const trace: string[] = [];
    for (let at = id; at > 0; at = this.#cameFrom[at] ?? 0) trace.unshift(this.#did[at] ?? '');
    return trace;
  }

  summary(depth: number): Exploration {
    return { states: this.size, depth, exhausted: true, violation: '', trace: [] };
  }
}
