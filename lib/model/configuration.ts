/**
 * `.agents/config.yaml`: text to a checked, frozen configuration, or to every mistake in it with its line. Pure: who
 * reads the file, and when a change of it counts, is decided elsewhere.
 *
 * A key that is absent, or that has nothing behind it (all its lines are comments), has its default. What can run
 * something (`executors`, `agents`, `allow_payload_commands`) is also kept as it was written: trust is given to that.
 */
import { LineCounter, parseDocument } from 'yaml';
import { whyNotCanonical } from '../base/canonical.js';
import { isJsonObject, type Json, type JsonObject } from '../base/json.js';
import { limits } from '../base/limits.js';
import { checkSettings } from './configuration-checks.js';
import { type ConfigurationProblem, ProblemList } from './configuration-problems.js';
import { configurationDefaults } from './configuration-schema.js';
import type { JobType } from './event.js';

export type { ConfigurationProblem } from './configuration-problems.js';
export { knownAgents } from './configuration-schema.js';

export interface CommandExecutor {
  readonly kind: 'command';
  /** Program and arguments; no shell. */
  readonly command: readonly string[];
  /** Names of variables that pass beside the default ones. */
  readonly env: readonly string[];
  readonly timeout_seconds: number;
  readonly idle_seconds: number;
}

/** What runs a job type. A type without an entry is run by its built-in worker. */
export type Executor =
  | { readonly kind: 'agent'; readonly agent: string }
  | CommandExecutor
  /** `module` is relative to the root. */
  | { readonly kind: 'module'; readonly module: string; readonly timeout_seconds: number }
  /** Nobody takes it: the configuration says so, or it names something that is not trusted yet. */
  | { readonly kind: 'off'; readonly why: 'configured' | 'untrusted' };

export interface Agent {
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly timeout_seconds: number;
  readonly idle_seconds: number;
}

/** What of the file can run something, as it was written. */
export interface Declared {
  readonly executors: JsonObject;
  readonly agents: JsonObject;
  readonly allow_payload_commands: boolean;
}

export interface Configuration {
  /** Threads: jobs at a time. 0 accepts jobs and runs none. */
  readonly workers: number;
  readonly queue: {
    readonly lease_seconds: number;
    readonly heartbeat_seconds: number;
    readonly max_attempts: number;
    readonly cancel_grace_seconds: number;
    readonly drain_seconds: number;
  };
  readonly http: {
    readonly reads: 'open' | 'token';
    readonly allowed_hosts: readonly string[];
    readonly allowed_origins: readonly string[];
  };
  readonly executors: Readonly<Partial<Record<JobType, Executor>>>;
  readonly agents: Readonly<Record<string, Agent>>;
  readonly allow_payload_commands: boolean;
  readonly limits: {
    readonly output_bytes: number;
    readonly artifact_bytes: number;
    readonly runs_bytes: number;
    readonly memory_mb: number;
  };
  readonly declared: Declared;
}

export type ParsedConfiguration =
  | { readonly configuration: Configuration; readonly problems: readonly [] }
  | { readonly configuration: undefined; readonly problems: readonly ConfigurationProblem[] };

/** Where the file stands, relative to the root. */
export const CONFIGURATION_FILE = '.agents/config.yaml';

/** All defaults: what holds without a file. */
export function defaultConfiguration(): Configuration {
  return assemble({});
}

/** @param fileName as it is to be shown, such as `.agents/config.yaml` */
export function parseConfiguration(text: string, fileName: string = CONFIGURATION_FILE): ParsedConfiguration {
  const lines = new LineCounter();
  const problems = new ProblemList(fileName, lines);
  const settings = readYaml(text, lines, problems);
  if (settings !== undefined) {
    checkSettings(settings, problems);
    // Trust is given to its canonical form, so it must have one.
    const why = problems.sorted().length > 0 ? undefined : whyNotCanonical(settings, 'the file');
    if (why !== undefined) problems.add([], why);
  }
  const found = problems.sorted();
  if (settings === undefined || found.length > 0) return { configuration: undefined, problems: found };
  return { configuration: assemble(settings), problems: [] };
}

function readYaml(text: string, lines: LineCounter, problems: ProblemList): JsonObject | undefined {
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  problems.setDocument(document);
  for (const error of [...document.errors, ...document.warnings])
    problems.addAtOffset(error.pos[0], firstLine(error.message));
  if (problems.sorted().length > 0) return undefined;
  try {
    const value: unknown = document.toJS({ maxAliasCount: limits.configurationAliases });
    if (value === null || value === undefined) return {};
    if (isJsonObject(value)) return withoutNothing(value);
    problems.add([], 'the file must be a mapping of keys to values, such as "workers: 4"');
  } catch (error) {
    problems.addAtOffset(0, firstLine(error instanceof Error ? error.message : String(error)));
  }
  return undefined;
}

/** Keys with nothing behind them count as absent. */
function withoutNothing(value: JsonObject): JsonObject {
  const filled = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(
    filled.map(([name, member]) => [name, isJsonObject(member) ? withoutNothing(member) : member]),
  );
}

/** From settings that were found whole. */
function assemble(settings: JsonObject): Configuration {
  const {
    http = {},
    queue = {},
    limits: limitSettings = {},
    executors = {},
    agents = {},
  } = settings as Record<string, JsonObject>;
  const leaseSeconds = Number(queue['lease_seconds'] ?? configurationDefaults.queue.lease_seconds);
  const allowPayloadCommands = settings['allow_payload_commands'] === true;
  return frozen({
    workers: (settings['workers'] as number | undefined) ?? configurationDefaults.workers,
    queue: {
      ...configurationDefaults.queue,
      heartbeat_seconds: Math.min(configurationDefaults.heartbeat_seconds, leaseSeconds / 4),
      ...queue,
    },
    http: { ...configurationDefaults.http, ...http } as Configuration['http'],
    executors: Object.fromEntries(Object.entries(executors).map(([type, executor]) => [type, executorOf(executor)])),
    agents: Object.fromEntries(Object.entries(agents).map(([name, agent]) => [name, agentOf(agent as JsonObject)])),
    allow_payload_commands: allowPayloadCommands,
    limits: { ...configurationDefaults.limits, ...limitSettings },
    declared: { executors, agents, allow_payload_commands: allowPayloadCommands },
  });
}

function executorOf(executor: Json): Executor {
  if (!isJsonObject(executor)) return { kind: 'off', why: 'configured' };
  if ('agent' in executor) return { kind: 'agent', agent: String(executor['agent']) };
  if ('module' in executor) {
    return { kind: 'module', module: String(executor['module']), timeout_seconds: timeoutOf(executor) };
  }
  return { kind: 'command', ...agentOf(executor) };
}

function agentOf(settings: JsonObject): Agent {
  return {
    command: settings['command'] as string[],
    env: (settings['env'] as string[] | undefined) ?? [],
    timeout_seconds: timeoutOf(settings),
    idle_seconds: (settings['idle_seconds'] as number | undefined) ?? configurationDefaults.program.idle_seconds,
  };
}

function timeoutOf(settings: JsonObject): number {
  return (settings['timeout_seconds'] as number | undefined) ?? configurationDefaults.program.timeout_seconds;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const member of Object.values(value)) frozen(member);
    Object.freeze(value);
  }
  return value;
}
