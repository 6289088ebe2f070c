/**
 * A check is one function bound to an id of the catalogue. It asks, and tells what it expected and what it saw; it never
 * gives a verdict. Checks of one subject stand in one file of `checks/`, in the order of the catalogue, and that file
 * exports them as a list; `checks/all.ts` puts the lists together.
 *
 * How one is written:
 *
 * - `check(id, run)`; `run` gets a `Context` (context.ts) and may do whatever it likes with it, but has to leave nothing
 *   behind that needs a memory: ids come from `context.id()`, so every run and every repetition has its own, and jobs that
 *   it submitted are cancelled at the end of the whole run.
 * - What is judged: `context.must(…)`, `context.should(…)`, `context.may(…)` each take whether it holds, what was expected,
 *   what was seen, and the exchange it was seen in (its request becomes the curl line of the finding). They only take
 *   note; `context.demand(…)` also ends the check where going on makes no sense. A part weighs at most as much as the
 *   check itself.
 * - What is missing: `throw new NotTested(reason)`, `throw new NotApplicable(reason)`. Whatever the catalogue says under
 *   `needs` was looked at before `run` is called.
 * - No answer (`NoAnswer`), a body that is no JSON where one was asked for and a process that does not start are findings
 *   too: nobody catches them in a check, unless they are what it asks for.
 * - Nothing waits for a fixed time where a condition can be waited for: `context.until(…)` with a deadline.
 * - Others may use the same server: look only at what is your own, or ask `target.appendsNothing(…)`.
 */
import type { Context } from './context.js';

export interface Check {
  /** As in the catalogue. */
  readonly id: string;
  /** Something that an implementation may declare in `options` of its profile. */
  readonly option: string | undefined;
  readonly deadlineMs: number;
  readonly run: (context: Context) => Promise<void>;
}

export interface CheckOptions {
  /** The check is not applicable where a profile does not declare it; without any declaration the check looks itself. */
  readonly option?: string;
  /** For the whole check; what takes longer is a finding. */
  readonly deadlineMs?: number;
}

export const defaultCheckDeadlineMs = 240_000;

export function check(id: string, run: Check['run'], options: CheckOptions = {}): Check {
  return { id, run, option: options.option, deadlineMs: options.deadlineMs ?? defaultCheckDeadlineMs };
}

/** Something that the check needs is missing; not a fault of the target. */
export class NotTested extends Error {
  override readonly name = 'NotTested';
}

/** The target does not have what the check is about, and need not have it. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** Everything worth saying was noted: ends a check early. */
export class Ended extends Error {
  override readonly name = 'Ended';
}

/** A condition that did not come about in time. */
export class Late extends Error {
  override readonly name = 'Late';
}
