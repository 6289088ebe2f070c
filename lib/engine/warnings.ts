/** What the operator should know and what degrades nothing: one line each, as Ready and Status show them. */
import type { JobType } from '../model/event.js';
import type { State } from '../model/state.js';

export interface WarningSources {
  readonly state: State;
  readonly noWorkerFor: (jobType: JobType) => string | undefined;
  /** Of the configuration, the inbox and the like, in the order in which they are to be shown. */
  readonly others: readonly (() => readonly string[])[];
}

export function collectWarnings({ state, noWorkerFor, others }: WarningSources): string[] {
  return [...others.flatMap((tell) => tell()), ...foreignJobs(state), ...waitingTypes(state, noWorkerFor)];
}

function foreignJobs(state: State): string[] {
  const count = state.foreign().size;
  if (count === 0) return [];
  const jobs = count === 1 ? '1 job was' : `${count} jobs were`;
  return [
    `${jobs} accepted elsewhere and came with the ledger: they are shown and never run here until agentopsd adopt takes them over`,
  ];
}

function waitingTypes(state: State, noWorkerFor: (jobType: JobType) => string | undefined): string[] {
  const told = new Set<string>();
  for (const jobType of state.claimableTypes()) {
    const why = noWorkerFor(jobType);
    if (why !== undefined) told.add(why);
  }
  return [...told];
}
