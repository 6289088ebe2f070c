/** What the HTTP surface is given. It owns nothing of it and reads settings anew at each request. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Random } from '../base/random.js';
import type { Command, Outcome } from '../model/command.js';
import type { State } from '../model/state.js';
import type { ViewContext } from '../model/view-context.js';
import type { Progress } from '../model/worker-protocol.js';
import type { Disk } from '../storage/disk.js';
import type { Ledger } from '../storage/ledger.js';
import type { TokenEntry } from '../storage/token-file.js';

/** The kernel, as far as HTTP knows it. */
export interface HttpKernel {
  /** @throws AgentopsdError for a refusal, and `outcome_unknown` or `writer_stopped` */
  execute(command: Command): Promise<Outcome>;
  /** Durable and checked events only. */
  readonly state: State;
  viewContext(): ViewContext;
  /** How long the oldest decision that is not durable has been waiting, in milliseconds; 0 when none is. */
  waitingMs(): number;
  readonly ledger: Pick<Ledger, 'read' | 'tail' | 'lastSeq' | 'health'>;
}

export interface HttpSettings {
  /** `token` asks for a token on every read too. */
  readonly reads: 'open' | 'token';
  /** Values of `Host` beside the loopback ones; an entry without a port also stands for itself with ours. */
  readonly allowed_hosts: readonly string[];
  /** Origins of web pages that may send mutations. */
  readonly allowed_origins: readonly string[];
}

export interface HttpDependencies {
  readonly kernel: HttpKernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Pick<Disk, 'open' | 'factsSync'>;
  /** Real path of the repository. */
  readonly root: string;
  readonly tokens: readonly TokenEntry[];
  readonly http: HttpSettings;
  /** `max_attempts` of jobs that are accepted from now on. */
  readonly maxAttempts: number;
  /** Whether `X-AgentOps-Failpoint` is obeyed: for tests alone. */
  readonly failpoints: boolean;
  /** Absolute path of the output of an attempt (default: the latest), or undefined when there was none. */
  runLog(jobId: string, attempt?: number): Promise<string | undefined>;
  /** How far a job that runs here is, as its worker told last. */
  progressOf?(jobId: string): Progress | undefined;
  readonly logger: Logger;
}
