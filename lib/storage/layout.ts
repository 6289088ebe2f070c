/** Where things stand below the root. Nothing below the root proves that something is ours: that is the home's part. */
import { join } from 'node:path';

export interface Layout {
  /** Real path of the repository. */
  readonly root: string;
  readonly agents: string;
  readonly daemon: string;
  readonly ledger: string;
  readonly quarantine: string;
  readonly leases: string;
  readonly projections: string;
  /** Lock and terms: shared by all who share the folder. */
  readonly run: string;
  readonly terms: string;
  readonly lock: string;
  readonly activation: string;
}

/** `source_ledger` of the views: relative to the root. */
export const LEDGER_PATH = '.agents/daemon/ledger';

export function layoutOf(root: string): Layout {
  const agents = join(root, '.agents');
  const daemon = join(agents, 'daemon');
  const run = join(daemon, 'run');
  return Object.freeze({
    root,
    agents,
    daemon,
    ledger: join(daemon, 'ledger'),
    quarantine: join(daemon, 'quarantine'),
    leases: join(daemon, 'leases'),
    projections: join(daemon, 'projections'),
    run,
    terms: join(run, 'terms'),
    lock: join(run, 'lock'),
    activation: join(daemon, 'activation.json'),
  });
}
