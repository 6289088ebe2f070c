/** One batch, or the header of a new segment: write, sync, check, and only then the acknowledgement. */
import { appendCells, failSync, syncFolder, syncInode } from './disk.js';
import { cellsOf, eventOf } from './line.js';
import { addEvents, die, folderOf, type Process, type State, spend } from './state.js';
import { checkPasses, holdsItsName, runOutOfSpace } from './term.js';
import { act, type Successor, type Turn, type Work } from './turn.js';

const what = (process: Process): string => (process.header ? 'its header' : 'the batch');

export function write(turn: Turn): Successor[] {
  const { process, scenario, state } = turn;
  const left = 2 * process.batch.length - process.written;
  const rest = process.written > 0 ? 'the rest of ' : '';
  const options = [act(turn, `writes ${rest}${what(process)} to ${process.name}`, put(left))];
  if (scenario.shortWrites && left > 1) {
    options.push(act(turn, `writes 1 of ${left} cells of ${what(process)} (short)`, put(1)));
  }
  if (state.left.noSpace && !process.header) {
    const runOut: Work = (own, folder, next) => {
      put(1)(own, folder, next);
      runOutOfSpace(own, next);
    };
    options.push(act(turn, `writes 1 of ${left} cells of the batch, then NO SPACE`, runOut));
  }
  return options;
}

function put(count: number): Work {
  return (own, _folder, next) => {
    const cells = cellsOf(own.batch);
    appendCells(next, own.inode, cells.slice(own.written, own.written + count));
    own.written += count;
    if (own.written === cells.length) own.step = 'sync';
  };
}

export function sync(turn: Turn): Successor[] {
  const { process, state } = turn;
  const options = [act(turn, `syncs ${process.name}`, settle)];
  if (state.left.failedSyncs) {
    const fail: Work = (own, _folder, next) => {
      failSync(next, own.inode);
      spend(next, 'failedSyncs');
      die(own);
    };
    options.push(act(turn, 'has a sync that FAILS', fail));
  }
  if (state.left.noSpace && !process.header) {
    const runOut: Work = (own, _folder, next) => {
      failSync(next, own.inode);
      runOutOfSpace(own, next);
    };
    options.push(act(turn, 'learns in the sync that there is NO SPACE', runOut));
  }
  return options;
}

const settle: Work = (own, folder, next) => {
  syncInode(next, own.inode);
  if (own.header) syncFolder(folder);
  own.step = 'check';
};

/** Only with `checkAt: 'beforeWrite'`. */
export function earlyCheck(turn: Turn): Successor[] {
  return [
    act(turn, 'checks before it writes', (own, folder) => {
      if (checkPasses(own, turn.number, folder, turn.scenario.protocol)) own.step = 'write';
      else die(own);
    }),
  ];
}

export function check(turn: Turn): Successor[] {
  const { number, process, state, scenario } = turn;
  const { protocol } = scenario;
  const checked = protocol.checkAt === 'beforeWrite' && !process.header;
  if (!checked && !checkPasses(process, number, folderOf(state, process.folder), protocol)) {
    return [act(turn, 'fails the check and exits, without an acknowledgement', die)];
  }
  if (process.header) return [act(turn, 'passes the check and listens', listen)];
  const keys = process.batch.map((line) => eventOf(line).key);
  return [act(turn, `passes the check and ACKNOWLEDGES key ${keys[0]}`, acknowledge(number))];
}

const listen: Work = (own, _folder, next) => {
  next.shown = addEvents(next.shown, own.folder, own.history);
  own.renewing = false;
  finishBatch(own, 'tidy');
};

function acknowledge(number: number): Work {
  return (own, folder, next) => {
    if (!holdsItsName(own, folder)) next.violation = `W${number} acknowledged into a removed file`;
    promise(own, next);
    own.history = [...own.history, ...own.batch];
    own.own++;
    own.made++;
    finishBatch(own, 'idle');
  };
}

function promise(own: Process, next: State): void {
  next.acknowledged = addEvents(next.acknowledged, own.folder, own.batch);
  next.shown = addEvents(next.shown, own.folder, own.batch);
}

function finishBatch(own: Process, step: Process['step']): void {
  own.length += own.written;
  own.last = own.batch.at(-1) ?? own.last;
  Object.assign(own, { step, batch: [], written: 0, header: false } satisfies Partial<Process>);
}
