/** What was found against a check: during its own run, or by a monitor at any time. */
import type { Severity } from './catalogue.js';
import type { Exchange } from './target/exchange.js';

export type Request = Pick<Exchange, 'method' | 'base' | 'path' | 'requestHeaders' | 'requestBody'>;

export interface Finding {
  readonly severity: Severity;
  readonly expected: string;
  readonly observed: string;
  readonly request?: Request | undefined;
}

/** More of one kind tell nothing new. */
const KEPT_PER_CHECK = 20;

/** Findings of all checks of a run, and how often each of the monitors had something to judge. */
export class Findings {
  readonly #byCheck = new Map<string, Finding[]>();
  readonly #judged = new Map<string, number>();

  add(check: string, finding: Finding): void {
    const list = this.#byCheck.get(check) ?? [];
    this.#byCheck.set(check, list);
    const known = list.some(({ expected, observed }) => expected === finding.expected && observed === finding.observed);
    if (!known && list.length < KEPT_PER_CHECK) list.push(finding);
  }

  of(check: string): readonly Finding[] {
    return this.#byCheck.get(check) ?? [];
  }

  /** Checks that something was found against, in the order of their first finding. */
  checks(): string[] {
    return [...this.#byCheck.keys()];
  }

  /** Counts that a monitor held an answer against this check. */
  judged(check: string): void {
    this.#judged.set(check, (this.#judged.get(check) ?? 0) + 1);
  }

  timesJudged(check: string): number {
    return this.#judged.get(check) ?? 0;
  }
}

/** What a monitor reports: bound to one answer. */
export type Report = (check: string, severity: Severity, expected: string, observed: string) => void;
