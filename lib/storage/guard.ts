/**
 * The way in: one daemon a folder. Who owns the highest term, or holds the lock, and still lives turns a second daemon
 * away at once; who is proven dead loses the lock at once; where nothing can be proven (another pid namespace, another
 * machine, a boot that is over) the lock has to grow stale first, and that is said.
 *
 *   run/lock            the lock itself, a folder
 *   run/holder.json     who took the lock last; a term record with `term` 0
 *   run/released.json   the last owner that stopped cleanly: alive or not, it writes no more
 *
 * All of it is comfort. What keeps two writers apart is the check behind each batch.
 */
import { join } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import { replaceFile } from './atomic-file.js';
import type { Layout } from './layout.js';
import type { FolderLock, LockHold } from './lock.js';
import type { ProcessFacts } from './process-facts.js';
import type { TermOptions, TermRecord } from './terms.js';
import { readOwner, readTermRecord, termRecordText } from './terms.js';

export interface GuardOptions extends TermOptions {
  readonly lock: FolderLock;
  readonly facts: ProcessFacts;
  /** A lock that nobody renewed for so long counts as left behind. */
  readonly staleMs: number;
  /** What is being waited for, as a line for people. */
  readonly progress: (text: string) => void;
  readonly onLost: (reason: string) => void;
}

type Standing = 'nobody' | 'alive' | 'dead' | 'unknown';

const LOOK_AGAIN_MS = 500;

/** @throws AgentopsdError `daemon_running`, naming the pid of who lives; DiskError */
export async function enterFolder(options: GuardOptions): Promise<LockHold> {
  const { layout, lock, staleMs } = options;
  let told = false;
  for (;;) {
    const mark = await lock.holder(layout.lock);
    const standing = await judgeBoth(options, mark !== undefined);
    const hold = await lock.acquire({ path: layout.lock, staleMs, onLost: options.onLost });
    if (hold !== undefined) return nameHolder(options, hold);
    if (standing === 'dead' && mark !== undefined) {
      await lock.breakLock(layout.lock, mark);
      continue;
    }
    if (!told) options.progress(waitingText(options));
    told = true;
    await lock.pause(LOOK_AGAIN_MS);
  }
}

/** Says that the owner of `term` writes no more, so that nobody has to wait for its process to end. */
export async function leaveFolder(options: TermOptions, term: number, hold: LockHold): Promise<void> {
  await replaceFile(options, releasedPath(options.layout), termRecordText(options, term), { durable: false }).catch(
    () => undefined,
  );
  await hold.release();
}

function waitingText(options: GuardOptions): string {
  return (
    `${options.layout.lock} is held by a daemon that may run elsewhere (another container, machine or boot): ` +
    `waiting until it was not renewed for ${Math.ceil(options.staleMs / 1000)} s`
  );
}

/** Both records have to be dead before the lock is broken; one that lives is enough to turn us away. */
async function judgeBoth(options: GuardOptions, locked: boolean): Promise<Standing> {
  const owner = await judgeOwner(options);
  if (!locked) return owner;
  const holder = await readTermRecord(options.disk, holderPath(options.layout));
  const standing = judge(options.facts, holder);
  if (standing === 'alive') throw running(holder, 'is starting or stopping on this folder');
  if (standing === 'nobody') return owner;
  return owner === 'nobody' ? standing : standing === 'dead' && owner === 'dead' ? 'dead' : 'unknown';
}

async function judgeOwner(options: GuardOptions): Promise<Standing> {
  const { disk, layout, facts } = options;
  const owner = await readOwner(disk, layout);
  if (owner === undefined) return 'nobody';
  const released = await readTermRecord(disk, releasedPath(layout));
  if (released?.term === owner.term && released.writer === owner.record?.writer) return 'dead';
  const standing = owner.record === undefined ? 'unknown' : judge(facts, owner.record);
  if (standing === 'alive') throw running(owner.record, 'writes this ledger');
  return standing;
}

function judge(facts: ProcessFacts, record: TermRecord | undefined): Standing {
  if (record === undefined) return 'nobody';
  const self = facts.self();
  const { started, boot_id: bootId, pid_ns: pidNamespace } = record;
  if (started === undefined || bootId === undefined || pidNamespace === undefined) return 'unknown';
  if (bootId !== self.bootId || pidNamespace !== self.pidNamespace) return 'unknown';
  const found = facts.lookUp(record.pid);
  return found !== undefined && !found.zombie && found.started === started ? 'alive' : 'dead';
}

function running(record: TermRecord | undefined, what: string): AgentopsdError {
  const pid = record?.pid ?? 0;
  return new AgentopsdError('daemon_running', `another daemon (pid ${pid}) ${what}`, {
    hint: `use it, or stop it with: kill ${pid}`,
    details: { pid },
  });
}

async function nameHolder(options: GuardOptions, hold: LockHold): Promise<LockHold> {
  try {
    await replaceFile(options, holderPath(options.layout), termRecordText(options, 0), { durable: false });
    return hold;
  } catch (error) {
    await hold.release();
    throw error;
  }
}

function holderPath(layout: Layout): string {
  return join(layout.run, 'holder.json');
}

function releasedPath(layout: Layout): string {
  return join(layout.run, 'released.json');
}
