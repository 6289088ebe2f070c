/**
 * What a configuration is checked for: its shape by schemas, and what they can't say. Each mistake goes to the list of
 * problems, so that all of them are told at once.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { isJsonObject, type Json, type JsonObject } from '../base/json.js';
import { type Place, type ProblemList, unknownKey } from './configuration-problems.js';
import { configurationDefaults, configurationSchema, executorSchemas, knownAgents } from './configuration-schema.js';
import { jobTypes } from './event.js';

export function checkSettings(settings: JsonObject, problems: ProblemList): void {
  checkBySchema(compiled().configuration, settings, [], problems);
  checkExecutors(settings, problems);
  checkTimes(settings, problems);
  checkOrigins(settings, problems);
}

function checkBySchema(validate: ValidateFunction, value: unknown, base: Place, problems: ProblemList): boolean {
  if (validate(value) === true) return true;
  for (const error of validate.errors ?? []) problems.addSchemaError(base, error);
  return false;
}

function checkExecutors(settings: JsonObject, problems: ProblemList): void {
  const executors = settings['executors'];
  if (!isJsonObject(executors)) return;
  const agents = new Set<string>([
    ...knownAgents,
    ...(isJsonObject(settings['agents']) ? Object.keys(settings['agents']) : []),
  ]);
  for (const [type, executor] of Object.entries(executors)) {
    const place: Place = ['executors', type];
    if (!(jobTypes as readonly string[]).includes(type)) {
      problems.addAtKey(place, unknownKey(type, ['executors'], jobTypes, 'job type'));
    } else checkExecutor(executor, place, agents, problems);
  }
}

function checkExecutor(executor: Json, place: Place, agents: ReadonlySet<string>, problems: ProblemList): void {
  if (executor === 'off' || executor === false) return;
  const kinds = isJsonObject(executor)
    ? (['agent', 'command', 'module'] as const).filter((kind) => kind in executor)
    : [];
  const kind = kinds[0];
  if (!isJsonObject(executor) || kind === undefined || kinds.length > 1) {
    problems.add(
      place,
      `${place.join('.')} must be { agent: NAME }, { command: [PROGRAM, ARGUMENT…] }, { module: PATH } or off`,
    );
    return;
  }
  if (!checkBySchema(compiled()[kind], executor, place, problems)) return;
  if (kind === 'agent' && !agents.has(String(executor['agent']))) {
    problems.add([...place, 'agent'], unknownKey(String(executor['agent']), [], [...agents], 'agent'));
  }
  if (kind === 'module' && leavesRoot(String(executor['module']))) {
    problems.add(
      [...place, 'module'],
      `${place.join('.')}.module must be a path inside the repository, relative to its root`,
    );
  }
}

function leavesRoot(path: string): boolean {
  let depth = 0;
  for (const part of path.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return path.startsWith('/') || depth === 0;
}

function checkTimes(settings: JsonObject, problems: ProblemList): void {
  const queue = settings['queue'];
  const heartbeat = isJsonObject(queue) ? queue['heartbeat_seconds'] : undefined;
  const lease = isJsonObject(queue) ? (queue['lease_seconds'] ?? configurationDefaults.queue.lease_seconds) : undefined;
  if (typeof heartbeat !== 'number' || typeof lease !== 'number' || heartbeat <= lease / 2) return;
  const text = `queue.heartbeat_seconds is ${heartbeat}: at most half of queue.lease_seconds (${lease}) keeps a lease alive`;
  problems.add(['queue', 'heartbeat_seconds'], text);
}

function checkOrigins(settings: JsonObject, problems: ProblemList): void {
  const origins = isJsonObject(settings['http']) ? settings['http']['allowed_origins'] : undefined;
  if (!Array.isArray(origins)) return;
  for (const [at, origin] of origins.entries()) {
    if (typeof origin !== 'string' || (URL.canParse(origin) && new URL(origin).origin === origin)) continue;
    problems.add(
      ['http', 'allowed_origins', at],
      'http.allowed_origins takes origins, such as http://localhost:3000, without a path',
    );
  }
}

interface Compiled {
  readonly configuration: ValidateFunction;
  readonly agent: ValidateFunction;
  readonly command: ValidateFunction;
  readonly module: ValidateFunction;
}
let validators: Compiled | undefined;

function compiled(): Compiled {
  if (validators !== undefined) return validators;
  const refuse = (...told: unknown[]): never => {
    throw new Error(`schema warning: ${told.map(String).join(' ')}`);
  };
  const ajv = new Ajv2020({
    strict: true,
    strictTuples: false,
    allErrors: true,
    verbose: true,
    logger: { log: refuse, warn: refuse, error: refuse },
  });
  validators = {
    configuration: ajv.compile(configurationSchema),
    agent: ajv.compile(executorSchemas.agent),
    command: ajv.compile(executorSchemas.command),
    module: ajv.compile(executorSchemas.module),
  };
  return validators;
}
