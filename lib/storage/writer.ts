/**
 * Becoming the writer, in seven steps. Each of them has a history that goes wrong without it.
 *
 *   1. folders, durable; the lock                          `guard.ts`
 *   2. a term of our own                                   `terms.ts`
 *   3. list the ledger; give up if anybody was faster
 *   4. replay what was listed                              `replay.ts`
 *   5. write the head's last batch again and sync it: a sync that failed earlier may have left it in the cache alone,
 *      looking well, and what we go on from has to be on the disk
 *   6. our own segment with its header, durable, checked   `live-segment.ts`
 *   7. only now cut and move what the header has sealed    `repair.ts`
 *
 * Nothing may be shown to anyone before step 6 has passed.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import type { FileSeams } from './atomic-file.js';
import { SHARED_FOLDER, writeWhole } from './atomic-file.js';
import { DiskError } from './disk.js';
import { makeFolderDurably } from './folder.js';
import type { GuardOptions } from './guard.js';
import { enterFolder, leaveFolder } from './guard.js';
import type { Home } from './home.js';
import type { Layout } from './layout.js';
import type { GoesOn, LiveSegment } from './live-segment.js';
import { createSegment } from './live-segment.js';
import type { LockHold } from './lock.js';
import type { ReplayOptions, ReplayPlan } from './replay.js';
import { parseSegmentName } from './segment.js';
import type { Term } from './terms.js';
import { takeTerm } from './terms.js';

export interface WriterOptions extends FileSeams, GuardOptions {
  readonly clock: Clock;
  readonly layout: Layout;
  readonly home: Home;
}

export interface Writer {
  readonly hold: LockHold;
  readonly term: Term;
  readonly plan: ReplayPlan;
  readonly segment: LiveSegment;
}

/**
 * Steps 1 to 6.
 * @param replay takes in what counts of what was listed, and answers what it found; called once
 * @throws AgentopsdError `daemon_running`, `ledger_newer`, `ledger_unsafe`, `folder_unusable`, `file_unsafe`; DiskError
 */
export async function becomeWriter(
  options: WriterOptions,
  replay: (source: ReplayOptions) => Promise<ReplayPlan>,
): Promise<Writer> {
  const { disk, layout } = options;
  for (const path of [layout.terms, layout.ledger]) {
    await makeFolderDurably(disk, { path, permissions: SHARED_FOLDER, durableFrom: layout.root });
  }
  const hold = await enterFolder(options);
  let term: Term | undefined;
  try {
    term = await takeTerm(options);
    const { plan } = await replayUnder(options, term, replay);
    await rewriteHead(options, plan);
    const segment = await createSegment(options, term, goesOn(plan));
    return { hold, term, plan, segment };
  } catch (error) {
    await term?.close();
    if (term === undefined) await hold.release();
    else await leaveFolder(options, term.number, hold);
    throw error;
  }
}

async function replayUnder(
  options: WriterOptions,
  term: Term,
  replay: (source: ReplayOptions) => Promise<ReplayPlan>,
): Promise<{ plan: ReplayPlan }> {
  const { disk, layout, home } = options;
  const names = (await disk.list(layout.ledger)) ?? [];
  if (!term.isOurs()) throw overtaken(`the record of term ${term.number} is gone`);
  const later = names.find((name) => (parseSegmentName(name)?.term ?? 0) >= term.number);
  if (later !== undefined) throw overtaken(`${later} stands there, and our own term is ${term.number}`);
  const source: ReplayOptions = { disk, ledgerFolder: layout.ledger, home, names };
  try {
    const plan = await replay(source);
    if (plan.status === 'corrupt') refuseOvertaken(term);
    return { plan };
  } catch (error) {
    // A successor may be cutting and moving under our eyes: what looks like damage then is none.
    refuseOvertaken(term);
    throw error instanceof DiskError && error.errno === 'ENOENT' ? vanished(error) : error;
  }
}

/** @throws AgentopsdError `daemon_running` when somebody else became the writer meanwhile */
export function refuseOvertaken(term: Term): void {
  if (!term.isOurs() || !term.isLast()) throw overtaken(`term ${term.number + 1} is taken`);
}

/** The same bytes in the same place: harmless whoever's they are, and afterwards they are on the disk for certain. */
async function rewriteHead(options: WriterOptions, plan: ReplayPlan): Promise<void> {
  const { disk, layout } = options;
  if (plan.lastUnit !== undefined) {
    const { segment, fromByte, toByte } = plan.lastUnit;
    const file = await disk.open(join(layout.ledger, segment), 'update');
    try {
      const bytes = await file.read(fromByte, toByte - fromByte);
      if (bytes.length !== toByte - fromByte) throw new DiskError('ENODATA', 'read (it became shorter)', file.path);
      writeWhole(file, bytes, fromByte);
      await file.datasync();
    } finally {
      await file.close();
    }
  }
  await disk.syncFolder(layout.ledger);
}

function goesOn(plan: ReplayPlan): GoesOn | undefined {
  return plan.after === undefined || plan.lastHash === undefined
    ? undefined
    : { after: plan.after, lastHash: plan.lastHash };
}

/**
 * The same process becomes the writer anew, without a replay: nobody can have written in between, because the term has
 * to be its own plus one, with its own still there. Goes on from the last acknowledged line.
 * @throws AgentopsdError `daemon_running`; DiskError, with the new term kept in `taken` when it was linked already
 */
export async function renewWriter(
  options: WriterOptions,
  previous: Term,
  from: LiveSegment,
  taken: (term: Term) => void,
): Promise<LiveSegment> {
  const term = await takeTerm(options, previous);
  taken(term);
  const later = ((await options.disk.list(options.layout.ledger)) ?? []).find(
    (name) => (parseSegmentName(name)?.term ?? 0) >= term.number,
  );
  if (!term.isOurs() || later !== undefined) throw overtaken(`term ${term.number} is not ours alone`);
  return createSegment(options, term, {
    after: { segment: from.name, length: from.sizeBytes },
    lastHash: from.lastHash,
  });
}

function overtaken(why: string): AgentopsdError {
  return new AgentopsdError('daemon_running', `another daemon took over this ledger while we started: ${why}`, {
    hint: 'use the one that runs, or start again',
  });
}

function vanished(error: DiskError): AgentopsdError {
  return new AgentopsdError('ledger_unsafe', `a segment was removed while it was read (${error.message})`, {
    hint: 'wait until git is done with the folder, then start again',
    cause: error,
  });
}
