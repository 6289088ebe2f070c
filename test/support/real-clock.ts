/** The real clock, with timers that keep the process alive: a test that waits for one must not end before it. */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../../lib/base/clock.js';

export function waitingClock(): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after(delayMs, work) {
      const timer = setTimeout(work, delayMs);
      return () => clearTimeout(timer);
    },
  };
}
