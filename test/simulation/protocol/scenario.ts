/** A scenario: who is there, what they do, and how often each fault may strike. All of it together bounds a run. */
import { agreed, type Protocol } from './protocol.js';

export type FolderName = 'A' | 'B';

/** How often each fault may still strike. */
export interface Budgets {
  /** Power loss: every process dies, and of what was not synced any part is gone. */
  readonly powerLosses: number;
  /** An `fdatasync` that fails and leaves the cache clean, so that a later one has nothing to write. */
  readonly failedSyncs: number;
  /** No space, in a write or in a sync: the same process becomes the writer anew. */
  readonly noSpace: number;
  /** `run/` is removed as a whole, with the terms and the home in it. */
  readonly runRemovals: number;
  /** A segment is removed under the processes. */
  readonly segmentRemovals: number;
  /** The ledger of folder A, as it is at that moment, becomes folder B. */
  readonly clones: number;
  /** The segments that were made in folder B arrive in folder A. */
  readonly pulls: number;
}

export interface Scenario extends Budgets {
  readonly protocol: Protocol;
  /** The folder of each process that may run. Those of one folder start in this order: they are alike. */
  readonly writers: readonly FolderName[];
  /** `serving`: process 0 is the writer; `stopped`: it was; `empty`: nobody was ever there. */
  readonly start: 'serving' | 'stopped' | 'empty';
  /** The process that only starts after the pull; -1 for none. */
  readonly startsAfterPull: number;
  /** The pull ends the processes of the clone. */
  readonly cloneEnds: boolean;
  /** Batches that each process may decide, and the events in each. */
  readonly batches: number;
  readonly batchSize: number;
  /** How many idempotency keys there are. */
  readonly keys: number;
  /** A write may take one cell only. */
  readonly shortWrites: boolean;
  /** Terms and segments are listed in one step each, with whatever happens in between. */
  readonly countsInTwoSteps: boolean;
  /** A replay reads its files in one step each instead of all in one. */
  readonly readOneByOne: boolean;
  /** A writer without an event of its own may stop cleanly. */
  readonly stops: boolean;
  /** A writer may open a new segment. */
  readonly rotates: boolean;
  /** "Two heads" is an honest answer here: more than one home writes. */
  readonly twoHeadsAllowed: boolean;
}

export const quiet: Scenario = Object.freeze<Scenario>({
  protocol: agreed,
  writers: ['A', 'A'],
  start: 'serving',
  startsAfterPull: -1,
  cloneEnds: false,
  batches: 1,
  batchSize: 1,
  keys: 2,
  shortWrites: false,
  countsInTwoSteps: false,
  readOneByOne: false,
  stops: false,
  rotates: false,
  twoHeadsAllowed: false,
  powerLosses: 0,
  failedSyncs: 0,
  noSpace: 0,
  runRemovals: 0,
  segmentRemovals: 0,
  clones: 0,
  pulls: 0,
});

export function budgetsOf(scenario: Scenario): Budgets {
  const { powerLosses, failedSyncs, noSpace, runRemovals, segmentRemovals, clones, pulls } = scenario;
  return { powerLosses, failedSyncs, noSpace, runRemovals, segmentRemovals, clones, pulls };
}
