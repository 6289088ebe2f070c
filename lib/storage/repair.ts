/**
 * The one place that cuts or moves anything of the ledger. It runs once, behind the check of our own header: from then
 * on the new segment's `after` seals what stands before it, so that nobody counts what is cut here. It cuts only our own
 * sealed segment, and only what is no whole batch, so that `cat *.jsonl | jq` reads on: whole batches behind the seal
 * stay, because a clone may have gone on from them. It moves only what the replay of this very writer listed and passed
 * by. The bytes are copied, durably, before anything is cut.
 *
 * A repair that fails changes nothing about what is counted: it is told and left for the next start.
 */
import { join } from 'node:path';
import { limits } from '../base/limits.js';
import type { DamageRecord } from '../model/health.js';
import type { DiskFile } from './disk.js';
import { DiskError } from './disk.js';
import { decodeLine } from './line.js';
import type { QuarantineOptions } from './quarantine.js';
import { finishedCopy, keepCopy, setAside } from './quarantine.js';
import { readPieces } from './reader.js';
import type { ReplayPlan } from './replay.js';

export interface RepairOptions extends QuarantineOptions {
  /** What was done, and what could not be, as lines for people. */
  readonly progress: (text: string) => void;
}

const WHY_TORN = 'a batch that was never whole: its write was cut short, and nobody was told that it was there';

/** Step 7 of becoming the writer, and the copies that opening owes. Never throws for what the disk refuses. */
export async function tidy(options: RepairOptions, plan: ReplayPlan): Promise<readonly DamageRecord[]> {
  const last = plan.chain.at(-1);
  if (plan.after !== undefined && last?.ours) await cutSealed(options, plan.after.segment, plan.after.length);
  for (const torn of plan.torn) {
    // What is passed by is moved as a whole below.
    if (torn.segment === plan.after?.segment && last?.ours) continue;
    if (!plan.orphans.includes(torn.segment))
      await attempt(options, `the torn end of ${torn.segment}`, () =>
        mendEnd(options, torn.segment, torn.fromByte, false),
      );
  }
  for (const name of plan.orphans) {
    await attempt(options, name, async () => {
      const path = await setAside(
        options,
        name,
        'it holds no event that counts: its writer ended before the first one',
      );
      if (path !== undefined) options.progress(`set aside ${name}, which holds no event: ${path}`);
    });
  }
  return copyDamage(options, plan.damage);
}

/**
 * Cuts what is no whole batch behind `fromByte` of a segment of our own that a newer header of ours seals there.
 * Never throws for what the disk refuses.
 */
export async function cutSealed(options: RepairOptions, segment: string, fromByte: number): Promise<void> {
  await attempt(options, `the end of ${segment}`, () => mendEnd(options, segment, fromByte, true));
}

async function attempt(options: RepairOptions, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    options.progress(`could not mend ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function mendEnd(options: RepairOptions, segment: string, countedBytes: number, sealed: boolean): Promise<void> {
  const path = join(options.layout.ledger, segment);
  if ((options.disk.factsSync(path)?.sizeBytes ?? 0) <= countedBytes) return;
  const file = await options.disk.open(path, sealed ? 'update' : 'read');
  try {
    // Its writer may have slept and written on since the replay: what is a whole batch by now stays.
    const fromByte = await endOfWholeBatches(file, countedBytes);
    const toByte = file.factsSync().sizeBytes;
    if (fromByte >= toByte) return;
    const name = `${segment}.from-byte-${fromByte}`;
    const kept =
      (sealed ? undefined : finishedCopy(options, name)) ??
      (await keepCopy(options, file, { fromByte, toByte }, name, WHY_TORN));
    if (!sealed) return;
    await cut(file, fromByte, toByte);
    options.progress(`cut ${toByte - fromByte} bytes of an unfinished write from ${segment}; they are kept in ${kept}`);
  } finally {
    await file.close();
  }
}

async function cut(file: DiskFile, fromByte: number, copiedToByte: number): Promise<void> {
  // Bytes that came after the copy have no copy.
  if (file.factsSync().sizeBytes !== copiedToByte) throw new DiskError('EBUSY', 'cut (it grew meanwhile)', file.path);
  await file.truncate(fromByte);
  await file.datasync();
}

/** The end of the last whole batch at or behind `fromByte`, which itself is the end of one. */
async function endOfWholeBatches(file: DiskFile, fromByte: number): Promise<number> {
  let end = fromByte;
  let first: number | undefined;
  let next: number | undefined;
  for await (const piece of readPieces(file, { fromByte })) {
    const decoded = piece.complete ? decodeLine(piece.bytes) : undefined;
    if (decoded?.kind !== 'event') break;
    const { seq } = decoded.event;
    if (next !== undefined && seq !== next) break;
    first ??= seq;
    next = seq + 1;
    if (decoded.commit === undefined) continue;
    if (decoded.commit.from !== first) break;
    end = piece.offset + piece.length;
    first = undefined;
  }
  return end;
}

/** Copies damaged lines, each once, and answers the records with the paths of the copies. */
export async function copyDamage(
  options: RepairOptions,
  damage: readonly DamageRecord[],
): Promise<readonly DamageRecord[]> {
  const paths = new Map<DamageRecord, string>();
  const segments = new Set(damage.slice(0, limits.quarantinedLines).map((record) => record.segment));
  for (const segment of segments) {
    const wanted = new Map(
      damage.filter((record) => record.segment === segment).map((record) => [record.segment_line, record]),
    );
    await attempt(options, `a copy of the damaged lines of ${segment}`, () =>
      copyLines(options, segment, wanted, paths),
    );
  }
  return damage.map((record) => {
    const path = paths.get(record);
    return path === undefined ? record : { ...record, quarantine_path: path };
  });
}

async function copyLines(
  options: RepairOptions,
  segment: string,
  wanted: ReadonlyMap<number, DamageRecord>,
  paths: Map<DamageRecord, string>,
): Promise<void> {
  const path = join(options.layout.ledger, segment);
  if (options.disk.factsSync(path) === undefined) return;
  const file = await options.disk.open(path, 'read');
  try {
    for await (const piece of readPieces(file)) {
      const record = wanted.get(piece.lineNumber);
      if (record === undefined || paths.size >= limits.quarantinedLines) continue;
      const span = { fromByte: piece.offset, toByte: piece.offset + piece.length };
      const name = `${segment}.line-${piece.lineNumber}`;
      paths.set(record, finishedCopy(options, name) ?? (await keepCopy(options, file, span, name, record.error)));
    }
  } finally {
    await file.close();
  }
}
