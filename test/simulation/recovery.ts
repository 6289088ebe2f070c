/**
 * A recovery on a copy of the world: the same crash with another fate of what was not synced, and damage that is done to
 * a copy. Nothing fails in it but what is asked for, and nobody else lives there.
 */
import { AgentopsdError } from '../../lib/base/errors.js';
import { limits } from '../../lib/base/limits.js';
import { type Kernel, openKernel } from '../../lib/engine/kernel.js';
import { type FileLedger, openFileLedger } from '../../lib/storage/file-ledger.js';
import { openHome } from '../../lib/storage/home.js';
import type { LedgerObserver, StoredEvent } from '../../lib/storage/ledger.js';
import { noLock } from '../../lib/storage/lock.js';
import type { MemoryDisk } from '../support/memory-disk.js';
import { seededRandom, TestClock } from '../support/test-clock.js';
import { judgeEvents, judgeHealth, judgeState } from './checker/judge-opened.js';
import { Violation, type Witness } from './checker/witness.js';
import { ledgerFiles } from './places.js';
import { ROOT, STATE } from './process.js';

export interface Recovered {
  readonly kernel: Kernel;
  readonly ledger: FileLedger;
  /** Every event, read back from the ledger. */
  readonly events: readonly StoredEvent['event'][];
}

export interface Opening {
  readonly withoutCheckpoint?: boolean;
  /** What a checkpoint covers is verified behind the opening, which is waited for. */
  readonly verifiesBehind?: boolean;
  /** Old events that are damaged can't be read before the next start. */
  readonly readsNothing?: boolean;
  /** The state folder: another one is another home. */
  readonly state?: string;
}

/** A verification takes a few for each block of a segment. */
const MOST_STEPS_BEHIND = 2_000;

let processes = 0;

/** Opens as a process would that takes everybody before it for dead, and reads all that it has. */
export async function openOn(disk: MemoryDisk, seed: number, how: Opening = {}): Promise<Recovered> {
  const { withoutCheckpoint = false, verifiesBehind = false, state = STATE } = how;
  const random = seededRandom(seed);
  const clock = new TestClock();
  const home = await openHome({ disk, random, root: ROOT, env: { AGENTOPSD_STATE_DIR: state } });
  const pid = 1_000_000 + ++processes;
  let opened: FileLedger | undefined;
  const kernel = await openKernel({
    clock,
    openLedger: async (observer) => {
      const { ledger } = await openFileLedger({
        disk,
        clock,
        random,
        root: ROOT,
        home,
        lock: noLock,
        facts: {
          self: () => ({ pid, started: '1', bootId: 'boot', pidNamespace: 'elsewhere' }),
          lookUp: () => undefined,
        },
        observer: withoutCheckpoint ? withoutKeeper(observer) : observer,
        ...(verifiesBehind && { verifiedAtOnceBytes: 0 }),
      });
      opened = ledger;
      return ledger;
    },
  });
  if (opened === undefined) throw new Error('invariant broken: a kernel opens its ledger');
  if (verifiesBehind) await verification(opened, clock);
  const events: StoredEvent['event'][] = [];
  if (!how.readsNothing) for await (const { event } of opened.read(1)) events.push(event);
  return { kernel, ledger: opened, events };
}

/** Waits until what is verified behind the opening is verified, or damage is told. */
async function verification(ledger: FileLedger, clock: TestClock): Promise<void> {
  for (let step = 0; step < MOST_STEPS_BEHIND; step++) {
    const { verifiedThroughSeq, damage } = ledger.health();
    if (verifiedThroughSeq === undefined || damage.some(({ error }) => !isLacking(error))) return;
    clock.advance(limits.backgroundPauseMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Violation('what a checkpoint covers was not verified');
}

/** That an event is missing is told at once. */
export function isLacking(error: string): boolean {
  return error.includes('acknowledged here, is missing');
}

function withoutKeeper({ keeper: _, ...observer }: LedgerObserver): LedgerObserver {
  return observer;
}

/** What the new header seals has whole lines alone, so that anybody can read on over it. */
function judgeSealed(disk: MemoryDisk, name: string, what: string): void {
  const files = ledgerFiles(disk);
  const { segment } = JSON.parse(files.get(name)?.toString('utf8').split('\n')[0] ?? '{}');
  const sealed = files.get(segment?.after?.segment)?.toString('utf8') ?? '';
  const rest = sealed
    .split('\n')
    .filter((line, at, lines) => !(isJson(line) || (line === '' && at === lines.length - 1)));
  if (rest.length > 0) throw new Violation(`${what}: ${segment.after.segment} holds "${rest[0]?.slice(0, 40)}"`);
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** Recovers and judges all of it. @throws Violation */
export async function recoverAndJudge(
  disk: MemoryDisk,
  witness: Witness,
  seed: number,
  what: string,
  how: Opening = {},
): Promise<void> {
  const before = witness.audit(ledgerFiles(disk), `${what}, before the recovery`);
  let recovered: Recovered;
  try {
    recovered = await openOn(disk, seed, how);
  } catch (error) {
    if (!(error instanceof AgentopsdError)) throw error;
    throw new Violation(`${what}: it does not open again: ${error.message}`);
  }
  const after = witness.audit(ledgerFiles(disk), `${what}, behind the recovery`);
  const { events } = after.ledger;
  if (events.length !== before.ledger.events.length)
    throw new Violation(
      `${what}: ${before.ledger.events.length} events counted, and ${events.length} behind the recovery`,
    );
  if (recovered.events.length !== events.length)
    throw new Violation(`${what}: ${recovered.events.length} of ${events.length} events are read back`);
  judgeSealed(disk, recovered.ledger.segment.name, what);
  judgeEvents(recovered.events, events, `${what}: opened`);
  judgeHealth(recovered.kernel, `${what}: opened`);
  judgeState(recovered.kernel, after, events, `${what}: opened`);
}
