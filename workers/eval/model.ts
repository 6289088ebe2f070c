/** The vocabulary of evals: a suite as it is run, and what is found out about it. */
import type { Json } from '../../lib/base/json.js';

export interface TextChecks {
  readonly contains?: string | readonly string[];
  readonly lacks?: string | readonly string[];
  readonly matches?: string;
  readonly equals?: string;
}
export interface FileChecks extends TextChecks {
  readonly exists?: true;
  readonly absent?: true;
  readonly sha256?: string;
}
export interface JsonCheck {
  /** In the copy; absent for the standard output. */
  readonly file?: string;
  readonly pointer: string;
  readonly equals: Json;
}
export interface Expectations {
  readonly exit_code: number;
  readonly stdout?: TextChecks;
  readonly stderr?: TextChecks;
  readonly files?: Readonly<Record<string, FileChecks>>;
  readonly json?: readonly JsonCheck[];
}

/** A case with all defaults filled in; either `command` or `prompt` is there. */
export interface EvalCase {
  readonly id: string;
  readonly title?: string;
  readonly weight: number;
  readonly command?: readonly string[];
  readonly stdin?: string;
  readonly prompt?: string;
  readonly fixture?: string;
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeout_seconds: number;
  readonly idle_seconds: number;
  readonly output_bytes: number;
  readonly copy_bytes: number;
  readonly tries: number;
  readonly expect: Expectations;
}

export interface EvalSuite {
  /** Relative to the root. */
  readonly path: string;
  /** Of the file's bytes. */
  readonly sha256: string;
  readonly title?: string;
  readonly threshold: number;
  readonly skill_folder: string;
  readonly cases: readonly EvalCase[];
  /** `evals/a.yaml:12:5`: where a case stands, by its position. */
  placeOf(caseAt: number, member?: string): string;
}

export interface CheckResult {
  /** What was expected of what, such as `stdout contains "ok"`. */
  readonly expected: string;
  readonly holds: boolean;
  /** What was there instead; bounded. Absent when it holds. */
  readonly observed?: string;
}

/** How a run ended: by itself, or by what the daemon ended it for. */
export type RunEnd = 'exited' | 'signalled' | 'timeout' | 'idle' | 'output_limit' | 'not_started';

export interface Attempt {
  readonly verdict: 'pass' | 'fail';
  readonly end: RunEnd;
  readonly exit_code?: number;
  readonly signal?: string;
  /** Why it could not be started, or why an agent's run counts as failed. */
  readonly why?: string;
  readonly expectations: readonly CheckResult[];
}

/** What an agent's run used, as far as its CLI tells. */
export interface AgentFacts {
  readonly name: string;
  readonly cost_usd?: number;
  readonly tokens?: number;
}

/** One run of one case. */
export interface CaseRun {
  readonly attempt: Attempt;
  readonly agent?: AgentFacts;
  /** Reported apart from everything else, which comes out the same for the same. */
  readonly duration_ms: number;
}

/** What one case came to: of its tries the last one decides. */
export interface CaseResult {
  readonly id: string;
  readonly title?: string;
  readonly verdict: 'pass' | 'fail';
  readonly weight: number;
  /** Of what the copy began with: path, mode and bytes of every file. */
  readonly inputs_sha256: string;
  readonly attempts: readonly Attempt[];
  readonly agent?: AgentFacts;
}
