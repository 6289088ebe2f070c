/**
 * The ledger in files once it is open: its parts, and what happens between them when a batch is through, a segment ends,
 * the disk is full, the writer stops. Opened by `file-ledger.ts`; `appender.ts` has the steps of a batch, `tenure.ts`
 * those from one segment to the next.
 */
import { limits } from '../base/limits.js';
import type { LedgerEvent } from '../model/event.js';
import type { LedgerHealth } from '../model/health.js';
import { type Anchor, anchorOfHead } from './anchor.js';
import { Appender } from './appender.js';
import type { Batch } from './batch.js';
import { Behind } from './behind.js';
import { CheckpointRounds } from './checkpoint-rounds.js';
import { Followers } from './followers.js';
import type { HistorySegment } from './history.js';
import type { KeptSegments } from './kept-segments.js';
import type { Ledger, LedgerObserver, StoredEvent } from './ledger.js';
import type { LiveSegment } from './live-segment.js';
import type { TakenIn } from './opening.js';
import { Tenure } from './tenure.js';
import { Upkeep } from './upkeep.js';
import { Vigil } from './vigil.js';
import type { Writer, WriterOptions } from './writer.js';

export interface OpenLedgerOptions extends WriterOptions {
  readonly observer: LedgerObserver;
  /** Default: `limits.segmentBytes`. */
  readonly segmentBytes?: number | undefined;
  /** Default: `limits.checkpointAfterEvents`. */
  readonly checkpointAfterEvents?: number | undefined;
}

/** What becoming the writer and taking in what was there has brought. */
export type Parts = Writer & TakenIn & { readonly kept: KeptSegments };

export class FileLedger implements Ledger {
  readonly #options: OpenLedgerOptions;
  readonly #parts: Parts;
  readonly #tenure: Tenure;
  readonly #appender: Appender;
  readonly #vigil: Vigil;
  readonly #upkeep: Upkeep;
  readonly #rounds: CheckpointRounds | undefined;
  readonly #behind: Behind | undefined;
  readonly #followers = new Followers();
  #place: HistorySegment;
  #acknowledged: Anchor | undefined;
  #closed: Promise<void> | undefined;
  #cancelCheckpoint: () => void = () => undefined;

  constructor(options: OpenLedgerOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    const { plan, segment, condition, kept, checkpoints } = parts;
    const { keeper } = options.observer;
    this.#tenure = new Tenure(options, parts.term, parts.hold);
    this.#place = this.#keep(segment);
    this.#appender = this.#appenderOf(segment, plan.lastSeq);
    this.#vigil = new Vigil({ ...options, kept, appender: this.#appender, tenure: this.#tenure });
    this.#upkeep = new Upkeep(options, {
      check: () => this.recheck(),
      resume: () => this.#resume(),
      anchor: () => (condition.isLacking ? undefined : this.#acknowledged),
    });
    this.#acknowledged = anchorOfHead(plan);
    if (this.#acknowledged !== undefined) this.#upkeep.acknowledged();
    const homeId = options.home.id;
    this.#rounds = keeper && checkpoints && new CheckpointRounds({ ...options, ...parts, keeper, checkpoints, homeId });
    this.#behind = parts.behindUnverified
      ? new Behind({ ...options, ...parts, onDamage: async () => this.#rounds?.forbid() })
      : undefined;
    if (this.#behind) this.#upkeep.track(this.#behind.run());
    this.#checkpointLater();
  }

  /** Where the opening took in much. Not at once: whoever waited for it comes first. */
  #checkpointLater(): void {
    const { clock, checkpointAfterEvents = limits.checkpointAfterEvents } = this.#options;
    const write = this.#rounds?.opened(checkpointAfterEvents);
    if (write !== undefined)
      this.#cancelCheckpoint = clock.after(limits.checkpointDelayMs, () => this.#upkeep.track(write()));
  }

  #appenderOf(segment: LiveSegment, lastSeq: number): Appender {
    const { disk, home, segmentBytes = limits.segmentBytes } = this.#options;
    return new Appender({
      disk,
      key: home.key,
      segment,
      lastSeq,
      segmentBytes,
      observer: {
        onDurable: (events) => this.#durable(events),
        onDiscarded: () => this.#options.observer.onDiscarded(),
        onStopped: (reason) => this.#stopped(reason),
      },
      onCommitted: (batch, written, offset) => this.#committed(batch, written, offset),
      renew: (from) => this.#tenure.renew(from, (next) => this.#sealed(from, next)),
      onFull: (reason) => this.#full(reason),
    });
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
        await this.#followers.more(signal);
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
    if (this.#closed === undefined) await this.#vigil.look();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#behind?.stop();
    this.#cancelCheckpoint();
    await this.#appender.close();
    await this.#upkeep.close();
    if (this.#appender.state === 'stopped') await this.#vigil.saveGone();
    if (this.#appender.state === 'writing' && this.#tenure.isLast())
      await this.#rounds?.stopped(this.#appender.segment);
    this.#followers.wake();
    await this.#tenure.leave();
    await this.#parts.kept.close();
    await this.#tenure.close();
  }

  #keep(segment: LiveSegment): HistorySegment {
    return this.#parts.kept.own(segment.name, segment.file, () => segment.sizeBytes);
  }

  #committed(batch: Batch, segment: LiveSegment, offset: number): void {
    let line = segment.lines - batch.events.length;
    let at = offset;
    batch.events.forEach((event, index) => {
      line += 1;
      this.#parts.history.add(this.#place, event.seq, true, line, at);
      at += batch.lineBytes[index] ?? 0;
      this.#parts.condition.notice(event);
    });
    this.#rounds?.committed(batch, offset);
    this.#acknowledged = { seq: batch.events.at(-1)?.seq ?? 0, hash: batch.lastHash };
    this.#upkeep.acknowledged();
  }

  #durable(events: readonly LedgerEvent[]): void {
    this.#options.observer.onDurable(events);
    this.#followers.wake();
  }

  #stopped(reason: string): void {
    this.#parts.condition.halted(this.#told(reason), true);
    this.#options.progress(`writing stopped for good: ${reason}`);
    this.#options.observer.onStopped(reason);
    this.#upkeep.track(this.#vigil.saveGone());
  }

  /** As views tell it: files are named relative to the root, wherever that is. */
  #told(reason: string): string {
    return reason.replaceAll(`${this.#options.layout.root}/`, '');
  }

  #full(reason: string): void {
    this.#parts.condition.halted(`the disk is full (${this.#told(reason)})`, false);
    this.#options.progress(`the disk is full (${reason}): nothing is acknowledged until there is room`);
    this.#upkeep.full();
  }

  async #resume(): Promise<void> {
    if (!(await this.#appender.resume())) return;
    this.#parts.condition.resumed();
    this.#options.progress(`there is room again: writing goes on in ${this.segment.name}`);
  }

  /** Nothing is told between two batches: the state is that of the end of the old segment. */
  #sealed(from: LiveSegment, next: LiveSegment): void {
    this.#place = this.#keep(next);
    if (this.#rounds) this.#upkeep.track(this.#rounds.segmentEnded(from));
  }
}
