/**
 * The check between the sync and the acknowledgement: is the ledger still ours, and did the bytes go where everybody
 * will look for them? Each question has an accident that only it finds:
 *
 * - our term's file is there and ours: `run/` was removed, and somebody may have begun anew beside us;
 * - nobody has the next term: somebody took over while we slept; what we wrote lies behind the seal;
 * - the segment's path still is our descriptor, with one name and the size that we wrote: somebody removed, replaced
 *   or cut the file, and what we wrote is in no file that a replay reads.
 */
import type { Disk, DiskFile } from './disk.js';
import type { Term } from './terms.js';
import { isSame } from './terms.js';

export interface CheckedSegment {
  readonly file: DiskFile;
  /** The size that it must have. */
  readonly sizeBytes: number;
}

/** Why nothing may be acknowledged any more, for people; undefined when all is as it should be. */
export function whyNotOurs(disk: Disk, term: Term, segment: CheckedSegment): string | undefined {
  if (!term.isOurs())
    return `the record of term ${term.number} is gone from the run folder: somebody removed or replaced it`;
  if (!term.isLast()) return `another daemon took over: term ${term.number + 1} is taken`;
  return whyNotOurSegment(disk, segment);
}

function whyNotOurSegment(disk: Disk, segment: CheckedSegment): string | undefined {
  const { file, sizeBytes } = segment;
  const own = file.factsSync();
  const named = disk.factsSync(file.path);
  if (named === undefined) return `${file.path} was removed`;
  if (!isSame(named, own)) return `${file.path} was replaced by another file`;
  if (named.links !== 1) return `${file.path} has ${named.links} names`;
  if (named.sizeBytes !== sizeBytes) return `${file.path} is ${named.sizeBytes} bytes long instead of ${sizeBytes}`;
  return undefined;
}
