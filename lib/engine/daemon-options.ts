/**
 * What `startDaemon` is asked for, and the daemon it answers with. Options are checked here, once, and frozen;
 * `config.yaml` has its own reader.
 */
import { AgentopsdError } from '../base/errors.js';
import { type Logger, silentLogger } from '../base/log.js';
import { type MountTable, readMountTable } from '../storage/mounts.js';

export const DEFAULT_ADDRESS = '127.0.0.1:8765';

export interface DaemonOptions {
  /** Folder that holds `.agents`; any path, its real path is taken. */
  readonly root: string;
  /** `host:port`, loopback alone; port 0 takes a free one. Default `127.0.0.1:8765`. */
  readonly address?: string;
  /** Threads; over `workers` of the configuration. 0 accepts jobs and runs none. */
  readonly workers?: number;
  readonly tokenFile?: string;
  /** Trusts `executors` and `agents` of the configuration as they stand now. */
  readonly trust?: boolean;
  /** Takes over every job that came with the ledger from elsewhere. */
  readonly adopt?: boolean;
  /** Tests only: `X-AgentOps-Failpoint` is obeyed. */
  readonly failpoints?: boolean;
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly logger?: Logger;
  /** Told while the start waits for something, such as a lock whose owner may still live. */
  readonly onProgress?: (text: string) => void;
  /** From here on callers may be answered: whoever wants the process to end stops the daemon, once it is there. */
  readonly onListening?: () => void;
  /** Default: the system's own. */
  readonly mounts?: MountTable;
  /** What the worker threads load. Default: the worker file of this package. */
  readonly workerEntry?: URL;
}

export interface CheckedOptions {
  readonly root: string;
  readonly host: string;
  readonly port: number;
  readonly workers: number | undefined;
  readonly tokenFile: string | undefined;
  readonly trust: boolean;
  readonly adopt: boolean;
  readonly failpoints: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly onProgress: (text: string) => void;
  readonly onListening: () => void;
  readonly mounts: MountTable;
  readonly workerEntry: URL | undefined;
}

/** How a daemon ended: asked to, or asked to after its writer had stopped for good. */
export type DaemonEnd = { readonly kind: 'asked' } | { readonly kind: 'writer_stopped'; readonly reason: string };

export interface Daemon {
  /** `http://127.0.0.1:8765`. */
  readonly url: string;
  readonly port: number;
  /** Real path. */
  readonly root: string;
  /** Relative to the root. */
  readonly ledgerFolder: string;
  /** Absolute path of the state folder, outside the repository. */
  readonly stateFolder: string;
  /** What the operator should know and what degrades nothing, each one line. */
  warnings(): readonly string[];
  /**
   * Drains and ends: no new claims, running jobs get `drain_seconds`, then they are stopped and their leases expired.
   * A second call, or `quick`, doesn't wait for running jobs. Idempotent; resolves when everything is let go of.
   */
  stop(how?: { quick?: boolean }): Promise<void>;
  /** Resolves once the daemon has ended. */
  readonly ended: Promise<DaemonEnd>;
}

const WORKERS_AT_MOST = 256;

/** @throws AgentopsdError `usage` */
export function checkDaemonOptions(options: DaemonOptions): CheckedOptions {
  const { host, port } = readAddress(options.address ?? DEFAULT_ADDRESS);
  const workers = options.workers;
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0 && workers <= WORKERS_AT_MOST)) {
    throw new AgentopsdError('usage', `--workers is ${workers}: a whole number from 0 to ${WORKERS_AT_MOST} is needed`);
  }
  return Object.freeze({
    root: options.root,
    host,
    port,
    workers,
    tokenFile: options.tokenFile,
    trust: options.trust ?? false,
    adopt: options.adopt ?? false,
    failpoints: options.failpoints ?? false,
    environment: options.environment ?? process.env,
    logger: options.logger ?? silentLogger,
    onProgress: options.onProgress ?? (() => {}),
    onListening: options.onListening ?? (() => {}),
    mounts: options.mounts ?? readMountTable,
    workerEntry: options.workerEntry,
  });
}

/**
 * `host:port`, `:port`, `port` or `[::1]:port`.
 * @throws AgentopsdError `usage` for anything that is no loopback address
 */
export function readAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]:|([^:[\]]*):)?(\d{1,5})$/u.exec(text.trim());
  const host = match?.[1] ?? (match?.[2] || '127.0.0.1');
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new AgentopsdError('usage', `--addr ${text}: not an address`, { hint: `write it as ${DEFAULT_ADDRESS}` });
  }
  if (!isLoopback(host)) {
    throw new AgentopsdError('usage', `--addr ${text}: the daemon listens on loopback addresses alone`, {
      hint: `use ${DEFAULT_ADDRESS}, and a tunnel (ssh -L) to reach it from elsewhere`,
    });
  }
  return { host, port };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/u.test(host);
}
