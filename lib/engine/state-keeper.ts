/** The folded state as the ledger keeps it for the next opening. */
import { REDUCER_VERSION } from '../model/job-text.js';
import { State } from '../model/state.js';
import type { StateKeeper } from '../storage/ledger.js';

export function stateKeeperOf(state: State): StateKeeper {
  return {
    reducer: REDUCER_VERSION,
    capture: () => state.capture(),
    size: () => state.size(),
    restoring: () => {
      const other = new State();
      return {
        page: (bytes) => other.restorePage(bytes),
        finish: (summary) => other.restoreSummary(summary),
        become: () => state.become(other),
      };
    },
  };
}
