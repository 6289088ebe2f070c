/**
 * The ledger in files: the embedded implementation of the port. It puts the parts together and keeps their clocks;
 * `writer.ts` has the steps of becoming the writer, `appender.ts` those of a batch, `repair.ts` what is mended.
 */
import type { Clock } from '../base/clock.js';
import { AgentopsdError, invariant } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Random } from '../base/random.js';
import { randomHex } from '../base/random.js';
import type { LedgerEvent } from '../model/event.js';
import type { LedgerHealth } from '../model/health.js';
import type { Anchor } from './anchor.js';
import { Appender } from './appender.js';
import type { Batch } from './batch.js';
import { Behind } from './behind.js';
import { whyNotOurs } from './check.js';
import { CheckpointRounds } from './checkpoint-rounds.js';
import type { Checkpoints } from './checkpoints.js';
import type { Condition } from './condition.js';
import type { Disk } from './disk.js';
import { DiskError } from './disk.js';
import { leaveFolder } from './guard.js';
import type { History, HistorySegment } from './history.js';
import type { Home } from './home.js';
import { KeptSegments } from './kept-segments.js';
import { findLacking } from './lacking.js';
import { layoutOf } from './layout.js';
import type { Ledger, LedgerObserver, StoredEvent } from './ledger.js';
import type { LiveSegment } from './live-segment.js';
import type { FolderLock } from './lock.js';
import type { ChainThread } from './node-chain-thread.js';
import { createNodeLock } from './node-lock.js';
import type { TakenIn } from './opening.js';
import { takeIn } from './opening.js';
import type { ProcessFacts } from './process-facts.js';
import { createProcessFacts } from './process-facts.js';
import { cutSealed, tidy } from './repair.js';
import type { ReplayPlan } from './replay.js';
import type { Term } from './terms.js';
import { Upkeep } from './upkeep.js';
import type { Writer, WriterOptions } from './writer.js';
import { becomeWriter, refuseOvertaken, renewWriter } from './writer.js';

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
  const { verifiedAtOnceBytes = limits.verifiedAtOnceBytes } = options;
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
    const heldThroughSeq = lacking === undefined ? plan.claimsHeldThroughSeq : plan.lastSeq;
    taken.condition.found(
      damage,
      plan.reasons,
      heldThroughSeq,
      lacking === undefined || lacking.segment !== '' ? lacking : { ...lacking, segment: segment.name },
    );
    ledger = new FileLedger({ ...settings, onLost: lost }, { kept, ...taken, ...writer }, options);
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

interface Parts {
  readonly history: History;
  readonly kept: KeptSegments;
  readonly condition: Condition;
  readonly checkpoints: Checkpoints | undefined;
  readonly checkpointSeq: number;
  readonly behindUnverified: boolean;
  readonly hold: { release(): Promise<void> };
  readonly term: Term;
  readonly plan: ReplayPlan;
  readonly segment: LiveSegment;
}

export class FileLedger implements Ledger {
  readonly #settings: WriterOptions;
  readonly #parts: Parts;
  readonly #observer: LedgerObserver;
  readonly #appender: Appender;
  readonly #upkeep: Upkeep;
  readonly #rounds: CheckpointRounds | undefined;
  readonly #behind: Behind | undefined;
  #place: HistorySegment;
  #acknowledged: Anchor | undefined;
  #term: Term;
  #renewing = false;
  #waiting: (() => void)[] = [];
  #closed: Promise<void> | undefined;
  /** The copying of what was removed, while it goes on. */
  #saving: Promise<void> = Promise.resolve();

