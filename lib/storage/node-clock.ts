/** The clock seam on the real machine. Its timers never keep the process alive. */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../base/clock.js';

export { createNodeRandom } from './node-random.js';

export function createNodeClock(): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after(delayMs, work) {
      const timer = setTimeout(work, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
