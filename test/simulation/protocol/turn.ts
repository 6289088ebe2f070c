/** What a step of a process gets to see, and how it answers: with every state that may come next. */
import type { Scenario } from './scenario.js';
import { type Folder, forkFolder, forkProcess, forkState, type Process, type State } from './state.js';

/** A state that may come next, and what was done to get there. */
export type Successor = readonly [did: string, state: State];

/** Changes a fork: the process, its folder, and whatever else of the state. */
export type Work = (process: Process, folder: Folder, state: State) => void;

export interface Turn {
  readonly scenario: Scenario;
  /** The number of the process; it also stands for its writer id. */
  readonly number: number;
  /** As they are before the step: to look at only. */
  readonly process: Process;
  readonly state: State;
}

export function act({ state, number }: Turn, did: string, work: Work): Successor {
  const next = forkState(state);
  const process = forkProcess(next, number);
  work(process, forkFolder(next, process.folder), next);
  const told = process.step !== 'dead' || /exits|stops/.test(did);
  return [`W${number} ${did}${told ? '' : ', exits'}`, next];
}
