/**
 * What v0 says of the shape of each answer, and nothing of what an implementation adds: members that nobody knows pass,
 * and words of lists that may grow are texts. Optional members are judged when they are there.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { jobStatuses, projectionNames, projectionStatuses } from './contract-words.js';

export type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string', minLength: 1 };
const id: Schema = { type: 'string', minLength: 1, pattern: '^\\S+$' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const time: Schema = { type: 'string', format: 'date-time' };
const texts: Schema = { type: 'array', items: text };
const one: Schema = { type: 'integer', const: 1 };
const anyObject: Schema = { type: 'object' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const words = (of: readonly string[]): Schema => ({ type: 'string', enum: of });

function object(required: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...optional } };
}

const lag = object({ event_count: count, corrupt_record_count: count, degraded: flag }, { last_event_id: id });
const status = words(jobStatuses);
const projectionStatus = words(projectionStatuses);
const failure = object({ code: text }, { message: { type: 'string' }, retryable: flag });
const artifacts: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const artifactRefs: Schema = {
  type: 'object',
  additionalProperties: object({
    path: text,
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    size: count,
    written_at: time,
  }),
};
const ended = { failure, artifacts, artifact_refs: artifactRefs, projection_targets: texts };
const times = { created_at: time, updated_at: time, last_event_id: id };

const queueJob = object(
  {
    job_id: text,
    job_type: text,
    request_id: text,
    status,
    attempt: count,
    max_attempts: { type: 'integer', minimum: 1 },
  },
  {
    request_ids: texts,
    idempotency_key: { type: 'string' },
    claim_token: { type: 'string' },
    lease_epoch: count,
    lease_expires_at: time,
    retry_exhausted: flag,
    payload: anyObject,
    ...ended,
    ...times,
  },
);
const resultStatus = words(['succeeded', 'failed', 'cancelled']);
const jobView = object(
  { job_id: text, request_id: text, status },
  { job_type: text, request_ids: texts, result_status: resultStatus, ...ended, ...times },
);
const manifest = object(
  { schema_version: one, projection: text, source_ledger: text, status: projectionStatus, rebuilt_at: time },
  { last_event_id: id, output_paths: texts, degraded_reasons: texts },
);
const source = object({ ledger: text }, { last_event_id: id });
const views = list(jobView);
const openclaw = object({
  schema_version: one,
  snapshot_id: text,
  generated_at: time,
  source,
  resources: object({ runs: views, jobs: views, wiki: views }),
  status: projectionStatus,
});
const projections = object(
  {
    schema_version: one,
    rebuilt_at: time,
    source_ledger: text,
    manifests: {
      type: 'object',
      required: projectionNames,
      additionalProperties: manifest,
    },
    jobs: views,
    rpi: object({ runs: views }),
    dream: object({ runs: views }),
    wiki: object({ jobs: views }),
    openclaw,
  },
  { last_event_id: id, degraded_reasons: texts },
);
const event = object(
  {
    schema_version: one,
    event_id: id,
    request_id: text,
    job_id: text,
    event_type: text,
    occurred_at: time,
    actor: text,
  },
  { payload: anyObject },
);
const corrupt = object({ line_number: { type: 'integer', minimum: 1 }, error: text }, { quarantine_path: text });
const resource = object(
  { resource_id: text, resource_kind: words(['run', 'job', 'wiki']), status },
  {
    job_id: text,
    job_type: text,
    run_id: text,
    request_id: text,
    request_ids: texts,
    result_status: resultStatus,
    ...ended,
    failure: object({ code: text, message: { type: 'string' } }, { retryable: flag }),
    ...times,
    provenance: list(
      object(
        { rel: text, kind: text },
        { event_id: id, job_id: text, run_id: text, artifact: text, uri: text, path: text },
      ),
    ),
  },
);
const resources = list(resource);
const judged = { projection_status: projectionStatus, projection_lag: lag };
const accepted = { accepted: { type: 'boolean', const: true }, request_id: text, job_id: text, status };

export const schemas = {
  Health: object({ status: { type: 'string', const: 'ok' }, daemon: text, read_only: flag, now: time }),
  Ready: object(
    { ready: flag, ledger_replay_status: words(['complete', 'corrupt']), ...judged },
    { degraded_reasons: texts },
  ),
  Status: object({
    ready: flag,
    projection_lag: lag,
    queue: object({ jobs: list(queueJob) }, { last_event_id: id }),
    projections,
  }),
  Events: object({ events: list(event) }, { corrupt: list(corrupt), last_event_id: id }),
  Submit: object(
    { ...accepted, ...judged },
    { last_event_id: id, degraded_reasons: texts, idempotency_key: { type: 'string' } },
  ),
  Cancel: object(
    {
      cancelled: flag,
      outcome: words([
        'cancelled',
        'already_terminal_completed',
        'already_terminal_failed',
        'already_terminal_cancelled',
      ]),
      job: queueJob,
      ...judged,
    },
    { degraded_reasons: texts },
  ),
  ConsumerHealth: object(
    {
      status: { type: 'string', const: 'ok' },
      ready: flag,
      snapshot_id: text,
      generated_at: time,
      source,
      snapshot_status: projectionStatus,
      resource_counts: object({ runs: count, jobs: count, wiki: count }),
    },
    { degraded_reasons: texts },
  ),
  ConsumerSnapshot: object({
    schema_version: one,
    snapshot_id: text,
    generated_at: time,
    source,
    status: projectionStatus,
    resources: object({ runs: resources, jobs: resources, wiki: resources }),
  }),
  ConsumerRuns: object({ runs: resources }),
  ConsumerJobs: object({ jobs: resources }),
  ConsumerWiki: object({ wiki: resources }),
  Trigger: object(
    { ...accepted, job_type: text, snapshot_status: projectionStatus },
    { last_event_id: id, idempotency_key: { type: 'string' } },
  ),
  Error: object({ error: text }, { max_bytes: count, got_bytes: count, projection_lag: lag, degraded_reasons: texts }),
} as const satisfies Record<string, Schema>;

export type SchemaName = keyof typeof schemas;

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: false, allowUnionTypes: true });
formats.default(ajv);
const compiled = new Map<SchemaName, ValidateFunction>();

/** What is wrong with the shape of a body, with the place; undefined when nothing is. */
export function shapeProblem(name: SchemaName, body: unknown): string | undefined {
  let validate = compiled.get(name);
  if (validate === undefined) {
    validate = ajv.compile(schemas[name]);
    compiled.set(name, validate);
  }
  if (validate(body)) return undefined;
  const [first] = validate.errors ?? [];
  const wanted = first?.params === undefined ? '' : ` ${JSON.stringify(first.params)}`;
  return `${first?.instancePath === '' ? 'the body' : first?.instancePath} ${first?.message ?? 'is wrong'}${wanted}`;
}
