/** A ledger in memory whose disk answers when the test says so: for tests of what stands above the port. */
import { AgentopsdError } from '../../lib/base/errors.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import { healthyLedger, type LedgerHealth } from '../../lib/model/health.js';
import type { Ledger, LedgerObserver, StoredEvent } from '../../lib/storage/ledger.js';

interface Waiter {
  events: readonly LedgerEvent[];
  resolve(span: { firstSeq: number; lastSeq: number }): void;
  reject(error: Error): void;
}

export class MemoryLedger implements Ledger {
  readonly events: LedgerEvent[] = [];
  /** False holds every append until `flush`. */
  automatic = true;
  /** The disk is full: nothing is taken, at the call itself. */
  full = false;
  condition: LedgerHealth = healthyLedger;
  readonly #observer: LedgerObserver;
  #waiting: Waiter[] = [];

  constructor(observer: LedgerObserver, replayed: readonly LedgerEvent[] = []) {
    this.#observer = observer;
    for (const event of replayed) {
      this.events.push(event);
      observer.onReplayed(event, true);
    }
  }

  append(events: readonly LedgerEvent[]): Promise<{ firstSeq: number; lastSeq: number }> {
    if (this.full) throw new AgentopsdError('writer_stopped', 'nothing was written: the disk is full');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, resolve, reject });
      if (this.automatic) setImmediate(() => this.flush());
    });
  }

  /** One batch with all that waits: durable, told, acknowledged. */
  flush(): void {
    const batch = this.#waiting.splice(0);
    const events = batch.flatMap((waiter) => waiter.events);
    if (events.length === 0) return;
    for (const event of events) {
      if (event.seq !== this.lastSeq() + 1) throw new Error(`seq ${event.seq} after ${this.lastSeq()}`);
      this.events.push(event);
    }
    this.#observer.onDurable(events);
    for (const { events: own, resolve } of batch)
      resolve({ firstSeq: own[0]?.seq ?? 0, lastSeq: own.at(-1)?.seq ?? 0 });
  }

  /** Appends that wait for their batch. */
  waitingCount(): number {
    return this.#waiting.length;
  }

  /** The batch in flight fails: its outcome is unknown. */
  failBatch(stop: boolean): void {
    const batch = this.#waiting.splice(0);
    this.#observer.onDiscarded();
    if (stop) this.#observer.onStopped('the disk failed');
    for (const { reject } of batch) reject(new AgentopsdError('outcome_unknown', 'ask again with the same key'));
  }

  async *read(fromSeq: number, toSeq = this.lastSeq()): AsyncGenerator<StoredEvent> {
    for (const event of this.events) {
      if (event.seq >= fromSeq && event.seq <= toSeq)
        yield { event, ours: true, segment: '000001-00000000.jsonl', segmentLine: event.seq + 1 };
    }
  }
  async *tail(fromSeq: number, _signal: AbortSignal): AsyncGenerator<StoredEvent> {
    yield* this.read(fromSeq);
  }
  lastSeq(): number {
    return this.events.at(-1)?.seq ?? 0;
  }
  health(): LedgerHealth {
    return this.condition;
  }
  async close(): Promise<void> {}
}
