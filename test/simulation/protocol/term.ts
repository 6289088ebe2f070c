/** Terms: counting the next one, the check that one still holds it, and a new one for the same process. */
import { liveEntry, numbersIn, termsIn } from './disk.js';
import type { Protocol } from './protocol.js';
import { type Folder, type Process, type State, spend } from './state.js';

/** Stands for the thousand numbers that are left free when every term is lost. */
const gap = 10;

/** What was listed before may be older than the rest: the numbers of segments, or the terms. */
export function countTerm(process: Process, folder: Folder, protocol: Protocol, listed?: readonly number[]): void {
  const terms = (protocol.countFirst === 'terms' ? listed : undefined) ?? termsIn(folder);
  const segments = (protocol.countFirst === 'segments' ? listed : undefined) ?? numbersIn(folder);
  const numbers = protocol.countSegments ? segments : [];
  const lost = terms.length === 0 && segments.length > 0;
  process.term = 1 + Math.max(0, ...terms, ...numbers) + (protocol.gapAfterLoss && lost ? gap : 0);
  const next = 1 + Math.max(0, ...terms);
  const skips = terms.length > 0 && process.term > next;
  process.fence = protocol.fenceJump && skips ? next : 0;
  process.step = process.fence ? 'fence' : 'claim';
}

/** The check between a sync and its acknowledgement. */
export function checkPasses(process: Process, number: number, folder: Folder, protocol: Protocol): boolean {
  if (protocol.checkOwnTerm && folder.terms[process.term] !== number) return false;
  if (protocol.checkNextTerm && process.term + 1 in folder.terms) return false;
  return !protocol.checkSegment || holdsItsName(process, folder);
}

/** Whether the name of its segment still leads to the file that it has open. */
export function holdsItsName(process: Process, folder: Folder): boolean {
  return liveEntry(folder, process.name)?.inode === process.inode;
}

/** Out of space, and rotation: goes on from the last acknowledged line, under a new term, without a replay. */
export function startRenewal(process: Process): void {
  const after = { segment: process.name, length: process.length };
  Object.assign(process, { step: 'renew', renewing: true, after, batch: [], written: 0 } satisfies Partial<Process>);
}

export function runOutOfSpace(process: Process, state: State): void {
  spend(state, 'noSpace');
  startRenewal(process);
}
