/**
 * What is doubtful about plans, in the order of their places. However much there is, only the first findings are kept,
 * and all are counted.
 */
import { plansLimits } from './limits.js';

export interface PlanFinding {
  readonly kind: 'bad_line' | 'bad_plan' | 'duplicate_id' | 'unknown_dependency' | 'dependency_cycle' | 'left_out';
  /** Relative to the root. */
  readonly source: string;
  /** From 1. */
  readonly line?: number;
  readonly message: string;
}

export class FindingList {
  #count = 0;
  #kept: PlanFinding[] = [];

  get count(): number {
    return this.#count;
  }

  add(finding: PlanFinding): void {
    this.#count += 1;
    this.#kept.push(finding);
    if (this.#kept.length >= 2 * plansLimits.findingsAtMost) this.#kept = this.first();
  }

  /** Sorted by place; of one place in the order in which they were added. */
  first(): PlanFinding[] {
    return [...this.#kept].sort(byPlace).slice(0, plansLimits.findingsAtMost);
  }
}

function byPlace(a: PlanFinding, b: PlanFinding): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}
