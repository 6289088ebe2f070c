/** The worker threads: as many slots as jobs may run at a time, named `worker-1` and on. */
import type { Clock } from '../base/clock.js';
import type { TaskStarter } from './attempt-seams.js';
import { ThreadSlot } from './thread-slot.js';

/** Relative to this file, compiled or not: nothing imports the worker code. */
const ENTRY = new URL('../../workers/entry.js', import.meta.url);
const THREAD_START_MS = 20_000;
/** A thread never sees the daemon's own secrets. */
const WITHHELD = ['AGENTOPSD_TOKEN', 'AGENTOPS_DAEMON_TOKEN'];

export interface WorkerPool {
  readonly slots: readonly TaskStarter[];
  /** Loads the worker file once; answers why that can't be done, or undefined. */
  probe(): Promise<string | undefined>;
  /** Ends all threads. */
  close(): Promise<void>;
}

export interface WorkerPoolOptions {
  readonly workers: number;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly memoryMb: () => number;
  /** Default: the worker file of this package. */
  readonly entry?: URL;
  readonly threadStartMs?: number;
}

export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { workers, clock, entry = ENTRY, threadStartMs = THREAD_START_MS } = options;
  const environment = environmentOf(options.environment);
  const threads = Array.from({ length: workers }, () => new ThreadSlot({ entry, clock, environment, threadStartMs }));
  return {
    slots: threads.map((thread, at) => ({
      name: `worker-${at + 1}`,
      start: (body, memoryMb, onMessage) => thread.start(body, memoryMb, onMessage),
    })),
    probe: async () => threads[0]?.probe(options.memoryMb()),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

function environmentOf(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !WITHHELD.includes(name)) kept[name] = value;
  }
  return kept;
}
