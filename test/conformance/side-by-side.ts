/** Runs of one file of tests, begun together: the program mostly waits, for starts and for what never comes. */
import type { Test } from 'uvu';
import { complaints, type Judged } from './program.js';

export interface Heard extends Judged {
  /** Ids of the checks that say something against the target. */
  readonly complaining: readonly string[];
  /** The same in words, for a test that wants none. */
  readonly said: readonly string[];
}

/** Begins them before the tests of a suite, and waits for all after them. Returns how one is waited for. */
export function sideBySide<Name extends string>(
  suite: Test,
  runs: Readonly<Record<Name, () => Promise<Judged>>>,
): (name: Name) => Promise<Heard> {
  const begun = new Map<string, Promise<Judged>>();
  suite.before(() => {
    for (const [name, run] of Object.entries<() => Promise<Judged>>(runs)) begun.set(name, run());
  });
  suite.after(async () => {
    await Promise.allSettled(begun.values());
  });
  return async (name) => {
    const run = await begun.get(name);
    if (run === undefined) throw new Error(`no run is called ${name}`);
    const complaining = run.report.checks.filter(({ verdict }) => !['pass', 'n/a', 'not-tested'].includes(verdict));
    const said = complaints(run.report).filter((each) => !each.startsWith('not-tested'));
    return { ...run, complaining: complaining.map(({ id }) => id), said };
  };
}
