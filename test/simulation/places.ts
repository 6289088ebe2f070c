/** Where things stand on the simulated disk. */
import { posix } from 'node:path';
import type { MemoryDisk } from '../support/memory-disk.js';

export const DAEMON = '/repository/.agents/daemon';
export const LEDGER = `${DAEMON}/ledger`;
export const QUARANTINE = `${DAEMON}/quarantine`;
export const RUN = `${DAEMON}/run`;
export const TERMS = `${RUN}/terms`;

/** The segments as anybody sees them now. */
export function ledgerFiles(disk: MemoryDisk): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of disk.namesIn(LEDGER)) {
    const content = disk.contentOf(posix.join(LEDGER, name));
    if (content !== undefined && name.endsWith('.jsonl')) files.set(name, content);
  }
  return files;
}

/** What a loss of power would leave of the segments at the least, the newest first. */
export function* survivingLedgerFiles(disk: MemoryDisk): Generator<Buffer> {
  for (const name of disk.namesIn(LEDGER).reverse()) {
    const content = disk.survivingContentOf(posix.join(LEDGER, name));
    if (content !== undefined) yield content;
  }
}

/** Copies in the quarantine that no loss of power takes away. */
export function survivingQuarantine(disk: MemoryDisk): Buffer[] {
  return disk
    .namesIn(QUARANTINE)
    .filter((name) => !name.endsWith('.note.json') && !name.startsWith('.'))
    .flatMap((name) => disk.survivingContentOf(posix.join(QUARANTINE, name)) ?? []);
}
