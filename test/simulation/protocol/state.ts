/**
 * One state of the whole: folders, files, processes, what was promised. States are compared by value, so every member
 * is always there, in one order, and has a neutral value where it means nothing. States share what did not change: a
 * step copies the folder and the process that it changes (`forkFolder`, `forkProcess`); everything marked readonly is
 * replaced as a whole.
 */
import { type Cells, cellsOf, type LineNumber, numberOfLine, type SealPoint } from './line.js';
import { type Budgets, budgetsOf, type FolderName, type Scenario } from './scenario.js';
import { segmentName } from './segment.js';

/** The bytes of a file: as processes see them, as the disk has them, and the places that a failed sync gave up. */
export interface Inode {
  readonly cells: Cells;
  readonly disk: Cells;
  readonly lost: readonly number[];
}

/** A name in a ledger folder: whether it is there now, and whether a power loss would leave it as it is. */
export interface Entry {
  readonly inode: number;
  readonly live: boolean;
  readonly durable: boolean;
}

export interface Folder {
  /** The id in `run/`; 0 until someone makes it. */
  home: number;
  /** The process that owns each term. */
  readonly terms: Record<number, number>;
  readonly entries: Record<string, Entry>;
  /** What the segments were when the folder was cloned, by name; the common ancestor of a merge. */
  readonly base: Readonly<Record<string, Cells>>;
}

export type Step =
  | 'off'
  | 'look'
  | 'count'
  | 'fence'
  | 'claim'
  | 'list'
  | 'read'
  | 'earlyCut'
  | 'syncHead'
  | 'create'
  | 'write'
  | 'sync'
  | 'earlyCheck'
  | 'check'
  | 'tidy'
  | 'idle'
  | 'renew'
  | 'dead';

/** What the replay found to go on behind: synced, and in part written again, before a header names it. */
export interface Head {
  readonly name: string;
  readonly length: number;
  readonly rewriteFrom: number;
  readonly rewrite: Cells;
}

/** A process. `step` is what it does next. */
export interface Process {
  step: Step;
  readonly folder: FolderName;
  home: number;
  term: number;
  /** The skipped term that it has to take first; 0 for none. */
  fence: number;
  /** What it listed first to count its term: numbers of segments, or terms. */
  counted: readonly number[];
  /** The names that it listed, and the files that it read of them so far. */
  listing: readonly string[];
  read: readonly Cells[];
  /** All events it knows of, and the line that its next one follows. */
  history: readonly LineNumber[];
  last: LineNumber;
  after: SealPoint | null;
  orphans: readonly string[];
  head: Head | null;
  /** Its segment: the name, the file behind its descriptor, the acknowledged length, the batches in it. */
  name: string;
  inode: number;
  length: number;
  own: number;
  /** Batches in all. */
  made: number;
  /** The lines in flight, a header or a batch, and how many of their cells are written. */
  batch: readonly LineNumber[];
  written: number;
  header: boolean;
  /** It becomes the writer anew, without a replay. */
  renewing: boolean;
}

export interface State {
  readonly folders: { A: Folder; B: Folder | null };
  inodes: readonly Inode[];
  processes: readonly Process[];
  /** Events that someone was promised, and those that a reader was shown, by folder. */
  acknowledged: Readonly<Record<FolderName, readonly LineNumber[]>>;
  shown: Readonly<Record<FolderName, readonly LineNumber[]>>;
  /** Homes made so far. */
  homes: number;
  left: Budgets;
  /** Acknowledged bytes were taken away from outside: nothing is asked of the replay any more. */
  damaged: boolean;
  /** What a step itself found wrong. */
  violation: string;
}

export function newProcess(folder: FolderName, step: Step): Process {
  return {
    step,
    folder,
    home: 0,
    term: 0,
    fence: 0,
    counted: [],
    listing: [],
    read: [],
    history: [],
    last: 0,
    after: null,
    orphans: [],
    head: null,
    name: '',
    inode: 0,
    length: 0,
    own: 0,
    made: 0,
    batch: [],
    written: 0,
    header: false,
    renewing: false,
  };
}

/** Ends a process: nothing of it is left but that it was there. */
export function die(process: Process): void {
  Object.assign(process, newProcess(process.folder, 'dead'));
}

export function newFolder(home: number, base: Folder['base'] = {}): Folder {
  return { home, terms: {}, entries: {}, base };
}

export function folderOf(state: State, name: FolderName): Folder {
  const folder = state.folders[name];
  if (!folder) throw new Error(`there is no folder ${name} yet`);
  return folder;
}

export function processOf(state: State, number: number): Process {
  const process = state.processes[number];
  if (!process) throw new Error(`there is no process ${number}`);
  return process;
}

/** A state to change; its folders and processes are still those of the old one. */
export function forkState(state: State): State {
  return { ...state, folders: { ...state.folders } };
}

/** Makes one folder of a fresh fork safe to change. */
export function forkFolder(next: State, name: FolderName): Folder {
  const { home, terms, entries, base } = folderOf(next, name);
  const copy = { home, terms: { ...terms }, entries: { ...entries }, base };
  next.folders[name] = copy;
  return copy;
}

/** Makes one process of a fresh fork safe to change. */
export function forkProcess(next: State, number: number): Process {
  const copy = { ...processOf(next, number) };
  next.processes = next.processes.map((process, at) => (at === number ? copy : process));
  return copy;
}

/** Ends those that match, in a fresh fork. */
export function endProcesses(next: State, ends: (process: Process) => boolean): void {
  next.processes = next.processes.map((process) => (ends(process) ? newProcess(process.folder, 'dead') : process));
}

/** A fault strikes: one less may. */
export function spend(next: State, budget: keyof Budgets): void {
  next.left = { ...next.left, [budget]: next.left[budget] - 1 };
}

export function initialState(scenario: Scenario): State {
  const state: State = {
    folders: { A: newFolder(1), B: null },
    inodes: [],
    processes: scenario.writers.map((folder) => newProcess(folder, 'off')),
    acknowledged: { A: [], B: [] },
    shown: { A: [], B: [] },
    homes: 1,
    left: budgetsOf(scenario),
    damaged: false,
    violation: '',
  };
  if (scenario.start !== 'empty') addFirstWriter(state);
  if (scenario.start === 'stopped') die(processOf(state, 0));
  return state;
}

/** Process 0 with its segment of one acknowledged event, of the key 0 that no decision takes. */
function addFirstWriter(state: State): void {
  const header = numberOfLine({ kind: 'header', number: 1, writer: 0, home: 1, prev: 0, after: null });
  const event = numberOfLine({ kind: 'event', seq: 1, prev: header, key: 0, part: 0, parts: 1, writer: 0, commit: 1 });
  const cells = cellsOf([header, event]);
  const name = segmentName(1, 0);
  state.inodes = [{ cells, disk: cells, lost: [] }];
  state.folders.A.entries[name] = { inode: 0, live: true, durable: true };
  state.folders.A.terms[1] = 0;
  state.acknowledged = { A: [event], B: [] };
  state.shown = { A: [event], B: [] };
  const serving = { step: 'idle', home: 1, term: 1, history: [event], last: event, name, length: 4, own: 1 } as const;
  Object.assign(processOf(state, 0), serving);
}

/** Adds to what was promised or shown in one folder; kept sorted, so that the order of promises makes no new state. */
export function addEvents(
  known: State['acknowledged'],
  folder: FolderName,
  more: readonly LineNumber[],
): State['acknowledged'] {
  return { ...known, [folder]: [...new Set([...known[folder], ...more])].sort((a, b) => a - b) };
}
