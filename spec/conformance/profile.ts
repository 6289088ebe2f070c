/** What is known of a target: from a profile, or from an address alone. */
import type { Level } from './catalogue.js';

/** What a submitted job will come to, as the owner of the target promises it. */
export const fates = ['idle', 'complete', 'fail', 'hang', 'crash'] as const;
export type Fate = (typeof fates)[number];

export interface Work {
  readonly job_type: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** `{data_dir}`, `{port}`, `{token}` and `{profile_dir}` in these stand for what they say. */
export type Command = readonly string[];

export interface Start {
  readonly command: Command;
  /** The same server with nobody who takes jobs. */
  readonly commandWithoutWorkers: Command | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Copied into each fresh data folder. */
  readonly seedDir: string | undefined;
  readonly readyTimeoutMs: number;
}

export interface Ledger {
  /** Relative to the data folder, `*` for anything within a name, `**` for any folders. */
  readonly paths: readonly string[];
  /** A line a record; anything else needs a hook. */
  readonly format: string;
  /** Damages the ledger of a stopped server: `{damage}` stands for `middle`, `torn-tail`, `bad-meaning`, `cache`. */
  readonly corruptHook: Command | undefined;
  /** What may change below the data folder while nobody writes. */
  readonly volatile: readonly string[];
  /** Configuration: what stays when everything but the ledger is taken away. */
  readonly keep: readonly string[];
  /** Files that only speed up a start. */
  readonly caches: readonly string[];
}

/** A check that is known not to pass. */
export interface Exception {
  readonly check: string;
  readonly reason: string;
  readonly issue?: string;
}

export interface Profile {
  readonly implementation: string;
  readonly version: string | undefined;
  readonly claims: readonly Level[];
  /** May hold `{port}` where there is a start command. */
  readonly baseUrl: string;
  readonly tokenEnv: string;
  readonly token: string | undefined;
  readonly tokenHeader: string;
  /** Such as `/openclaw/v1`. */
  readonly consumerBase: string;
  readonly start: Start | undefined;
  readonly ledger: Ledger | undefined;
  readonly workload: Readonly<Partial<Record<Fate, Work>>> | undefined;
  readonly leaseMs: number | undefined;
  readonly heartbeatMs: number | undefined;
  readonly maxAttempts: number | undefined;
  readonly maxBodyBytes: number;
  readonly maxKeyBytes: number;
  /** Undefined where nothing is declared at all. */
  readonly options: readonly string[] | undefined;
  readonly unsupported: readonly Exception[];
  readonly knownFailures: readonly Exception[];
  /** Where the profile stands; where this program was started when there is none. */
  readonly folder: string;
}
