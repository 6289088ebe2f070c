/**
 * The configuration that counts now. Read at start; a mistake in it then refuses the start. Afterwards each change of
 * the file is looked at:
 *
 *   whole, and trusted or naming no program   counts from now on
 *   whole, not trusted                        counts but for executors, agents and payload commands: those of before stay
 *   broken, gone, or no file of ours          nothing of it counts
 *
 * What does not count is told in `warnings()`, until it does. Trust is asked for anew at every look, so that
 * `agentopsd trust` beside a running daemon has its effect.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Logger } from '../base/log.js';
import type { Random } from '../base/random.js';
import {
  CONFIGURATION_FILE,
  type Configuration,
  defaultConfiguration,
  type Executor,
  type ParsedConfiguration,
  parseConfiguration,
} from '../model/configuration.js';
import { readSmallFile } from '../storage/atomic-file.js';
import type { Disk } from '../storage/disk.js';
import { refuseLinksBelow } from '../storage/folder.js';
import type { Home } from '../storage/home.js';
import { trustConfiguration, trustStanding } from '../storage/trust.js';
import { FolderWatch, type Watch } from './folder-watch.js';

export interface ConfigurationSourceOptions {
  /** `root` is the real path of the repository. */
  readonly home: Pick<Home, 'folder' | 'root'>;
  readonly disk: Disk;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Trusts what stands in the file at the start. */
  readonly trust?: boolean;
  /** For tests; default chokidar. */
  readonly watch?: Watch;
}

export interface ConfigurationSource {
  current(): Configuration;
  /** What of the file does not count, and why; one line each. */
  warnings(): readonly string[];
  /** Called after each change of what counts. @returns ends it */
  onChange(listener: (configuration: Configuration) => void): () => void;
  /** Looks at the file and the trust once; resolves when their effect is there. */
  runOnce(): Promise<void>;
  /** Begins to watch. Idempotent, as is `stop`. */
  start(): void;
  stop(): Promise<void>;
}

/** @throws AgentopsdError `configuration_invalid` with every mistake, `file_unsafe`, `folder_unusable` */
export async function openConfigurationSource(options: ConfigurationSourceOptions): Promise<ConfigurationSource> {
  const source = new FileSource(options);
  await source.open(options.trust ?? false);
  return source;
}

const WARNINGS_AT_MOST = 10;

class FileSource implements ConfigurationSource {
  readonly #options: ConfigurationSourceOptions;
  readonly #watch: FolderWatch;
  readonly #listeners = new Set<(configuration: Configuration) => void>();
  #current: Configuration = defaultConfiguration();
  /** Whether what `#current` runs was trusted once: only such a set is worth keeping. */
  #holdsTrusted = false;
  /** Whether there ever was a file. */
  #seen = false;
  /** The text that was last read and found settled. */
  #settled: string | undefined;
  #warnings: readonly string[] = [];

