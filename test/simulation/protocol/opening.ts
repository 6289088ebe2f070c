/** From the replay to the own segment: judge what was read, make the head durable, create the file. */
import { addFile, cutFile, failSync, liveEntry, overwriteCells, syncFolder, syncInode } from './disk.js';
import { numberOfLine } from './line.js';
import type { Protocol } from './protocol.js';
import { type Replay, replay } from './replay.js';
import type { Scenario } from './scenario.js';
import { parseSegment, segmentName } from './segment.js';
import { addEvents, die, type Folder, type Head, type Process, type State, spend } from './state.js';
import { act, type Successor, type Turn, type Work } from './turn.js';

/** Takes over what the replay of the files in `read` found; ends the process, or the run, where it found damage. */
export function finishReplay(own: Process, number: number, folder: Folder, next: State, scenario: Scenario): void {
  const { protocol, twoHeadsAllowed } = scenario;
  const files = own.listing.map((name, at) => ({ name, cells: own.read[at] ?? [] }));
  const found = replay(files, own.home, protocol);
  if (found.status === 'corrupt' || (found.status === 'two heads' && !twoHeadsAllowed)) {
    const stillOurs = folder.terms[own.term] === number && !(own.term + 1 in folder.terms);
    if (stillOurs || !protocol.relookBeforeCorrupt) {
      next.violation = `the start of W${number} reports ${found.status}: ${found.why}`;
    }
    die(own);
    return;
  }
  goOnFrom(own, found, protocol);
  own.listing = [];
  own.read = [];
  own.step = protocol.cut === 'atReplay' && own.head ? 'earlyCut' : 'syncHead';
}

function goOnFrom(own: Process, found: Replay, protocol: Protocol): void {
  const links = [...found.links];
  while (protocol.skipHeaderOnly && links.at(-1)?.unit.events.length === 0) links.pop();
  const end = links.at(-1);
  own.history = found.events;
  own.last = end ? end.unit.line : 0;
  own.after = end ? { segment: end.segment.name, length: end.unit.length } : null;
  const onChain = links.map(({ segment }) => segment.name);
  own.orphans = findOrphans(own, onChain, protocol);
  own.head = findHead(own, found, protocol);
}

/** What the replay passed by, without events, of our home or of nobody's. */
function findOrphans(own: Process, onChain: readonly string[], protocol: Protocol): string[] {
  return own.listing.filter((name, at) => {
    if (onChain.includes(name)) return false;
    const segment = parseSegment({ name, cells: own.read[at] ?? [] }, protocol);
    if (!segment.header) return !segment.linesFollow;
    return segment.whole.events.length === 0 && segment.header.home === own.home;
  });
}

function findHead(own: Process, found: Replay, { rewrite }: Protocol): Head | null {
  const head = found.links.at(-1);
  if (!head) return null;
  const { name } = head.segment;
  const { length } = head.unit;
  const units = head.segment.units.filter((unit) => unit.length <= length);
  const rewrites = rewrite === 'unit' || (rewrite === 'batch' && units.length > 1);
  if (!rewrites) return { name, length, rewriteFrom: length, rewrite: [] };
  const rewriteFrom = units.at(-2)?.length ?? 0;
  const cells = own.read[own.listing.indexOf(name)] ?? [];
  return { name, length, rewriteFrom, rewrite: cells.slice(rewriteFrom, length) };
}

/** Only with `cut: 'atReplay'`. */
export function earlyCut(turn: Turn): Successor[] {
  const { head } = turn.process;
  return [
    act(turn, `cuts ${head?.name} right after the replay`, (own, folder, next) => {
      if (head) cutFile(next, folder, head.name, head.length);
      own.step = 'syncHead';
    }),
  ];
}

export function syncHead(turn: Turn): Successor[] {
  const options = [act(turn, 'writes the head again, syncs it and the folder', settleHead(turn, false))];
  if (turn.state.left.failedSyncs) {
    options.push(act(turn, 'writes the head again, and its sync FAILS', settleHead(turn, true)));
  }
  return options;
}

function settleHead({ process, scenario: { protocol } }: Turn, fails: boolean): Work {
  const { head } = process;
  return (own, folder, next) => {
    const entry = head && liveEntry(folder, head.name);
    if (entry && protocol.syncHead) {
      overwriteCells(next, entry.inode, head.rewriteFrom, head.rewrite);
      if (fails) {
        spend(next, 'failedSyncs');
        failSync(next, entry.inode);
        return die(own);
      }
      syncInode(next, entry.inode);
    }
    if (protocol.syncFolder) syncFolder(folder);
    if (!protocol.headerFirst) next.shown = addEvents(next.shown, own.folder, own.history);
    own.head = null;
    own.step = 'create';
  };
}

export function create(turn: Turn): Successor[] {
  const { number, process } = turn;
  const name = segmentName(process.term, number);
  return [
    act(turn, `creates ${name}`, (own, folder, next) => {
      const { term, home, last: prev, after } = own;
      const header = numberOfLine({ kind: 'header', number: term, writer: number, home, prev, after });
      own.name = name;
      own.inode = next.inodes.length;
      addFile(next, folder, { name, cells: [] }, false);
      Object.assign(own, { step: 'write', batch: [header], written: 0, length: 0, own: 0, header: true });
    }),
  ];
}
