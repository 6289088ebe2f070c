/** What stands in `data` of the `--json` documents, by their kind. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as assert from 'uvu/assert';
import type { CliRoom } from './cli-room.js';

const text = { type: 'string' } as const;
const job = {
  type: 'object',
  required: ['job_id', 'job_type', 'status', 'attempt', 'max_attempts', 'created_at'],
  properties: { job_id: text, status: text },
};
const schemas = {
  submitted: {
    type: 'object',
    required: ['accepted', 'job_id', 'request_id', 'status', 'idempotency_key', 'projection_lag'],
  },
  submitted_jobs: { type: 'array', items: { type: 'object', required: ['from'] } },
  dropped: { type: 'object', required: ['file', 'accepted', 'rejected', 'idempotency_key'] },
  job,
  jobs: { type: 'array', items: job },
  log: { type: 'object', required: ['job_id', 'attempt', 'path', 'text'] },
  status: {
    type: 'object',
    required: ['via', 'ready', 'counts', 'running', 'attention', 'warnings'],
    properties: {
      via: { enum: ['daemon', 'files'] },
      counts: { type: 'object', additionalProperties: { type: 'integer' } },
      running: { type: 'array', items: job },
    },
  },
  cancelled: { type: 'object', required: ['cancelled', 'outcome', 'job'] },
  adopted: { type: 'object', required: ['adopted', 'damage_adopted'] },
  trust: { type: 'object', required: ['trusted', 'changed', 'runs', 'changes'] },
  verify: { type: 'object', required: ['whole', 'events', 'findings'] },
  check_up: {
    type: 'object',
    required: ['healthy', 'findings'],
    properties: { findings: { type: 'array', items: { type: 'object', required: ['check', 'state', 'text'] } } },
  },
} as const;
const detailed = {
  ...job,
  required: [...job.required, 'attempts', 'ledger_lines'],
  properties: {
    ...job.properties,
    attempts: {
      type: 'array',
      items: { type: 'object', required: ['attempt', 'lease_epoch', 'worker', 'claimed_at', 'end'] },
    },
    ledger_lines: {
      type: 'array',
      items: {
        type: 'object',
        required: ['file', 'line', 'event_id'],
        properties: { line: { type: 'integer', minimum: 1 } },
      },
    },
  },
} as const;
const ajv = new Ajv2020({ strict: false });

export type Kind = keyof typeof schemas;

/** Runs words with `--json` and answers `data`, checked by the schema of its kind. */
export async function dataOf(
  room: CliRoom,
  kind: Kind,
  words: readonly string[],
  options: Parameters<CliRoom['json']>[2] = {},
): Promise<Record<string, unknown>> {
  const value = await room.json(kind, words, options);
  assertShape(schemas[kind], value, kind);
  return value;
}

export function assertDetailed(value: unknown): void {
  assertShape(detailed, value, 'a job in detail');
}

function assertShape(schema: object, value: unknown, what: string): void {
  assert.ok(ajv.validate(schema, value), `${what}: ${ajv.errorsText()} ${JSON.stringify(value)}`);
}
