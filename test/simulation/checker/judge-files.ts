/** What nobody may do to the files of a ledger, judged at the call. */
import { posix } from 'node:path';
import type { MemoryDisk } from '../../support/memory-disk.js';
import { LEDGER, ledgerFiles, QUARANTINE, survivingQuarantine } from '../places.js';
import type { Witness } from './witness.js';

/** A cut: behind the seal of a durable header, without a whole batch, and only what is kept elsewhere. */
export function whyNoCut(disk: MemoryDisk, witness: Witness, path: string, sizeBytes: number): string | undefined {
  const name = posix.basename(path);
  const content = disk.contentOf(path);
  if (content === undefined || sizeBytes >= content.length) return undefined;
  const sealed = [...ledgerFiles(disk)].some(([other, bytes]) => {
    const after = witness.segmentText(other, bytes)?.header?.after;
    const durable = disk.survivingContentOf(posix.join(LEDGER, other));
    return (
      after?.segment === name && after.length <= sizeBytes && durable?.subarray(0, 200).equals(bytes.subarray(0, 200))
    );
  });
  if (!sealed) return `${name} was cut at byte ${sizeBytes}, which no header seals`;
  const ends = witness.segmentText(name, content)?.ends ?? [];
  if (ends.some((end) => end > sizeBytes)) return `${name} was cut at byte ${sizeBytes}, before a whole batch`;
  const cut = content.subarray(sizeBytes);
  if (!survivingQuarantine(disk).some((copy) => copy.equals(cut)))
    return `${cut.length} bytes were cut from ${name} that are kept nowhere`;
  return undefined;
}

export function whyNoRemoval(path: string): string | undefined {
  return isSegment(path) ? `${path} was removed by a daemon` : undefined;
}

/** A segment goes to the quarantine alone, and only where no event of it counts: one that slept may have written late. */
export function whyNoRename(disk: MemoryDisk, witness: Witness, from: string, to: string): string | undefined {
  if (!isSegment(from) || posix.dirname(from) !== LEDGER) return undefined;
  if (posix.dirname(to) !== QUARANTINE) return `${from} was moved to ${to}`;
  const name = posix.basename(from);
  const counts = witness.read(ledgerFiles(disk)).events.some((line) => line.segment === name);
  return counts ? `${from} was set aside although events of it count` : undefined;
}

function isSegment(path: string): boolean {
  return path.endsWith('.jsonl');
}
