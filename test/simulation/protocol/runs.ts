/** The standard set: what is explored with the protocol as it is, and how many states there are. All of it holds. */
import type { Scenario } from './scenario.js';

export interface Run {
  readonly name: string;
  readonly scenario: Partial<Scenario>;
  /** States to stop at, for a run too large to exhaust. */
  readonly stateLimit?: number;
  /** What was counted; a change of the protocol or of the model shows here first. */
  readonly states: number;
  readonly depth: number;
}

export const threeWriters = { writers: ['A', 'A', 'A'] } satisfies Partial<Scenario>;
export const cloned = { writers: ['A', 'B'], clones: 1, twoHeadsAllowed: true } satisfies Partial<Scenario>;
/** The third process, a second one in the original, starts behind the pull. */
export const pulled = { writers: ['A', 'B', 'A'], clones: 1, pulls: 1, startsAfterPull: 2 } satisfies Partial<Scenario>;
export const runRemoved = {
  ...threeWriters,
  runRemovals: 1,
  twoHeadsAllowed: true,
  keys: 1,
} satisfies Partial<Scenario>;

export const runs: readonly Run[] = [
  { name: 'three writers', scenario: threeWriters, states: 13083, depth: 31 },
  {
    name: 'three writers, short writes, power loss, one key',
    scenario: { ...threeWriters, shortWrites: true, powerLosses: 1, keys: 1 },
    states: 23810,
    depth: 32,
  },
  {
    name: 'three writers, empty start, file by file, short writes, one key',
    scenario: { ...threeWriters, start: 'empty', readOneByOne: true, shortWrites: true, keys: 1 },
    states: 37224,
    depth: 43,
  },
  {
    name: 'two writers, two batches of two, short writes, two power losses',
    scenario: { batchSize: 2, batches: 2, shortWrites: true, powerLosses: 2 },
    states: 33314,
    depth: 25,
  },
  {
    name: 'two writers, two batches, failed sync, two power losses, file by file',
    scenario: { batches: 2, failedSyncs: 1, powerLosses: 2, readOneByOne: true },
    states: 3777,
    depth: 23,
  },
  {
    name: 'three writers, headers only, failed sync, power loss',
    scenario: { ...threeWriters, batches: 0, failedSyncs: 1, powerLosses: 1 },
    states: 1556,
    depth: 20,
  },
  {
    name: 'three writers, clean stops, short writes, one key',
    scenario: { ...threeWriters, stops: true, shortWrites: true, keys: 1 },
    states: 10619,
    depth: 32,
  },
  {
    name: 'three writers, out of space, one key',
    scenario: { ...threeWriters, noSpace: 1, keys: 1 },
    states: 58041,
    depth: 42,
  },
  {
    name: 'two writers, out of space twice, rotation, short writes, power loss',
    scenario: { batches: 2, noSpace: 2, rotates: true, shortWrites: true, powerLosses: 1 },
    stateLimit: 30000,
    states: 30082,
    depth: 19,
  },
  { name: 'three writers, run/ removed, one key', scenario: runRemoved, states: 32628, depth: 34 },
  {
    name: 'clone mid-write, both go on, short writes',
    scenario: { ...cloned, batches: 2, shortWrites: true },
    states: 1680,
    depth: 28,
  },
  {
    name: 'clone, the original is taken over, all go on',
    scenario: { ...cloned, writers: ['A', 'B', 'A'], shortWrites: true, keys: 1 },
    states: 24210,
    depth: 34,
  },
  {
    name: 'clone, pulled into a live original',
    scenario: { ...pulled, twoHeadsAllowed: true },
    states: 11116,
    depth: 34,
  },
  {
    name: 'clone goes on, returns to a stopped original: one head',
    scenario: { ...pulled, start: 'stopped', cloneEnds: true, stops: true, shortWrites: true },
    states: 292,
    depth: 30,
  },
  {
    name: 'clone of three writers that nobody goes on in: one head',
    scenario: { ...threeWriters, clones: 1, keys: 1 },
    states: 32299,
    depth: 32,
  },
  {
    name: 'two writers, a segment is removed under them',
    scenario: { segmentRemovals: 1, batches: 2 },
    states: 2171,
    depth: 27,
  },
  {
    name: 'two writers, empty start, terms and segments listed apart, short writes, power loss',
    scenario: { start: 'empty', countsInTwoSteps: true, shortWrites: true, powerLosses: 1, keys: 1 },
    states: 3264,
    depth: 31,
  },
  {
    name: 'two writers, empty start, run/ removed, terms and segments listed apart',
    scenario: { runRemovals: 1, twoHeadsAllowed: true, start: 'empty', countsInTwoSteps: true },
    states: 5591,
    depth: 32,
  },
  {
    name: 'clone, pulled into a live original, terms and segments listed apart',
    scenario: { ...pulled, twoHeadsAllowed: true, countsInTwoSteps: true },
    states: 11944,
    depth: 38,
  },
];
