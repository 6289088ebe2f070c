/** A work order as the factory workers use it: read, checked, with its defaults; and what is decided about it. */
import type { JsonObject } from '../../lib/base/json.js';

export interface WorkOrder {
  readonly id: string;
  readonly title?: string;
  readonly goal?: string;
  readonly base_ref: string;
  /** Lower case. */
  readonly base_sha?: string;
  /** As they were given, without what is the same; empty for the whole repository. */
  readonly paths: readonly string[];
  readonly allow_dirty: boolean;
  readonly window: OrderWindow;
  readonly open_requests: readonly OpenRequest[];
  readonly ci_baseline?: string | CiBaseline;
  readonly commands: readonly string[];
  readonly validation_commands: readonly string[];
  readonly command_timeout_seconds: number;
  readonly metadata?: JsonObject;
}

export interface OrderWindow {
  /** RFC 3339. */
  readonly not_before?: string;
  readonly not_after?: string;
  readonly max_commits_behind: number;
}

export interface OpenRequest {
  readonly id: string;
  readonly paths?: readonly string[];
  readonly ref?: string;
}

export interface CiBaseline {
  readonly sha: string;
  readonly status: 'passed' | 'failed' | 'running';
  readonly url?: string;
  readonly checked_at?: string;
}

/** What is recorded of an order, and handed on: all but what only the decision needed. */
export type CarriedOrder = Omit<WorkOrder, 'allow_dirty' | 'window' | 'open_requests' | 'ci_baseline'>;

export type CheckName = 'base' | 'tree' | 'window' | 'overlap' | 'ci';

export interface Blocker {
  readonly check: CheckName;
  readonly code: BlockerCode;
  readonly message: string;
  /** Some of the paths that it is about. */
  readonly paths?: readonly string[];
}

export type BlockerCode =
  | 'no_commits'
  | 'ref_unknown'
  | 'base_unknown'
  | 'base_diverged'
  | 'base_behind'
  | 'tree_dirty'
  | 'window_not_open'
  | 'window_closed'
  | 'overlap'
  | 'overlap_unknown'
  | 'ci_missing'
  | 'ci_other_commit'
  | 'ci_not_passed';

export interface Check {
  readonly check: CheckName;
  readonly verdict: 'pass' | 'block' | 'not_asked';
  /** What was found, on one line. */
  readonly found: string;
}

/** The payload of `factory.admission_decided`, and with it what stands for all attempts of the job. */
export interface Admission {
  readonly schema_version: 1;
  readonly run_id: string;
  readonly allowed: boolean;
  readonly checks: readonly Check[];
  readonly blockers: readonly Blocker[];
  /** With the commit that it starts from, when that was found. */
  readonly order: CarriedOrder;
  /** Of the whole order in canonical form. */
  readonly order_sha256: string;
}
