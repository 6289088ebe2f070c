import type { StoredEvent } from '../storage/ledger.js';

/** An event as it stands in its line, and the file that holds the line. */
export function eventView({ event, segment }: StoredEvent): object {
  return { ...event, segment };
}
