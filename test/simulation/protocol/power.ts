/**
 * Power loss: every process dies, and a file keeps any size between what was synced and what was written, each cell
 * that was not synced as it was or as zero; each change of a name that was not synced is kept or lost. All of it, in
 * every combination. Folder A only: no power is lost in a clone.
 */
import { filesIn } from './disk.js';
import { type Cell, type Cells, zeroCell } from './line.js';
import { endProcesses, type Folder, forkState, type Inode, type State, spend } from './state.js';
import type { Successor } from './turn.js';

export function losePower(state: State): Successor[] {
  const dark = forkState(state);
  spend(dark, 'powerLosses');
  endProcesses(dark, ({ step }) => step !== 'off');
  const folders = possibleFolders(state.folders.A);
  const { B } = state.folders;
  return possibleDisks(state.inodes).flatMap((inodes) =>
    folders.map((A): Successor => {
      const next: State = { ...dark, inodes, folders: { A, B } };
      return [`POWER LOSS, on disk: ${showFiles(next)}`, next];
    }),
  );
}

function possibleDisks(inodes: readonly Inode[]): Inode[][] {
  let disks: Inode[][] = [[]];
  for (const inode of inodes) {
    const survivors = possibleContents(inode).map((cells) => ({ cells, disk: cells, lost: [] }));
    disks = disks.flatMap((disk) => survivors.map((survivor) => [...disk, survivor]));
  }
  return disks;
}

/** Everything that the disk may hold of a file. */
function possibleContents({ cells, disk, lost }: Inode): Cells[] {
  let same = 0;
  while (same < disk.length && same < cells.length && disk[same] === cells[same]) same++;
  const unsynced = cells.slice(same).map((cell, at) => (lost.includes(same + at) ? zeroCell : cell));
  const options = new Map<string, Cells>([[String(disk), disk]]);
  const rewritten = same < disk.length && same < cells.length;
  for (let size = rewritten ? 1 : 0; size <= unsynced.length; size++) {
    for (const tail of keptOrZero(unsynced.slice(0, size))) {
      const content = [...cells.slice(0, same), ...tail];
      options.set(String(content), content);
    }
  }
  return [...options.values()];
}

function keptOrZero(cells: Cells): Cells[] {
  const places = cells.map((_cell, at) => at);
  return subsets(places).map((kept) => cells.map((cell, at) => (kept.has(at) ? cell : zeroCell)));
}

function possibleFolders(folder: Folder): Folder[] {
  const unsettled = Object.keys(folder.entries).filter((name) => {
    const entry = folder.entries[name];
    return !entry?.live || !entry.durable;
  });
  return subsets(unsettled).map((kept) => {
    const lost = (name: string): boolean => unsettled.includes(name) && !kept.has(name);
    const left = Object.entries(folder.entries).filter(([name]) => !lost(name));
    const entries = left.map(([name, { inode }]) => [name, { inode, live: true, durable: true }] as const);
    return { ...folder, entries: Object.fromEntries(entries) };
  });
}

function subsets<Each>(all: readonly Each[]): Set<Each>[] {
  return Array.from({ length: 1 << all.length }, (_, mask) => new Set(all.filter((_each, at) => (mask >> at) & 1)));
}

/** Line and half of each cell: `3a 3b` is line 3 as a whole. */
function showFiles(state: State): string {
  const show = (cell: Cell): string => (cell === zeroCell ? '0' : `${cell >> 1}${cell % 2 ? 'b' : 'a'}`);
  const files = filesIn(state, state.folders.A);
  return files.map(({ name, cells }) => `${name}=[${cells.map(show).join(' ')}]`).join(' ');
}
