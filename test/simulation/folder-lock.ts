/**
 * The lock of the folder and what the system tells about processes, simulated. A living process that is awake renews its
 * lock all the time; one that is paused or dead does not. `unguarded` takes both away: everybody gets the lock at once
 * and takes everybody else for dead, so that nothing but the protocol keeps writers apart.
 */
import type { FolderLock, LockHold, LockRequest } from '../../lib/storage/lock.js';
import { noLock } from '../../lib/storage/lock.js';
import type { ProcessFacts } from '../../lib/storage/process-facts.js';
import type { SimulatedProcess } from './process.js';
import type { World } from './world.js';

interface Held {
  readonly mark: string;
  readonly process: SimulatedProcess;
  readonly onLost: (reason: string) => void;
}

export class LockTable {
  #held: Held | undefined;
  #count = 0;

  get holder(): SimulatedProcess | undefined {
    return this.#held?.process;
  }

  /** Somebody removes the lock from outside; its holder finds out. */
  steal(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && !held.process.isOver) held.onLost('the lock was removed');
  }

  for(process: SimulatedProcess, world: World): FolderLock {
    if (!world.plan.guarded) return noLock;
    const alive = <Value>(work: () => Value): Promise<Value> => process.disk.passing(work);
    return {
      acquire: (request) => alive(() => this.#acquire(process, world, request)),
      holder: () => alive(() => this.#held?.mark),
      breakLock: (_path, mark) =>
        alive(() => {
          if (this.#held?.mark !== mark) return;
          const { process: owner } = this.#held;
          if (owner.phase === 'serving') world.violated(`the lock of living process ${owner.pid} was broken`);
          this.#held = undefined;
        }),
      pause: (delayMs) => {
        process.waits++;
        return new Promise((resolve) => process.clock.after(delayMs, () => resolve()));
      },
    };
  }

  #acquire(process: SimulatedProcess, world: World, request: LockRequest): LockHold | undefined {
    const held = this.#held;
    if (held !== undefined && world.time.monotonicMs - world.renewedAtMs(held.process) < request.staleMs)
      return undefined;
    if (held !== undefined && !held.process.isOver) held.onLost('it grew stale and was taken');
    const mine = { mark: `lock-${++this.#count}`, process, onLost: request.onLost };
    this.#held = mine;
    return {
      release: () =>
        process.disk.passing(() => {
          if (this.#held === mine) this.#held = undefined;
        }),
    };
  }
}

/** A process is itself by pid and start time, in one boot and one namespace. */
export function factsFor(process: SimulatedProcess, world: World): ProcessFacts {
  const identity = {
    pid: process.pid,
    started: process.started,
    bootId: `boot-${world.boot}`,
    pidNamespace: `namespace-${process.namespace}`,
  };
  return {
    self: () => identity,
    lookUp: (pid) => {
      if (!world.plan.guarded) return undefined;
      const found = world.processes.find(
        (one) => one.pid === pid && one.namespace === process.namespace && !one.isOver,
      );
      return found && { started: found.started, zombie: false };
    },
  };
}
