/**
 * Group commit. One batch is in flight; what comes meanwhile is the next one; there is no timer, a lone group goes at
 * once. For each batch, in this order and no other:
 *
 *   0. look      the segment has the size that was acknowledged: behind a cut, a write would leave a hole
 *   1. write     all lines, looped on short writes
 *   2. sync      `fdatasync`
 *   3. check     `check.ts`: still ours, and where everybody looks
 *   4. tell      the observer folds the events into what readers see
 *   5. answer    every waiter
 *
 * The first write or sync that fails, or a check that does not pass, ends the segment: nothing of it is acknowledged
 * any more, nothing is synced a second time (a second sync may answer "fine" about pages that were dropped), nothing is
 * cut. Where the reason is a full disk the writer becomes the writer anew once there is room: a new term and a new
 * segment, which goes on from the last acknowledged line and seals off what stands behind it. Every other reason ends
 * it for good. A segment that has grown to its size ends in the same way.
 *
 *   writing ──> full ──> writing        writing, full ──> stopped
 */
import { AgentopsdError, invariant } from '../base/errors.js';
import type { LedgerEvent } from '../model/event.js';
import { writeWhole } from './atomic-file.js';
import type { Batch, Waiter } from './batch.js';
import { BatchDraft, refuseLongLine } from './batch.js';
import { whyNotOurs } from './check.js';
import type { Disk } from './disk.js';
import { isNoSpace } from './disk.js';
import type { LedgerObserver } from './ledger.js';
import type { LiveSegment } from './live-segment.js';

export interface AppenderOptions {
  readonly disk: Disk;
  readonly key: Uint8Array;
  readonly segment: LiveSegment;
  /** `seq` of the last acknowledged event. */
  readonly lastSeq: number;
  readonly observer: Pick<LedgerObserver, 'onDurable' | 'onDiscarded' | 'onStopped'>;
  /** A segment of this size takes no further batch. */
  readonly segmentBytes: number;
  /** A durable, checked batch, before the observer is told; the segment stands behind it already. */
  readonly onCommitted: (batch: Batch, segment: LiveSegment, offset: number) => void;
  /** Becomes the writer anew: a segment under the next term that goes on from the acknowledged end of this one. */
  readonly renew: (from: LiveSegment) => Promise<LiveSegment>;
  /** The writing stands still because the disk is full, until `resume`. */
  readonly onFull: (reason: string) => void;
}

