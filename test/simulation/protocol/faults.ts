/** What may strike between any two steps, each as often as its budget says. */
import { addFile, filesIn, namesIn } from './disk.js';
import { losePower } from './power.js';
import type { Budgets, Scenario } from './scenario.js';
import type { SegmentFile } from './segment.js';
import { endProcesses, type Folder, forkFolder, forkState, newFolder, type State, spend } from './state.js';
import type { Successor } from './turn.js';

export function faults(state: State, scenario: Scenario): Successor[] {
  const { left, folders } = state;
  const found: Successor[] = [];
  if (left.runRemovals) found.push(strike(state, 'runRemovals', 'run/ IS REMOVED', removeRun));
  if (left.segmentRemovals) found.push(...namesIn(folders.A).map((name) => removeSegment(state, name)));
  if (left.clones) found.push(strike(state, 'clones', 'CLONE: folder B is the ledger as it is now', clone));
  if (left.pulls && madeInClone(state).length > 0) {
    const did = 'PULL: the segments made in folder B arrive in folder A';
    found.push(strike(state, 'pulls', did, (next) => pull(next, scenario)));
  }
  if (left.powerLosses && state.processes.some(({ step }) => step !== 'off' && step !== 'dead')) {
    found.push(...losePower(state));
  }
  return found;
}

function strike(state: State, budget: keyof Budgets, did: string, work: (next: State) => void): Successor {
  const next = forkState(state);
  spend(next, budget);
  work(next);
  return [did, next];
}

function removeRun(next: State): void {
  next.folders.A = { ...next.folders.A, home: 0, terms: {} };
}

function removeSegment(state: State, name: string): Successor {
  return strike(state, 'segmentRemovals', `${name} IS REMOVED`, (next) => {
    delete forkFolder(next, 'A').entries[name];
    next.damaged = true;
  });
}

function clone(next: State): void {
  const files = filesIn(next, next.folders.A);
  const folder: Folder = newFolder(++next.homes, Object.fromEntries(files.map(({ name, cells }) => [name, cells])));
  for (const file of files) addFile(next, folder, file, true);
  next.folders.B = folder;
}

function madeInClone(state: State): SegmentFile[] {
  const { B } = state.folders;
  return B ? filesIn(state, B).filter(({ name }) => !(name in B.base)) : [];
}

function pull(next: State, { cloneEnds }: Scenario): void {
  const original = forkFolder(next, 'A');
  for (const file of madeInClone(next)) addFile(next, original, file, true);
  if (cloneEnds) endProcesses(next, ({ folder }) => folder === 'B');
}
