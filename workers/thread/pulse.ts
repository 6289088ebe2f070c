/**
 * The signs of life of one attempt, counted in memory that the main thread reads. They come from a timer of this
 * thread's own event loop, so that a handler that blocks it stops them; or from a process that does the work, once it
 * gives signs of its own.
 */
import { BEAT_INDEX, BEAT_INTERVAL_MS, type WorkerTask } from '../../lib/model/worker-protocol.js';

export interface Pulse {
  /** From now on only `beatFor` counts. */
  handOver(): void;
  /** A sign of life of the process that does the work; the first one hands over. */
  beatFor(): void;
  /** The thread beats for itself again. */
  takeBack(): void;
  stop(): void;
}

/** What the thread's timer does: one timer for all its attempts, while they follow each other closely. */
let onTick: (() => void) | undefined;
let timer: NodeJS.Timeout | undefined;

function tick(): void {
  if (onTick !== undefined) {
    onTick();
    return;
  }
  clearInterval(timer);
  timer = undefined;
}

export function startPulse({ shared }: Pick<WorkerTask, 'shared'>): Pulse {
  const counters = new Int32Array(shared);
  let own = true;
  const beat = () => Atomics.add(counters, BEAT_INDEX, 1);
  beat();
  const beatForItself = () => {
    if (own) beat();
  };
  onTick = beatForItself;
  // The thread waits for its next task anyway: the timer alone is no reason to keep it.
  timer ??= setInterval(tick, BEAT_INTERVAL_MS).unref();
  return {
    handOver() {
      own = false;
    },
    beatFor() {
      own = false;
      beat();
    },
    takeBack() {
      own = true;
    },
    stop() {
      if (onTick === beatForItself) onTick = undefined;
    },
  };
}
