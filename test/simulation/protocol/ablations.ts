/** The protocol with one rule taken away at a time, each with the smallest scenario in which it is missed. */
import { agreed, type Protocol } from './protocol.js';
import { cloned, pulled, runRemoved, threeWriters } from './runs.js';
import type { Scenario } from './scenario.js';

export interface Ablation {
  readonly name: string;
  readonly changes: Partial<Protocol>;
  readonly scenario: Partial<Scenario>;
  /** Length of a shortest counterexample; `holds` where another rule stands in. */
  readonly found: number | 'holds';
}

export function withoutRule({ changes, scenario }: Ablation): Partial<Scenario> {
  return { ...scenario, protocol: { ...agreed, ...changes } };
}

const terms: readonly Ablation[] = [
  {
    name: 'no fence at a skipped number',
    changes: { fenceJump: false },
    scenario: { ...pulled, twoHeadsAllowed: true },
    found: 17,
  },
  { name: 'a renewal takes any number', changes: { renew: 'anyTerm' }, scenario: { noSpace: 1 }, found: 16 },
  {
    name: 'lower terms are removed',
    changes: { prune: 'highestFirst' },
    scenario: { ...threeWriters, keys: 1 },
    found: 15,
  },
  {
    name: 'a term can be taken twice',
    changes: { exclusiveTerm: false },
    scenario: { ...threeWriters, keys: 1 },
    found: 12,
  },
  { name: 'segments are not counted', changes: { countSegments: false }, scenario: runRemoved, found: 'holds' },
  {
    name: 'terms are listed before the segments',
    changes: { countFirst: 'terms' },
    scenario: { start: 'empty', countsInTwoSteps: true },
    found: 23,
  },
  { name: 'no gap after lost terms', changes: { gapAfterLoss: false }, scenario: runRemoved, found: 'holds' },
  {
    name: 'no gap after lost terms, no home check',
    changes: { gapAfterLoss: false, homeCheck: false },
    scenario: runRemoved,
    found: 19,
  },
  { name: 'no home check at the listing', changes: { homeCheck: false }, scenario: runRemoved, found: 19 },
  { name: 'no number check at the listing', changes: { numberCheck: false }, scenario: runRemoved, found: 'holds' },
];

const checks: readonly Ablation[] = [
  {
    name: 'check without the own term',
    changes: { checkOwnTerm: false },
    scenario: { runRemovals: 1, twoHeadsAllowed: true },
    found: 12,
  },
  { name: 'check without the next term', changes: { checkNextTerm: false }, scenario: {}, found: 10 },
  { name: 'check without the segment', changes: { checkSegment: false }, scenario: { segmentRemovals: 1 }, found: 5 },
  { name: 'check before the write only', changes: { checkAt: 'beforeWrite' }, scenario: {}, found: 11 },
  { name: 'shown before the header', changes: { headerFirst: false }, scenario: threeWriters, found: 12 },
];

const durability: readonly Ablation[] = [
  {
    name: 'the head is not synced',
    changes: { syncHead: false },
    scenario: { shortWrites: true, powerLosses: 1 },
    found: 9,
  },
  {
    name: 'the folder is not synced before the header',
    changes: { syncFolder: false },
    scenario: { start: 'empty', powerLosses: 1 },
    found: 'holds',
  },
  {
    name: 'the folder is not synced before the header, headers are not skipped',
    changes: { syncFolder: false, skipHeaderOnly: false },
    scenario: { start: 'empty', powerLosses: 1 },
    found: 13,
  },
  {
    name: 'the head is not written again',
    changes: { rewrite: 'no' },
    scenario: { failedSyncs: 1, powerLosses: 1 },
    found: 10,
  },
  {
    name: 'a header is not written again, headers are not skipped',
    changes: { rewrite: 'batch', skipHeaderOnly: false },
    scenario: { ...threeWriters, failedSyncs: 1, powerLosses: 1, batches: 0 },
    found: 14,
  },
];

const repair: readonly Ablation[] = [
  {
    name: 'a clean stop removes, a starter already goes on from it',
    changes: { stopRemoves: true, skipHeaderOnly: false },
    scenario: { ...threeWriters, stops: true },
    found: 16,
  },
  {
    name: 'a clean stop removes the only seal of a cut file',
    changes: { stopRemoves: true, cut: 'afterCheck' },
    scenario: { stops: true, shortWrites: true },
    found: 13,
  },
  {
    name: 'a clean stop removes, an older seal counts again',
    changes: { stopRemoves: true },
    scenario: { ...threeWriters, stops: true, keys: 1 },
    found: 18,
  },
  {
    name: 'whole batches are cut, a clone has copied them',
    changes: { cut: 'afterCheck' },
    scenario: { ...cloned, writers: ['A', 'B', 'A'], keys: 1 },
    found: 18,
  },
  {
    name: 'nothing is cut',
    changes: { cut: 'never' },
    scenario: { ...threeWriters, shortWrites: true, powerLosses: 1, keys: 1 },
    found: 'holds',
  },
  { name: 'the replay cuts', changes: { cut: 'atReplay' }, scenario: { shortWrites: true }, found: 7 },
  {
    name: 'what is set aside is listed anew',
    changes: { orphans: 'relist' },
    scenario: { ...threeWriters, keys: 1 },
    found: 20,
  },
  {
    name: 'no second look before damage is told',
    changes: { relookBeforeCorrupt: false, cut: 'afterCheck' },
    scenario: { ...threeWriters, shortWrites: true, readOneByOne: true, keys: 1 },
    found: 17,
  },
];

const reading: readonly Ablation[] = [
  {
    name: 'no commit mark',
    changes: { commitMark: false },
    scenario: { batchSize: 2, shortWrites: true },
    found: 3,
  },
  {
    name: 'a torn end starts behind the last commit mark',
    changes: { torn: 'lastCommit' },
    scenario: { batchSize: 2, powerLosses: 1 },
    found: 3,
  },
  {
    name: 'one head: a clone of a half-written file',
    changes: { heads: 'ourHome' },
    scenario: { ...cloned, shortWrites: true },
    found: 9,
  },
  {
    name: 'one head: leftovers seen from a clone',
    changes: { heads: 'ourHome' },
    scenario: { ...threeWriters, clones: 1 },
    found: 18,
  },
  {
    name: 'one head: a clone that returns',
    changes: { heads: 'ourHome' },
    scenario: { ...pulled, start: 'stopped', cloneEnds: true },
    found: 12,
  },
  { name: 'nothing seals', changes: { heads: 'noSeal' }, scenario: {}, found: 8 },
  { name: 'homes are not told apart', changes: { heads: 'oneHead' }, scenario: cloned, found: 11 },
];

export const ablations: readonly Ablation[] = [...terms, ...checks, ...durability, ...repair, ...reading];
