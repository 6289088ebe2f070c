/** What a writer does once it listens: tidy up, decide, rotate, stop; and the way back in under a new term. */
import { cellsIn, cutFile, namesIn, removeName, termsIn } from './disk.js';
import { type EventLine, eventOf, lineAtCell, lineOf, numberOfLine } from './line.js';
import { parseSegment } from './segment.js';
import { die, type Folder, type Process, type State } from './state.js';
import { countTerm, startRenewal } from './term.js';
import { act, type Successor, type Turn } from './turn.js';

export function tidy(turn: Turn): Successor[] {
  const { protocol } = turn.scenario;
  return [
    act(turn, 'cuts what it sealed, sets aside what it passed by', (own, folder, next) => {
      cutSealed(own, folder, next, turn);
      for (const name of orphansOf(own, folder, turn)) removeName(folder, name);
      if (protocol.prune === 'highestFirst' && !pruneTerm(own, folder)) return;
      own.orphans = [];
      own.after = null;
      own.step = 'idle';
    }),
  ];
}

function cutSealed(own: Process, folder: Folder, next: State, { scenario: { protocol } }: Turn): void {
  if (!own.after || protocol.cut === 'never' || protocol.cut === 'atReplay') return;
  const { segment: name, length } = own.after;
  const cells = cellsIn(next, folder, name);
  const header = lineOf(lineAtCell(cells[0]));
  if (header?.kind !== 'header' || header.home !== own.home) return;
  const sealed = parseSegment({ name, cells }, protocol);
  const whole = protocol.cut === 'tornOnly' && sealed.header ? sealed.whole.length : length;
  cutFile(next, folder, name, Math.max(length, whole));
}

function orphansOf(own: Process, folder: Folder, { scenario }: Turn): readonly string[] {
  if (scenario.protocol.orphans === 'headerOnly') return own.orphans;
  return namesIn(folder).filter((name) => name !== own.name && name !== own.after?.segment);
}

/** Removes the highest of the lower terms; true when none is left. */
function pruneTerm(own: Process, folder: Folder): boolean {
  const lower = termsIn(folder).filter((term) => term < own.term);
  delete folder.terms[Math.max(...lower)];
  return lower.length < 2;
}

export function serve(turn: Turn): Successor[] {
  const { process, scenario } = turn;
  const options = decisions(turn);
  if (scenario.rotates && process.own > 0 && process.made < scenario.batches) {
    options.push(act(turn, 'rotates: becomes the writer anew', startRenewal));
  }
  if (scenario.stops && process.own === 0) options.push(stop(turn));
  return options;
}

/** One for each key that it does not know yet. */
function decisions(turn: Turn): Successor[] {
  const { process, scenario } = turn;
  if (process.made >= scenario.batches) return [];
  const known = new Set(process.history.map((line) => eventOf(line).key));
  const options: Successor[] = [];
  for (let key = 1; key <= scenario.keys; key++) {
    if (!known.has(key)) options.push(decide(turn, key));
  }
  return options;
}

function decide(turn: Turn, key: number): Successor {
  const { number, scenario } = turn;
  const { batchSize: parts, protocol } = scenario;
  return act(turn, `decides key ${key}`, (own) => {
    const first = own.history.length + 1;
    const batch: number[] = [];
    for (let part = 0; part < parts; part++) {
      const prev = batch.at(-1) ?? own.last;
      const event: EventLine = { kind: 'event', seq: first + part, prev, key, part, parts, writer: number };
      batch.push(numberOfLine(part === parts - 1 ? { ...event, commit: first } : event));
    }
    own.batch = batch;
    own.written = 0;
    own.step = protocol.checkAt === 'beforeWrite' ? 'earlyCheck' : 'write';
  });
}

function stop(turn: Turn): Successor {
  const { stopRemoves } = turn.scenario.protocol;
  return act(turn, stopRemoves ? 'stops cleanly, removes its empty segment' : 'stops cleanly', (own, folder) => {
    if (stopRemoves) removeName(folder, own.name);
    die(own);
  });
}

export function renew(turn: Turn): Successor[] {
  const { number, process, scenario } = turn;
  return [
    act(turn, 'counts a new term', (own, folder) => {
      countTerm(own, folder, scenario.protocol);
      if (scenario.protocol.renew === 'anyTerm') return;
      const inOrder = own.term === process.term + 1 && folder.terms[process.term] === number;
      if (!inOrder) die(own);
    }),
  ];
}
