/** When a view says that it was made, held against what it holds and against the clock of this program. */
import type { Fold } from '../fold.js';
import { instant } from '../json.js';
import type { Moment } from './queue-oracle.js';

/** Clocks of two machines are rarely further apart. */
export const CLOCK_SKEW_MS = 5 * 60_000;
/** A time may be written in whole seconds. */
const WHOLE_SECOND_MS = 1_000;

/** What is wrong with the time of a view, in words; undefined when nothing is. Its shape is judged elsewhere. */
export function momentProblem(value: unknown, { lastOccurredAt }: Fold, { to }: Moment): string | undefined {
  const time = instant(value);
  const head = instant(lastOccurredAt);
  if (time === undefined) return undefined;
  if (head !== undefined && time + WHOLE_SECOND_MS < head)
    return `not before the last event that it holds, ${lastOccurredAt}`;
  return time > to + CLOCK_SKEW_MS ? 'not in the future' : undefined;
}