  constructor(options: ConfigurationSourceOptions) {
    this.#options = options;
    this.#watch = new FolderWatch({
      folder: join(options.home.root, '.agents'),
      concerns: (name) => join('.agents', name) === CONFIGURATION_FILE,
      look: () => this.#look(),
      clock: options.clock,
      onError: (error) =>
        this.#tell([`${CONFIGURATION_FILE} can't be read: ${textOf(error)}; the settings of before stay`]),
      ...(options.watch === undefined ? {} : { watch: options.watch }),
    });
  }

  current(): Configuration {
    return this.#current;
  }

  warnings(): readonly string[] {
    const problem = this.#watch.problem();
    return problem === undefined ? this.#warnings : [...this.#warnings, problem];
  }

  onChange(listener: (configuration: Configuration) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  runOnce(): Promise<void> {
    return this.#watch.hint();
  }

  start(): void {
    this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  async open(trust: boolean): Promise<void> {
    const { disk, home, random, logger } = this.#options;
    const text = await this.#read();
    const { configuration, problems } = parsed(text ?? '');
    if (configuration === undefined) {
      const lines = problems.map((problem) => problem.text);
      throw new AgentopsdError('configuration_invalid', lines.join('\n'), {
        hint: `mend ${CONFIGURATION_FILE} and start again`,
      });
    }
    if (trust) {
      const { runs } = await trustStanding(disk, home, configuration.declared);
      for (const line of runs) logger('info', `trusted: ${line}`);
      await trustConfiguration({ disk, random }, home, configuration.declared);
    }
    await this.#apply(configuration);
  }

  async #look(): Promise<void> {
    const text = await this.#readSettled();
    if (text === undefined) {
      // At a start no file means all defaults; a file that is gone now may be on its way back.
      if (this.#seen) this.#tell([`${CONFIGURATION_FILE} is gone; the settings of before stay until the next start`]);
      return;
    }
    const { configuration, problems } = parsed(text);
    if (configuration !== undefined) return this.#apply(configuration);
    const told = problems.slice(0, WARNINGS_AT_MOST).map((problem) => `${problem.text}; the settings of before stay`);
    this.#tell(told);
  }

  /** Twice the same, so that a file that somebody is writing in place is not taken by halves. */
  async #readSettled(): Promise<string | undefined> {
    for (let before = await this.#read(); ; ) {
      if (before !== undefined && before === this.#settled) return before;
      await new Promise<void>((resolve) => this.#options.clock.after(limits.configurationSettleMs, resolve));
      const now = await this.#read();
      if (now === before) {
        this.#settled = now;
        return now;
      }
      before = now;
    }
  }

  async #read(): Promise<string | undefined> {
    const { disk, home } = this.#options;
    const path = join(home.root, CONFIGURATION_FILE);
    refuseLinksBelow(disk, home.root, join(home.root, '.agents'));
    const bytes = await readSmallFile(disk, path, limits.configurationBytes);
    if (bytes !== undefined) this.#seen = true;
    return bytes?.toString('utf8');
  }

  async #apply(fresh: Configuration): Promise<void> {
    const { disk, home } = this.#options;
    const { trusted, changes } = await trustStanding(disk, home, fresh.declared);
    const next = trusted ? fresh : this.#withoutUntrusted(fresh);
    this.#holdsTrusted ||= trusted;
    this.#tell(trusted ? [] : untrustedWarnings(changes, this.#holdsTrusted));
    if (JSON.stringify(next) === JSON.stringify(this.#current)) return;
    this.#current = next;
    for (const listener of this.#listeners) listener(next);
  }

  #withoutUntrusted(fresh: Configuration): Configuration {
    const { executors, agents, allow_payload_commands, declared } = this.#holdsTrusted
      ? this.#current
      : withheld(fresh);
    return Object.freeze({ ...fresh, executors, agents, allow_payload_commands, declared });
  }

  #tell(warnings: readonly string[]): void {
    for (const warning of warnings) if (!this.#warnings.includes(warning)) this.#options.logger('warn', warning);
    this.#warnings = warnings;
  }
}

/** Nobody takes what names a program: neither that program, nor the built-in worker in its place. */
function withheld(fresh: Configuration): Configuration {
  const executors = Object.entries(fresh.executors).map(([type, executor]): [string, Executor] => [
    type,
    executor.kind === 'off' ? executor : { kind: 'off', why: 'untrusted' },
  ]);
  return Object.freeze({
    ...fresh,
    executors: Object.freeze(Object.fromEntries(executors)),
    agents: Object.freeze({}),
    allow_payload_commands: false,
  });
}

function untrustedWarnings(changes: readonly string[], keepsOld: boolean): string[] {
  const what = keepsOld
    ? 'what it would run has changed and is not trusted; the set of before stays'
    : 'what it would run is not trusted, and does not run';
  const shown = changes.slice(0, WARNINGS_AT_MOST).join('; ');
  return [`${CONFIGURATION_FILE}: ${what} (${shown}); see it and trust it with: agentopsd trust`];
}

function parsed(text: string): ParsedConfiguration {
  return parseConfiguration(text, CONFIGURATION_FILE);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
