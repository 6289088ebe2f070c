/**
 * The orderly end of work: no new claims, running jobs get their time, then they are stopped and their leases expired,
 * so that the next start takes them at once.
 *
 * An attempt that is cut short so counts as one: the contract numbers attempts by their claims. Whoever stops a daemon
 * with long jobs gives `queue.drain_seconds` or `queue.max_attempts` room for it.
 */
import type { Clock } from '../base/clock.js';
import type { Dispatcher } from './dispatcher.js';

export interface DrainOptions {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  /** How long running jobs may go on. */
  readonly drainMs: number;
  /** From the request to stop to the force, after that. */
  readonly graceMs: number;
  /** Aborting it waits no longer for anything. */
  readonly hurry: AbortSignal;
}

/** Resolves when no attempt is left. */
export async function drain({ dispatcher, clock, drainMs, graceMs, hurry }: DrainOptions): Promise<void> {
  dispatcher.hold();
  await waitForAll(dispatcher, clock, drainMs, hurry);
  const rush = () => {
    for (const attempt of dispatcher.attempts().values()) attempt.hurry();
  };
  hurry.addEventListener('abort', rush, { once: true });
  if (hurry.aborted) rush();
  await dispatcher.stopAll('released', hurry.aborted ? 0 : graceMs);
  hurry.removeEventListener('abort', rush);
}

/** Until every attempt is over, the time is up, or there is a hurry. */
function waitForAll(dispatcher: Dispatcher, clock: Clock, drainMs: number, hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      cancelTimer();
      hurry.removeEventListener('abort', finish);
      resolve();
    };
    const cancelTimer = clock.after(drainMs, finish);
    hurry.addEventListener('abort', finish, { once: true });
    if (hurry.aborted) finish();
    void Promise.all([...dispatcher.attempts().values()].map((attempt) => attempt.over)).then(finish);
  });
}
