/** What the calls of the file system do to a state: names, bytes, and what of both is durable. */
import { type Cells, zeroCell } from './line.js';
import { numberOfSegment, type SegmentFile } from './segment.js';
import type { Entry, Folder, Inode, State } from './state.js';

export function namesIn(folder: Folder): string[] {
  return Object.keys(folder.entries)
    .filter((name) => folder.entries[name]?.live)
    .sort();
}

export function numbersIn(folder: Folder): number[] {
  return namesIn(folder).map(numberOfSegment);
}

export function termsIn(folder: Folder): number[] {
  return Object.keys(folder.terms).map(Number);
}

export function inodeAt(state: State, inode: number): Inode {
  const found = state.inodes[inode];
  if (!found) throw new Error(`there is no inode ${inode}`);
  return found;
}

export function filesIn(state: State, folder: Folder): SegmentFile[] {
  return namesIn(folder).map((name) => ({ name, cells: cellsIn(state, folder, name) }));
}

/** The entry of a name that is there. */
export function liveEntry(folder: Folder, name: string): Entry | undefined {
  const entry = folder.entries[name];
  return entry?.live ? entry : undefined;
}

/** The cells behind a name; none when it is gone. */
export function cellsIn(state: State, folder: Folder, name: string): Cells {
  const entry = liveEntry(folder, name);
  return entry ? inodeAt(state, entry.inode).cells : [];
}

export function changeInode(state: State, inode: number, change: Partial<Inode>): void {
  const changed = { ...inodeAt(state, inode), ...change };
  state.inodes = state.inodes.map((each, at) => (at === inode ? changed : each));
}

/** A new file; its bytes and its name are durable, or nothing of it is. */
export function addFile(state: State, folder: Folder, { name, cells }: SegmentFile, durable: boolean): void {
  folder.entries[name] = { inode: state.inodes.length, live: true, durable };
  state.inodes = [...state.inodes, { cells, disk: durable ? cells : [], lost: [] }];
}

export function appendCells(state: State, inode: number, more: Cells): void {
  changeInode(state, inode, { cells: [...inodeAt(state, inode).cells, ...more] });
}

/** Writes in place, growing the file when it is shorter; cells that were given up are dirty again. */
export function overwriteCells(state: State, inode: number, from: number, again: Cells): void {
  const { cells, lost } = inodeAt(state, inode);
  const changed = [...cells];
  again.forEach((cell, offset) => {
    while (changed.length < from + offset) changed.push(zeroCell);
    changed[from + offset] = cell;
  });
  const rewritten = (at: number): boolean => at >= from && at < from + again.length;
  changeInode(state, inode, { cells: changed, lost: lost.filter((at) => !rewritten(at)) });
}

export function syncInode(state: State, inode: number): void {
  const { cells, lost } = inodeAt(state, inode);
  changeInode(state, inode, { disk: cells.map((cell, at) => (lost.includes(at) ? zeroCell : cell)) });
}

/** A sync that fails: what was dirty counts as clean from now on, and is never written. */
export function failSync(state: State, inode: number): void {
  const { cells, disk, lost } = inodeAt(state, inode);
  const given = [...lost];
  for (let at = disk.length; at < cells.length; at++) if (!lost.includes(at)) given.push(at);
  changeInode(state, inode, { lost: given });
}

export function syncFolder(folder: Folder): void {
  for (const [name, entry] of Object.entries(folder.entries)) {
    if (entry.live) folder.entries[name] = { ...entry, durable: true };
    else delete folder.entries[name];
  }
}

/** Takes a name away; the file lives on behind descriptors, and comes back when the power fails before a sync. */
export function removeName(folder: Folder, name: string): void {
  const entry = folder.entries[name];
  if (entry) folder.entries[name] = { ...entry, live: false };
}

export function cutFile(state: State, folder: Folder, name: string, length: number): void {
  const entry = liveEntry(folder, name);
  if (!entry) return;
  const { cells, lost } = inodeAt(state, entry.inode);
  if (cells.length <= length) return;
  changeInode(state, entry.inode, { cells: cells.slice(0, length), lost: lost.filter((at) => at < length) });
}
