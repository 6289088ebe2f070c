/**
 * What may stand in `.agents/config.yaml`, as JSON Schemas, and the defaults of what does not. Names carry their unit.
 * Executors have a schema for each kind: which one is meant is decided by the member that is there.
 */
import { limits } from '../base/limits.js';

export const configurationDefaults = {
  workers: 4,
  queue: { lease_seconds: 60, max_attempts: 3, cancel_grace_seconds: 5, drain_seconds: 30 },
  /** A heartbeat without an entry of its own is a quarter of the lease, and at most this. */
  heartbeat_seconds: 15,
  http: { reads: 'open', allowed_hosts: [], allowed_origins: [] },
  allow_payload_commands: false,
  limits: { output_bytes: 33_554_432, artifact_bytes: 104_857_600, runs_bytes: 10_737_418_240, memory_mb: 512 },
  /** Of a command or an agent, and the first of a module: nothing runs for ever. */
  program: { timeout_seconds: limits.childTimeoutMs / 1000, idle_seconds: limits.childIdleMs / 1000 },
} as const;

/** Agents that can be named without an entry below `agents`. */
export const knownAgents = ['claude', 'codex'] as const;

const seconds = { type: 'number', exclusiveMinimum: 0, maximum: limits.configuredSeconds } as const;
const bytes = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const words = { type: 'array', items: { type: 'string', minLength: 1 } } as const;
/** A program and its arguments; a zero byte can stand in neither. */
const command = {
  type: 'array',
  minItems: 1,
  items: { type: 'string', pattern: '^[^\\u0000]*$' },
  prefixItems: [{ type: 'string', minLength: 1, pattern: '^[^\\u0000]*$' }],
} as const;
const variableNames = { type: 'array', items: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' } } as const;

export const configurationSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    workers: { type: 'integer', minimum: 0, maximum: limits.configuredWorkers },
    queue: {
      type: 'object',
      additionalProperties: false,
      properties: {
        lease_seconds: { type: 'number', minimum: 1, maximum: limits.configuredSeconds },
        heartbeat_seconds: seconds,
        max_attempts: { type: 'integer', minimum: 1, maximum: 1000 },
        cancel_grace_seconds: { type: 'number', minimum: 0, maximum: limits.configuredSeconds },
        drain_seconds: { type: 'number', minimum: 0, maximum: limits.configuredSeconds },
      },
    },
    http: {
      type: 'object',
      additionalProperties: false,
      properties: {
        reads: { type: 'string', enum: ['open', 'token'] },
        allowed_hosts: words,
        allowed_origins: words,
      },
    },
    executors: { type: 'object' },
    agents: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['command'],
        properties: { command, env: variableNames, timeout_seconds: seconds, idle_seconds: seconds },
      },
    },
    allow_payload_commands: { type: 'boolean' },
    limits: {
      type: 'object',
      additionalProperties: false,
      properties: {
        output_bytes: { ...bytes, minimum: 4096 },
        artifact_bytes: bytes,
        runs_bytes: bytes,
        memory_mb: { type: 'integer', minimum: 16, maximum: 1_048_576 },
      },
    },
  },
} as const;

export const executorSchemas = {
  agent: {
    type: 'object',
    additionalProperties: false,
    required: ['agent'],
    properties: { agent: { type: 'string', minLength: 1 } },
  },
  command: {
    type: 'object',
    additionalProperties: false,
    required: ['command'],
    properties: { command, env: variableNames, timeout_seconds: seconds, idle_seconds: seconds },
  },
  module: {
    type: 'object',
    additionalProperties: false,
    required: ['module'],
    properties: { module: { type: 'string', minLength: 1, pattern: '^[^\\u0000]*$' }, timeout_seconds: seconds },
  },
} as const;