export class Appender {
  readonly #options: AppenderOptions;
  #segment: LiveSegment;
  #draft: BatchDraft;
  #lastSeq: number;
  /** `seq` that the next group begins with. */
  #nextSeq: number;
  #state: 'writing' | 'full' | 'stopped' = 'writing';
  #reason = '';
  #closing = false;
  #running: Promise<void> | undefined;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#segment = options.segment;
    this.#lastSeq = options.lastSeq;
    this.#nextSeq = options.lastSeq + 1;
    this.#draft = new BatchDraft(options.key, options.segment.lastHash);
  }

  get segment(): LiveSegment {
    return this.#segment;
  }

  /** `seq` of the last acknowledged event. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get state(): 'writing' | 'full' | 'stopped' {
    return this.#state;
  }

  /** Whether a batch is between its write and its check. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /**
   * @throws AgentopsdError `body_too_large` or `writer_stopped` at the call itself: the group is not taken, and the next
   *   `seq` is the same
   */
  append(events: readonly LedgerEvent[]): Promise<{ firstSeq: number; lastSeq: number }> {
    if (this.#state !== 'writing' || this.#closing) throw this.#notWritten();
    invariant(
      events.length > 0 && events.every((event, at) => event.seq === this.#nextSeq + at),
      'events go on by one',
    );
    for (const event of events) refuseLongLine(event, this.#options.key);
    this.#nextSeq += events.length;
    const answer = new Promise<{ firstSeq: number; lastSeq: number }>((resolve, reject) =>
      this.#draft.add({ events, resolve, reject }),
    );
    // A microtask later, so that groups of one turn go together.
    this.#running ??= Promise.resolve().then(() => this.#run());
    return answer;
  }

  /** Ends the writer for good, from outside of a batch. Nothing happens while one is in flight: its own check tells. */
  stop(reason: string): void {
    if (this.#running === undefined && this.#state !== 'stopped') this.#end('stopped', reason, []);
  }

  /**
   * Goes on under a new term, once there is room; answers whether anything is written again.
   * @throws DiskError when there still is no room
   */
  async resume(): Promise<boolean> {
    if (this.#state !== 'full') return false;
    invariant(this.#running === undefined, 'a batch in flight has ended before its writer stands still');
    try {
      await this.#renew();
      this.#state = 'writing';
      return true;
    } catch (error) {
      if (isNoSpace(error)) throw error;
      this.stop(textOf(error));
      return false;
    }
  }

  /** Waits for what was given so far; takes nothing more. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#state === 'writing' && !this.#draft.isEmpty) {
      if (this.#segment.sizeBytes >= this.#options.segmentBytes && !(await this.#rotate())) break;
      const batch = this.#draft.finish();
      this.#draft = this.#draft.next(batch.lastHash);
      await this.#commit(batch);
    }
    this.#running = undefined;
  }

  async #commit(batch: Batch): Promise<void> {
    const segment = this.#segment;
    const offset = segment.sizeBytes;
    const failure = await this.#put(batch, segment);
    if (failure !== undefined) {
      this.#end(
        failure.full ? 'full' : 'stopped',
        failure.reason,
        failure.written ? batch.waiters : [],
        failure.written ? [] : batch.waiters,
      );
      return;
    }
    segment.sizeBytes += batch.bytes.length;
    segment.lines += batch.events.length;
    segment.lastHash = batch.lastHash;
    this.#lastSeq += batch.events.length;
    this.#options.onCommitted(batch, segment, offset);
    this.#options.observer.onDurable(batch.events);
    for (const waiter of batch.waiters) waiter.resolve(spanOf(waiter));
  }

  /** Look, write, sync, check. Answers why the batch may not be acknowledged, and whether any of it may survive. */
  async #put(
    batch: Batch,
    segment: LiveSegment,
  ): Promise<{ reason: string; full: boolean; written: boolean } | undefined> {
    const { file, sizeBytes, term } = segment;
    let written = false;
    try {
      const found = file.factsSync().sizeBytes;
      if (found !== sizeBytes)
        return { reason: `${file.path} is ${found} bytes long instead of ${sizeBytes}`, full: false, written };
      written = true;
      writeWhole(file, batch.bytes, sizeBytes);
      await file.datasync();
      const reason = whyNotOurs(this.#options.disk, term, { file, sizeBytes: sizeBytes + batch.bytes.length });
      return reason === undefined ? undefined : { reason, full: false, written };
    } catch (error) {
      return { reason: textOf(error), full: isNoSpace(error), written };
    }
  }

  async #rotate(): Promise<boolean> {
    try {
      await this.#renew();
      return true;
    } catch (error) {
      this.#end(isNoSpace(error) ? 'full' : 'stopped', textOf(error), []);
      return false;
    }
  }

  async #renew(): Promise<void> {
    this.#segment = await this.#options.renew(this.#segment);
    this.#draft = this.#draft.moveBehind(this.#segment.lastHash);
  }

  /** No acknowledgement, no second sync, no cut. */
  #end(
    state: 'full' | 'stopped',
    reason: string,
    inFlight: readonly Waiter[],
    unwritten: readonly Waiter[] = [],
  ): void {
    const dropped = [...unwritten, ...this.#draft.waiters];
    this.#state = state;
    this.#reason = reason;
    this.#draft = this.#draft.next(this.#segment.lastHash);
    this.#nextSeq = this.#lastSeq + 1;
    this.#options.observer.onDiscarded();
    if (state === 'full') this.#options.onFull(reason);
    else this.#options.observer.onStopped(reason);
    for (const waiter of inFlight) waiter.reject(outcomeUnknown(reason));
    for (const waiter of dropped) waiter.reject(this.#notWritten());
  }

  #notWritten(): AgentopsdError {
    const reason = this.#state === 'writing' ? 'the daemon is stopping' : this.#reason;
    return new AgentopsdError('writer_stopped', `nothing was written: ${reason}`, {
      hint:
        this.#state === 'full'
          ? 'make room; writing goes on by itself'
          : 'start the daemon again, then ask again with the same key',
    });
  }
}

function spanOf(waiter: Waiter): { firstSeq: number; lastSeq: number } {
  return { firstSeq: waiter.events[0]?.seq ?? 0, lastSeq: waiter.events.at(-1)?.seq ?? 0 };
}

function outcomeUnknown(reason: string): AgentopsdError {
  return new AgentopsdError('outcome_unknown', `it is not known whether this was written: ${reason}`, {
    hint: 'ask again with the same key',
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
