/**
 * The ledger in files: the embedded implementation of the port. This is how it is opened: `writer.ts` has the steps of
 * becoming the writer, `opening.ts` takes in what is there, `repair.ts` mends. `open-ledger.ts` is what comes of it.
 */
import type { Clock } from '../base/clock.js';
import { AgentopsdError, invariant } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Random } from '../base/random.js';
import { randomHex } from '../base/random.js';
import type { Disk } from './disk.js';
import { DiskError } from './disk.js';
import type { Home } from './home.js';
import { KeptSegments } from './kept-segments.js';
import { findLacking } from './lacking.js';
import { layoutOf } from './layout.js';
import type { LedgerObserver } from './ledger.js';
import type { FolderLock } from './lock.js';
import type { ChainThread } from './node-chain-thread.js';
import { createNodeLock } from './node-lock.js';
import { FileLedger } from './open-ledger.js';
import type { TakenIn } from './opening.js';
import { takeIn } from './opening.js';
import type { ProcessFacts } from './process-facts.js';
import { createProcessFacts } from './process-facts.js';
import { tidy } from './repair.js';
import type { ReplayPlan } from './replay.js';
import type { Writer, WriterOptions } from './writer.js';
import { becomeWriter, refuseOvertaken } from './writer.js';

export type { FileLedger } from './open-ledger.js';

export interface FileLedgerOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  /** Real path of the repository. */
  readonly root: string;
  readonly home: Home;
  readonly observer: LedgerObserver;
  /** What is waited for, was mended or could not be, as lines for people. */
  readonly progress?: (text: string) => void;
  /** Default: `proper-lockfile`. */
  readonly lock?: FolderLock;
  readonly facts?: ProcessFacts;
  /** Default: `limits.lockStaleMs`. */
  readonly lockStaleMs?: number;
  /** Default: `limits.segmentBytes`. */
  readonly segmentBytes?: number;
  /** Default: `limits.checkpointAfterEvents`. */
  readonly checkpointAfterEvents?: number;
  /** Compares hashes while the events are taken in; ended when the ledger is open. Default: this thread. */
  readonly chainThread?: () => ChainThread;
  /** Default: `limits.verifiedAtOnceBytes`. */
  readonly verifiedAtOnceBytes?: number;
}

export interface OpenedLedger {
  readonly ledger: FileLedger;
  readonly plan: ReplayPlan;
  /** As it was at the opening; the term and segment change when a segment ends (`ledger.segment`). */
  readonly writer: { readonly term: number; readonly writerId: string; readonly segment: string };
}

const WRITER_ID_BYTES = 4;

/**
 * Becomes the writer of the ledger below `root`. The observer is told the history before this answers.
 * @throws AgentopsdError `daemon_running` (another one lives or was faster), `ledger_newer`, `ledger_unsafe`,
 *   `folder_unusable`, `file_unsafe`
 */
export async function openFileLedger(options: FileLedgerOptions): Promise<OpenedLedger> {
  const { disk, home, observer } = options;
  const settings = settingsOf(options);
  const kept = new KeptSegments(disk, settings.layout);
  const { segmentBytes, checkpointAfterEvents, verifiedAtOnceBytes = limits.verifiedAtOnceBytes } = options;
  let ledger: FileLedger | undefined;
  const lost = (reason: string): void => {
    settings.progress(`the lock of the folder was lost (${reason}); writing goes on as long as the term is ours`);
    ledger?.recheck().catch((error: unknown) => settings.progress(`it could not be looked after: ${String(error)}`));
  };
  try {
    let taken: TakenIn | undefined;
    const writer = await becomeWriter({ ...settings, onLost: lost }, async (source) => {
      const checkers = options.chainThread?.();
      try {
        const how = { ...settings, kept, observer, verifiedAtOnceBytes };
        taken = await takeIn({ ...source, ...(checkers && { checkers }) }, how);
        return taken.plan;
      } finally {
        await checkers?.close();
      }
    });
    invariant(taken !== undefined, 'whoever became the writer has taken the ledger in');
    const { plan, segment } = writer;
    const damage = await tidy(settings, plan);
    const lacking = await findLacking(disk, home, plan, taken.history);
    await refuseLate(writer);
    taken.condition.found(damage, plan.reasons, plan.claimsHeldThroughSeq);
    if (lacking !== undefined)
      taken.condition.lacks({ ...lacking, segment: lacking.segment || segment.name }, plan.lastSeq);
    const how = { ...settings, onLost: lost, observer, segmentBytes, checkpointAfterEvents };
    ledger = new FileLedger(how, { kept, ...taken, ...writer });
    return { ledger, plan, writer: { term: segment.term.number, writerId: settings.writer, segment: segment.name } };
  } catch (error) {
    await kept.close();
    throw error instanceof DiskError ? refusedByDisk(error) : error;
  }
}

/** What a successor has anchored meanwhile is not lacking: it is we who are late. @throws AgentopsdError `daemon_running` */
async function refuseLate({ term, segment, hold }: Writer): Promise<void> {
  try {
    refuseOvertaken(term);
  } catch (error) {
    await segment.file.close();
    await term.close();
    await hold.release();
    throw error;
  }
}

/** What the machine refuses while opening, as something that a person can act on. */
function refusedByDisk(error: DiskError): AgentopsdError {
  const unwritable = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].includes(error.errno);
  return new AgentopsdError(
    unwritable ? 'folder_unusable' : 'ledger_unsafe',
    `the ledger can't be opened: ${error.message}`,
    {
      hint: unwritable
        ? 'check permissions, room and limits of that folder, then start again'
        : 'check the disk (`dmesg`), then start again',
      cause: error,
    },
  );
}

function settingsOf(options: FileLedgerOptions): Omit<WriterOptions, 'onLost'> {
  const { disk, clock, random, home } = options;
  const facts = options.facts ?? createProcessFacts();
  return {
    disk,
    clock,
    random,
    home,
    facts,
    layout: layoutOf(options.root),
    writer: randomHex(random, WRITER_ID_BYTES),
    identity: facts.self(),
    lock: options.lock ?? createNodeLock(),
    staleMs: options.lockStaleMs ?? limits.lockStaleMs,
    progress: options.progress ?? (() => undefined),
  };
}
