/** An observer of a ledger that keeps a state, as the kernel does: so that checkpoints are written. */
import { stateKeeperOf } from '../../lib/engine/state-keeper.js';
import { jobTypes } from '../../lib/model/event.js';
import { State } from '../../lib/model/state.js';
import type { LedgerObserver } from '../../lib/storage/ledger.js';

/** It counts what it is told. */
export function folding(): LedgerObserver & { readonly state: State; replayed: number } {
  const state = new State({ warmJobs: 8, atOnce: 4 });
  return {
    state,
    replayed: 0,
    keeper: stateKeeperOf(state),
    onReplayed(event, ours) {
      this.replayed += 1;
      state.apply(event, ours);
    },
    onDurable(events) {
      for (const event of events) state.apply(event, true);
    },
    onDiscarded: () => undefined,
    onStopped: () => undefined,
  };
}

/** All of a state: the same for the same. The lines of those that wait are not in its bytes, and stand behind them. */
export function bytesOf(state: State): string {
  const { summary, pages } = state.capture();
  const waiting = jobTypes.map((jobType) => [...state.claimable(jobType)]);
  return Buffer.concat([...pages(), Buffer.from(summary)]).toString('latin1') + JSON.stringify(waiting);
}
