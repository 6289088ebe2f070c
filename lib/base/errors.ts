/**
 * The one error table. A code is for programs, the message for people; `http` is the status of an answer, `exit` the
 * exit code of the command line, `retryable` whether the same request may succeed later without a change.
 *
 * Expected errors are values with one of these codes. What can't happen crashes with the invariant's name. Across
 * threads and HTTP an error travels as data (`ErrorData`), never by `instanceof`.
 */
export const errorTable = {
  usage: { http: 400, exit: 2, retryable: false },
  invalid_json: { http: 400, exit: 2, retryable: false },
  invalid_request: { http: 400, exit: 2, retryable: false },
  unknown_job_type: { http: 400, exit: 2, retryable: false },
  unknown_cursor: { http: 400, exit: 3, retryable: false },
  mutation_denied: { http: 403, exit: 4, retryable: false },
  host_denied: { http: 403, exit: 4, retryable: false },
  unknown_path: { http: 404, exit: 3, retryable: false },
  unknown_job: { http: 404, exit: 3, retryable: false },
  ambiguous_id: { http: 400, exit: 3, retryable: false },
  method_not_allowed: { http: 405, exit: 2, retryable: false },
  request_too_slow: { http: 408, exit: 4, retryable: true },
  body_too_large: { http: 413, exit: 2, retryable: false },
  unsupported_media_type: { http: 415, exit: 2, retryable: false },
  head_too_large: { http: 431, exit: 2, retryable: false },
  not_ready: { http: 503, exit: 4, retryable: true },
  outcome_unknown: { http: 503, exit: 4, retryable: true },
  writer_stopped: { http: 503, exit: 4, retryable: true },
  /** More callers at once than `limits.httpConnections`, or more than the disk takes: `lib/http/intake.ts`. */
  overloaded: { http: 503, exit: 4, retryable: true },
  internal: { http: 500, exit: 70, retryable: false },
  /** A claim, heartbeat or result that carries another token or epoch than the current one. */
  stale_lease: { http: 409, exit: 6, retryable: false },
  job_not_claimable: { http: 409, exit: 6, retryable: false },
  key_conflict: { http: 409, exit: 6, retryable: false },
  daemon_running: { http: 503, exit: 6, retryable: true },
  daemon_unreachable: { http: 503, exit: 4, retryable: true },
  address_in_use: { http: 503, exit: 4, retryable: true },
  configuration_invalid: { http: 500, exit: 2, retryable: false },
  token_file_unsafe: { http: 500, exit: 2, retryable: false },
  folder_unusable: { http: 500, exit: 2, retryable: false },
  file_unsafe: { http: 500, exit: 8, retryable: false },
  ledger_unreadable: { http: 500, exit: 8, retryable: false },
  ledger_unsafe: { http: 503, exit: 8, retryable: false },
  ledger_newer: { http: 503, exit: 8, retryable: false },
  timed_out: { http: 503, exit: 5, retryable: true },
} as const satisfies Record<string, { http: number; exit: number; retryable: boolean }>;

export type ErrorCode = keyof typeof errorTable;

/** The answer header that carries the code: bodies keep to the contract's `{error}`. */
export const ERROR_CODE_HEADER = 'Agentopsd-Error';

export function isErrorCode(text: string | null): text is ErrorCode {
  return text !== null && Object.hasOwn(errorTable, text);
}

/** An error as data: what crosses threads, HTTP and `--json`. */
export interface ErrorData {
  code: ErrorCode;
  /** What is wrong, and where. */
  message: string;
  /** What to do next, as one line. */
  hint?: string;
  /** Members that an answer carries beside `error`, such as `max_bytes`. */
  details?: Record<string, unknown>;
}

/** Thrown for what a caller or the machine did wrong; never for a broken invariant. */
export class AgentopsdError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: { hint?: string; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'AgentopsdError';
    this.code = code;
    this.hint = more.hint;
    this.details = more.details;
  }

  toData(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}

/** Crashes with the name of the invariant that does not hold. */
export function invariant(condition: unknown, name: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${name}`);
}
