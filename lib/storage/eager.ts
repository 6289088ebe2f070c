/**
 * Takes events while their segment is still being verified. They are told at once, and all of them are thrown away when
 * anything turns out not to hold: before that nobody but the observer's own state has seen them.
 */
import type { DiskFile } from './disk.js';
import type { HistorySegment } from './history.js';
import type { ReplayedEvent } from './ledger.js';
import type { EagerSink, ReplayPlan } from './replay.js';

export class Eager implements EagerSink {
  readonly #take: (events: readonly ReplayedEvent[]) => void;
  readonly #segments = new Map<string, LaterSegment>();
  #lastSeq = 0;
  #spoiled = false;

  constructor(
    taker: (to: { segments: (name: string) => HistorySegment }) => (events: readonly ReplayedEvent[]) => void,
  ) {
    this.#take = taker({ segments: (name) => this.#segment(name) });
  }

  wants(): boolean {
    return !this.#spoiled;
  }

  take(events: readonly ReplayedEvent[]): void {
    const last = events.at(-1);
    if (this.#spoiled || last === undefined) return;
    try {
      this.#take(events);
      this.#lastSeq = last.event.seq;
    } catch {
      // Whoever wrote what can't even be taken in was not us: the mac will tell.
      this.#spoiled = true;
    }
  }

  spoil(): void {
    this.#spoiled = true;
  }

  /** Whether exactly what counts was told. */
  holds(plan: ReplayPlan): boolean {
    const whole = plan.status === 'complete' && !plan.twoHeads;
    return whole && !this.#spoiled && this.#lastSeq === plan.lastSeq;
  }

  /** From now on they are read from there. */
  bind(segmentOf: (name: string) => HistorySegment): void {
    for (const [name, segment] of this.#segments) segment.bound = segmentOf(name);
  }

  #segment(name: string): LaterSegment {
    let segment = this.#segments.get(name);
    if (segment === undefined) {
      segment = new LaterSegment(name);
      this.#segments.set(name, segment);
    }
    return segment;
  }
}

/** A segment of which events are known before it is known how much of it counts. */
class LaterSegment implements HistorySegment {
  readonly name: string;
  bound: HistorySegment | undefined;

  constructor(name: string) {
    this.name = name;
  }

  countedBytes = (): number => this.bound?.countedBytes() ?? 0;
  open = (): Promise<{ file: DiskFile; close: boolean }> => (this.bound as HistorySegment).open();
}
