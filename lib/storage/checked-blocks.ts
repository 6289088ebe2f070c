/** The lines of a segment in blocks, each taken in and checked, in the order that the checker needs. */
import { checkersFor, type Looking } from './chain-check.js';
import type { DiskFile } from './disk.js';
import { LineBlock } from './line-block.js';
import type { Mark, ScanTask } from './mark.js';
import { readLines } from './reader.js';

export interface BlocksToCheck {
  readonly sizeBytes: number;
  /** What the first event follows. */
  readonly header: Mark;
  /** Where what counts ends. */
  readonly toByte: number;
  readonly looking: Looking;
}

/**
 * @param take answers false when something is not as it should be
 * @returns how many lines there are; undefined when anything did not fit, and what was taken in does not count
 */
export async function takeChecked(
  file: DiskFile,
  task: ScanTask,
  { sizeBytes, header, toByte, looking }: BlocksToCheck,
  take: (block: LineBlock) => boolean,
): Promise<number | undefined> {
  const checkers = checkersFor(task, toByte);
  const checker = checkers.begin(header.hash, looking);
  let lineCount = 0;
  for await (const lines of readLines(file, sizeBytes)) {
    const block = new LineBlock(lines, lineCount + 1, toByte);
    lineCount += block.lineCount;
    const from = Math.max(0, header.toByte - lines.offset);
    const check = (): Promise<void> | undefined =>
      from < block.countedBytes ? checker.take(lines.bytes.subarray(from, block.countedBytes)) : undefined;
    if (!checkers.handsOver) await check();
    if (checker.isBroken || !take(block)) return undefined;
    if (checkers.handsOver) await check();
  }
  return (await checker.fits()) ? lineCount : undefined;
}
