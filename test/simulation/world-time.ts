/** The time of the simulated machine: one wall clock, one monotonic clock, and every process's timers. */
import type { Clock } from '../../lib/base/clock.js';
import type { SimulatedProcess } from './process.js';

interface Timer {
  readonly process: SimulatedProcess;
  readonly dueMs: number;
  readonly work: () => void;
}

export class WorldTime {
  wallMs = Date.UTC(2026, 0, 1);
  monotonicMs = 0;
  #timers: Timer[] = [];

  clockFor(process: SimulatedProcess): Clock {
    return {
      wallMs: () => this.wallMs,
      monotonicMs: () => this.monotonicMs,
      after: (delayMs, work) => {
        const timer = { process, dueMs: this.monotonicMs + Math.max(0, delayMs), work };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((one) => one !== timer);
        };
      },
    };
  }

  /** Time passes; what fell due is done, by those who are awake. */
  pass(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
    this.#timers = this.#timers.filter(({ process }) => !process.isOver);
    const due = this.#timers.filter((timer) => timer.dueMs <= this.monotonicMs && !timer.process.isPaused);
    due.sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) {
      if (!this.#timers.includes(timer) || timer.process.isOver) continue;
      this.#timers = this.#timers.filter((one) => one !== timer);
      timer.work();
    }
  }

  /** Until the next timer of somebody awake; undefined when there is none. */
  nextDueInMs(): number | undefined {
    const due = this.#timers.filter(({ process }) => !process.isOver && !process.isPaused);
    return due.length === 0 ? undefined : Math.max(0, Math.min(...due.map((timer) => timer.dueMs)) - this.monotonicMs);
  }

  /** A machine that starts anew counts from nothing. */
  restart(): void {
    this.#timers = [];
    this.monotonicMs = 0;
  }
}