  constructor(settings: WriterOptions, parts: Parts, options: Pick<FileLedgerOptions, 'observer' | 'segmentBytes'>) {
    this.#settings = settings;
    this.#parts = parts;
    this.#observer = options.observer;
    this.#term = parts.term;
    this.#place = this.#keep(parts.segment);
    this.#appender = new Appender({
      disk: settings.disk,
      key: settings.home.key,
      segment: parts.segment,
      lastSeq: parts.plan.lastSeq,
      segmentBytes: options.segmentBytes ?? limits.segmentBytes,
      observer: {
        onDurable: (events) => this.#durable(events),
        onDiscarded: () => this.#observer.onDiscarded(),
        onStopped: (reason) => this.#stopped(reason),
      },
      onCommitted: (batch, segment, offset) => this.#committed(batch, segment, offset),
      renew: (from) => this.#renew(from),
      onFull: (reason) => this.#full(reason),
    });
    this.#upkeep = new Upkeep(settings, {
      check: () => this.recheck(),
      resume: () => this.#resume(),
      anchor: () => (parts.condition.isLacking ? undefined : this.#acknowledged),
    });
    this.#anchorHead(parts.plan);
    const { keeper } = options.observer;
    const { checkpoints } = parts;
    const { progress, home } = settings;
    this.#rounds =
      keeper && checkpoints && new CheckpointRounds({ ...parts, keeper, checkpoints, homeId: home.id, progress });
    this.#behind = parts.behindUnverified
      ? new Behind({ ...settings, ...parts, onDamage: async () => this.#rounds?.forbid() })
      : undefined;
    if (this.#behind) this.#upkeep.track(this.#behind.run());
  }

  /** What our header seals stays: a daemon that was killed before it wrote its anchor leaves that to the next one. */
  #anchorHead({ status, twoHeads, chain, lastSeq, lastHash }: ReplayPlan): void {
    const isOurs = chain.at(-1)?.ours === true;
    if (status !== 'complete' || twoHeads || lastSeq === 0 || lastHash === undefined || !isOurs) return;
    this.#acknowledged = { seq: lastSeq, hash: lastHash };
    this.#upkeep.acknowledged();
  }

  /** The segment that is written now. */
  get segment(): { readonly name: string; readonly term: number } {
    const { name, term } = this.#appender.segment;
    return { name, term: term.number };
  }

  append(events: readonly LedgerEvent[]): Promise<{ firstSeq: number; lastSeq: number }> {
    return this.#appender.append(events);
  }

  async *read(fromSeq: number, toSeq: number = this.lastSeq()): AsyncGenerator<StoredEvent> {
    yield* this.#parts.history.read(fromSeq, Math.min(toSeq, this.lastSeq()));
  }

  async *tail(fromSeq: number, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    for (let next = fromSeq; !signal.aborted && this.#closed === undefined; ) {
      const lastSeq = this.lastSeq();
      if (lastSeq < next) {
        await this.#more(signal);
        continue;
      }
      for await (const event of this.#parts.history.read(next, lastSeq)) {
        if (signal.aborted) return;
        yield event;
      }
      next = lastSeq + 1;
    }
  }

  lastSeq(): number {
    return this.#appender.lastSeq;
  }

  health(): LedgerHealth {
    return this.#parts.condition.health();
  }

  /** Looks, outside of a batch, whether all is still ours and still there; stops the writer when it is not. */
  async recheck(): Promise<void> {
    if (this.#closed !== undefined) return;
    if (this.#appender.state === 'stopped') return this.#saveGone();
    // A batch in flight, and a new segment, end with a check of their own.
    if (this.#renewing || this.#appender.isBusy) return;
    const { file, sizeBytes } = this.#appender.segment;
    const full = this.#appender.state === 'full';
    const { disk } = this.#settings;
    // A write that the full disk cut short stands behind the acknowledged size.
    const why =
      whyNotOurs(disk, this.#term, { file, sizeBytes: full ? file.factsSync().sizeBytes : sizeBytes }) ??
      this.#parts.kept.whyGone();
    if (why !== undefined) this.#appender.stop(why);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#behind?.stop();
    await this.#appender.close();
    await this.#upkeep.close();
    if (this.#appender.state === 'stopped') await this.#saveGone();
    if (this.#appender.state === 'writing' && this.#term.isLast()) await this.#rounds?.stopped(this.#appender.segment);
    for (const wake of this.#waiting.splice(0)) wake();
    if (this.#term.isLast()) await leaveFolder(this.#settings, this.#term.number, this.#parts.hold);
    else await this.#parts.hold.release();
    await this.#parts.kept.close();
    await this.#term.close();
  }

  #keep(segment: LiveSegment): HistorySegment {
    return this.#parts.kept.own(segment.name, segment.file, () => segment.sizeBytes);
  }

  #committed(batch: Batch, segment: LiveSegment, offset: number): void {
    let line = segment.lines - batch.events.length;
    let at = offset;
    batch.events.forEach((event, index) => {
      line += 1;
      this.#parts.history.add(this.#place, { seq: event.seq, ours: true, line, offset: at });
      at += batch.lineBytes[index] ?? 0;
      this.#parts.condition.notice(event);
    });
    this.#rounds?.committed(batch, offset);
    this.#acknowledged = { seq: batch.events.at(-1)?.seq ?? 0, hash: batch.lastHash };
    this.#upkeep.acknowledged();
  }

  #durable(events: readonly LedgerEvent[]): void {
    this.#observer.onDurable(events);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #stopped(reason: string): void {
    this.#parts.condition.halted(this.#told(reason), true);
    this.#settings.progress(`writing stopped for good: ${reason}`);
    this.#observer.onStopped(reason);
    this.#upkeep.track(this.#saveGone());
  }

  /** As views tell it: files are named relative to the root, wherever that is. */
  #told(reason: string): string {
    return reason.replaceAll(`${this.#settings.layout.root}/`, '');
  }

  /** One at a time. Whoever asks while one runs gets another look behind it: the first may have passed by already. */
  #saveGone(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#copyGone());
    return this.#saving;
  }

  async #copyGone(): Promise<void> {
    try {
      for (const path of await this.#parts.kept.saveGone(this.#settings))
        this.#settings.progress(`saved what was removed: ${path}`);
    } catch (error) {
      this.#settings.progress(`could not save what was removed: ${String(error)}`);
    }
  }

  #full(reason: string): void {
    this.#parts.condition.halted(`the disk is full (${this.#told(reason)})`, false);
    this.#settings.progress(`the disk is full (${reason}): nothing is acknowledged until there is room`);
    this.#upkeep.full();
  }

  async #resume(): Promise<void> {
    if (!(await this.#appender.resume())) return;
    this.#parts.condition.resumed();
    this.#settings.progress(`there is room again: writing goes on in ${this.segment.name}`);
  }

  async #renew(from: LiveSegment): Promise<LiveSegment> {
    this.#renewing = true;
    try {
      const segment = await renewWriter(this.#settings, this.#term, from, (term) => {
        const previous = this.#term;
        this.#term = term;
        previous.close().catch(() => undefined);
      });
      this.#place = this.#keep(segment);
      // Nothing is told between two batches: the state is that of the end of the old segment.
      if (this.#rounds) this.#upkeep.track(this.#rounds.segmentEnded(from));
      await cutSealed(this.#settings, from.name, from.sizeBytes);
      return segment;
    } finally {
      this.#renewing = false;
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.push(wake);
    });
  }
}
