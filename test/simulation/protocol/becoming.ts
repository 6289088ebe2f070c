/** Becoming the writer, up to the replay: home, count, fence, claim, list, read. */
import { filesIn, inodeAt, liveEntry, namesIn, numbersIn, termsIn } from './disk.js';
import { finishReplay } from './opening.js';
import { die, type Folder, type Process, processOf } from './state.js';
import { countTerm } from './term.js';
import { act, type Successor, type Turn } from './turn.js';

export function start(turn: Turn): Successor[] {
  const { scenario, number, process, state } = turn;
  const waitsForFolder = !state.folders[process.folder];
  const waitsForPull = scenario.startsAfterPull === number && state.left.pulls > 0;
  if (waitsForFolder || waitsForPull || comesSecond(turn)) return [];
  return [
    act(turn, 'starts and reads its home', (own, folder, next) => {
      if (!folder.home) folder.home = ++next.homes;
      own.home = folder.home;
      own.step = scenario.countsInTwoSteps ? 'look' : 'count';
      // A step between the two only matters where run/ can vanish there.
      if (!scenario.runRemovals && own.step === 'count') countTerm(own, folder, scenario.protocol);
    }),
  ];
}

/** Processes of one folder are alike: the lower number starts first, or every state would come in several copies. */
function comesSecond({ number, process, state }: Turn): boolean {
  if (number === 0) return false;
  const before = processOf(state, number - 1);
  return before.folder === process.folder && before.step === 'off';
}

export function look(turn: Turn): Successor[] {
  const { countFirst } = turn.scenario.protocol;
  return [
    act(turn, `lists the ${countFirst}`, (own, folder) => {
      own.counted = (countFirst === 'segments' ? numbersIn(folder) : termsIn(folder)).sort((a, b) => a - b);
      own.step = 'count';
    }),
  ];
}

export function count(turn: Turn): Successor[] {
  const { protocol, countsInTwoSteps } = turn.scenario;
  return [
    act(turn, 'counts terms and segments', (own, folder) => {
      countTerm(own, folder, protocol, countsInTwoSteps ? own.counted : undefined);
      own.counted = [];
    }),
  ];
}

export function fence(turn: Turn): Successor[] {
  return [
    act(turn, `takes term ${turn.process.fence} as a fence, as its own number skips it`, (own, folder) => {
      if (own.fence in folder.terms) return die(own);
      folder.terms[own.fence] = turn.number;
      own.fence = 0;
      own.step = 'claim';
    }),
  ];
}

export function claim(turn: Turn): Successor[] {
  const { term } = turn.process;
  return [
    act(turn, `takes term ${term}`, (own, folder) => {
      if (turn.scenario.protocol.exclusiveTerm && term in folder.terms) return die(own);
      folder.terms[term] = turn.number;
      own.step = 'list';
    }),
  ];
}

export function list(turn: Turn): Successor[] {
  const { scenario, number } = turn;
  return [
    act(turn, 'lists the ledger', (own, folder, next) => {
      if (!mayGoOn(own, folder, turn)) return die(own);
      if (own.renewing) {
        own.step = 'create';
        return;
      }
      own.listing = namesIn(folder);
      own.step = 'read';
      if (scenario.readOneByOne && own.listing.length > 0) return;
      own.read = filesIn(next, folder).map((file) => file.cells);
      finishReplay(own, number, folder, next, scenario);
    }),
  ];
}

/** What the listing itself has to show. */
function mayGoOn(own: Process, folder: Folder, { scenario, number }: Turn): boolean {
  const { homeCheck, numberCheck } = scenario.protocol;
  if (homeCheck && folder.home !== own.home) return false;
  if (folder.terms[own.term] !== number) return false;
  return !numberCheck || numbersIn(folder).every((each) => each < own.term);
}

export function read(turn: Turn): Successor[] {
  const { listing, read: done } = turn.process;
  const name = listing[done.length] ?? '';
  return [
    act(turn, `reads ${name}`, (own, folder, next) => {
      const entry = liveEntry(folder, name);
      if (!entry) return die(own);
      own.read = [...done, inodeAt(next, entry.inode).cells];
      if (own.read.length === listing.length) finishReplay(own, turn.number, folder, next, turn.scenario);
    }),
  ];
}
