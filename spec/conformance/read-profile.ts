/** A profile from its file, every mistake told with its place; and what counts where there is none. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { idMatches, type Level, levels } from './catalogue.js';
import { at, isObject, type JsonObject, objectsAt, textAt } from './json.js';
import type { Command, Exception, Ledger, Profile, Start } from './profile.js';
import { suiteFile } from './suite-files.js';

export const defaultBaseUrl = 'http://127.0.0.1:8765';
export const defaultTokenEnv = 'JOBSPEC_TOKEN';
const defaultReadyTimeoutMs = 15_000;
const defaultMaxBodyBytes = 1_048_576;
const defaultMaxKeyBytes = 256;

/** Wrong use of this program: told to whoever called it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Given {
  readonly profilePath?: string | undefined;
  readonly url?: string | undefined;
  readonly tokenEnv?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ids of all checks, to find those that a profile misspells. */
  readonly checkIds: readonly string[];
}

/** @throws UsageError */
export function profileOf(given: Given): Profile {
  const path = given.profilePath === undefined ? undefined : resolve(given.profilePath);
  const body = path === undefined ? {} : readJson(path);
  if (path !== undefined) judge(body, path, given.checkIds);
  const folder = path === undefined ? process.cwd() : dirname(path);
  const start = given.url === undefined ? startOf(at(body, 'start'), folder, path) : undefined;
  const tokenEnv = given.tokenEnv ?? textAt(body, 'token_env') ?? defaultTokenEnv;
  const number = (name: string): number | undefined => at(body, name) as number | undefined;
  return {
    implementation: textAt(body, 'implementation') ?? 'unnamed target',
    version: textAt(body, 'version'),
    claims: (at(body, 'claims') as Level[] | undefined) ?? levels,
    baseUrl: addressOf(given.url ?? textAt(body, 'base_url'), start),
    tokenEnv,
    token: tokenOf(given.environment[tokenEnv], tokenEnv, start !== undefined),
    tokenHeader: textAt(body, 'token_header') ?? 'X-AgentOps-Daemon-Token',
    consumerBase: textAt(body, 'consumer_base') ?? '/openclaw/v1',
    start,
    ledger: ledgerOf(at(body, 'ledger')),
    workload: at(body, 'workload') as Profile['workload'],
    leaseMs: number('lease_ms'),
    heartbeatMs: number('heartbeat_ms'),
    maxAttempts: number('max_attempts'),
    maxBodyBytes: number('max_body_bytes') ?? defaultMaxBodyBytes,
    maxKeyBytes: number('max_key_bytes') ?? defaultMaxKeyBytes,
    options: at(body, 'options') as string[] | undefined,
    unsupported: objectsAt(body, 'unsupported') as unknown as Exception[],
    knownFailures: objectsAt(body, 'known_failures') as unknown as Exception[],
    folder,
  };
}

function readJson(path: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`the profile ${path} can't be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    throw new UsageError(`the profile ${path} is no JSON: ${(error as Error).message}`);
  }
  throw new UsageError(`the profile ${path} has to be a JSON object`);
}

/** @throws UsageError with a line for each mistake */
function judge(body: JsonObject, path: string, checkIds: readonly string[]): void {
  const schema = JSON.parse(readFileSync(suiteFile('profile.schema.json'), 'utf8')) as JsonObject;
  const validate = new Ajv2020({ allErrors: true, strict: false, verbose: true }).compile(schema);
  const mistakes = validate(body)
    ? []
    : (validate.errors ?? []).filter(({ keyword }) => keyword !== 'oneOf').map(inWords);
  for (const list of ['unsupported', 'known_failures']) {
    for (const { check } of objectsAt(body, list)) {
      if (typeof check === 'string' && !checkIds.some((id) => idMatches(id, check))) {
        mistakes.push(`${list}: no check is called ${check}${nearest(check, checkIds)}`);
      }
    }
  }
  if (mistakes.length === 0) return;
  throw new UsageError([`the profile ${path} has mistakes:`, ...new Set(mistakes)].join('\n  '));
}

function inWords({ instancePath, keyword, message, params, parentSchema, data }: ErrorObject): string {
  const place = instancePath === '' ? 'the profile' : instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'additionalProperties') {
    const name = String(params['additionalProperty']);
    const known = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {});
    return `${place}: unknown member "${name}"${nearest(name, known)}`;
  }
  if (keyword === 'required') return `${place}: "${params['missingProperty']}" is missing`;
  if (keyword === 'enum') {
    return `${place}: ${JSON.stringify(data)} is none of ${(params['allowedValues'] as unknown[]).join(', ')}`;
  }
  return `${place}: ${message}, not ${JSON.stringify(data)}`;
}

/** The known word with the most pairs of letters in common, when there are enough. */
function nearest(word: string, known: readonly string[]): string {
  const pairs = (text: string): string[] => Array.from({ length: text.length - 1 }, (_, i) => text.slice(i, i + 2));
  const score = (other: string): number => {
    const theirs = pairs(other);
    const common = pairs(word).filter((pair) => theirs.includes(pair)).length;
    return (2 * common) / Math.max(1, word.length + other.length - 2);
  };
  const [best] = [...known].sort((a, b) => score(b) - score(a));
  return best !== undefined && score(best) > 0.4 ? `; did you mean "${best}"?` : '';
}

function startOf(start: unknown, folder: string, path: string | undefined): Start | undefined {
  if (!isObject(start)) return undefined;
  const seedDir = textAt(start, 'seed_dir');
  const seed = seedDir === undefined ? undefined : resolve(folder, seedDir);
  if (seed !== undefined && !(existsSync(seed) && statSync(seed).isDirectory())) {
    throw new UsageError(`the profile ${path} has mistakes:\n  start.seed_dir: no folder ${seed}`);
  }
  const without = commandOf(start['command_without_workers']);
  return {
    command: commandOf(start['command']) ?? [],
    commandWithoutWorkers: without,
    env: (start['env'] as Record<string, string> | undefined) ?? {},
    seedDir: seed,
    readyTimeoutMs: (start['ready_timeout_ms'] as number | undefined) ?? defaultReadyTimeoutMs,
  };
}

function commandOf(value: unknown): Command | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? ['sh', '-c', value] : (value as string[]);
}

function ledgerOf(value: unknown): Ledger | undefined {
  if (!isObject(value)) return undefined;
  const patterns = (name: string): string[] => (value[name] as string[] | undefined) ?? [];
  return {
    paths: patterns('paths'),
    format: textAt(value, 'format') ?? 'jsonl',
    corruptHook: commandOf(value['corrupt_hook']),
    volatile: patterns('volatile'),
    keep: patterns('keep'),
    caches: patterns('caches'),
  };
}

function addressOf(text: string | undefined, start: Start | undefined): string {
  const address = text ?? (start === undefined ? defaultBaseUrl : 'http://127.0.0.1:{port}');
  const port = start === undefined ? '{port}' : '1';
  try {
    const { protocol } = new URL(address.replaceAll('{port}', port));
    if (protocol === 'http:' || protocol === 'https:') return address.replace(/\/$/, '');
  } catch {
    // Told below.
  }
  throw new UsageError(`${address} is no address of a server, such as ${defaultBaseUrl}`);
}

/** A started server gets a token of its own where none was given. */
function tokenOf(value: string | undefined, name: string, isStarted: boolean): string | undefined {
  const token = value?.trim();
  if (token === undefined || token === '')
    return isStarted ? `conformance-${randomBytes(18).toString('hex')}` : undefined;
  if (/[^\x21-\x7e]/.test(token)) throw new UsageError(`${name} holds a token that no header can carry`);
  return token;
}
