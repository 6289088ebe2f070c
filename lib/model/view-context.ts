import type { JobType } from './event.js';
import type { LedgerHealth } from './health.js';

/** What a view needs beside the state. */
export interface ViewContext {
  /** Wall clock, milliseconds since 1970: leases run out by it. */
  readonly wallMs: number;
  /** When the read model last took an event in. */
  readonly rebuiltAt: string;
  readonly health: LedgerHealth;
  /** What a person should know that does not touch the ledger. */
  readonly warnings: () => readonly string[];
  /** Why nobody takes a type here; undefined when somebody does. */
  readonly noWorkerFor: (jobType: JobType) => string | undefined;
  /** Set when a view could not be rebuilt after an append. */
  readonly projectionFailure: string | undefined;
}
