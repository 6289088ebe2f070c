/**
 * Requests made from the document: its paths, methods, parameters and bodies, right ones and wrong ones, with any number
 * of things wrong at once; and which answers the contract leaves for each, by the order of refusals.
 */
import fc from 'fast-check';
import { whyNotCanonical } from '../../lib/base/canonical.js';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { loadContract } from '../../lib/engine/schemas.js';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  /** The one `request_id` of this request, where its body has one. */
  readonly requestId: string | undefined;
  /** The statuses that the contract leaves. */
  readonly allowed: readonly number[];
}

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly schema: string | undefined;
  readonly bodyRequired: boolean;
  readonly queries: readonly JsonObject[];
}

const { document, validator } = loadContract();

function resolved(value: unknown): JsonObject {
  const object = value as JsonObject;
  const link = object['$ref'];
  if (typeof link !== 'string') return object;
  return link
    .split('/')
    .slice(1)
    .reduce<unknown>((place, part) => (place as JsonObject)[part], document) as JsonObject;
}

function operations(): Operation[] {
  return Object.entries(document['paths'] as Record<string, JsonObject>).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, value]) => {
      const operation = value as JsonObject;
      const body = operation['requestBody'] as JsonObject | undefined;
      const media = (body?.['content'] as JsonObject | undefined)?.['application/json'] as JsonObject | undefined;
      const queries = ((operation['parameters'] ?? []) as unknown[])
        .map(resolved)
        .filter((parameter) => parameter['in'] === 'query');
      const one = {
        method: method.toUpperCase(),
        schema: ((media?.['schema'] as JsonObject | undefined)?.['$ref'] as string | undefined)?.split('/').at(-1),
        bodyRequired: body?.['required'] === true,
        queries,
      };
      const alias = operation['x-alias'];
      return [{ ...one, path }, ...(typeof alias === 'string' ? [{ ...one, path: alias }] : [])];
    }),
  );
}

const documented = operations();
/** Few of them, so that the same job is met again and again and the daemon stays small. */
const jobIds = ['a', 'job 1', 'a/b', '../x', 'cancel', 'é😀', '%41', '.', '?q=1', '#', 'log', 'x'.repeat(256)];
const keys = ['k', ' k ', 'K', 'ключ', 'k\n', '😀'.repeat(64)];
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', '\t', 'null', 'é'.repeat(200), '\u0000', '\ud800', 'x'.repeat(300), '../../etc/passwd'),
);
const anything = fc.oneof(text, fc.jsonValue(), fc.double(), fc.constantFrom<unknown>(null, -0, 2 ** 60, [], {}, true));

/** A value of the schema; the checks that a generator can't keep are kept by choosing again. */
function fromSchema(given: unknown, depth = 0): fc.Arbitrary<unknown> {
  const schema = resolved(given);
  if (schema['const'] !== undefined) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  const types = [schema['type'] ?? 'object'].flat() as string[];
  return fc.oneof(...types.map((type) => fromType(type, schema, depth)));
}

function fromType(type: string, schema: JsonObject, depth: number): fc.Arbitrary<unknown> {
  if (type === 'null') return fc.constant(null);
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer') return fc.integer({ min: Number(schema['minimum'] ?? -1000), max: 2000 });
  if (type === 'number') return fc.double({ noNaN: true, noDefaultInfinity: true });
  if (type === 'string') return fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('a', 'b.md', '.agents/wiki'));
  if (type === 'array')
    return depth > 3 ? fc.constant([]) : fc.array(fromSchema(schema['items'] ?? {}, depth + 1), { maxLength: 3 });
  const members = Object.entries((schema['properties'] ?? {}) as JsonObject);
  const known = fc.record(Object.fromEntries(members.map(([name, member]) => [name, fromSchema(member, depth + 1)])), {
    requiredKeys: ((schema['required'] ?? []) as string[]).filter((name) => members.some(([own]) => own === name)),
  });
  return fc
    .tuple(known, fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue(), { maxKeys: 1 }))
    .map(([own, more]) => ({ ...more, ...own }));
}

/** A body that its schema takes, about known jobs. */
function rightBody(schemaName: string): fc.Arbitrary<JsonObject> {
  const schema = resolved({ $ref: `#/components/schemas/${schemaName}` });
  const branches = (schema['oneOf'] ?? schema['anyOf'] ?? [{}]) as unknown[];
  const branch = fc.oneof(...branches.map((one) => fromSchema({ type: 'object', ...resolved(one) })));
  const ids = fc.constantFrom(...jobIds);
  const named = fc.record({ job_id: ids, idempotency_key: fc.option(fc.constantFrom(...keys)) });
  return fc.tuple(fromSchema(schema), branch, named).map(([own, chosen, names]) => {
    const { job_ids: _, ...whole } = { ...(own as JsonObject), ...(chosen as JsonObject) } as JsonObject;
    if (schemaName === 'AdoptBody') return { ...whole, damage: true };
    const { idempotency_key, ...cancel } = names;
    return schemaName.startsWith('Cancel') ? { ...whole, ...cancel } : { ...whole, ...cancel, idempotency_key };
  });
}

/** One member, or all of it, is something else. */
function wrongBody(schemaName: string): fc.Arbitrary<unknown> {
  const spoilt = fc.tuple(rightBody(schemaName), fc.nat(), anything, fc.boolean()).map(([body, at, value, removes]) => {
    const names = ['job_type', 'job_id', 'request_id', 'idempotency_key', 'payload', 'reason', 'job_ids', 'all'];
    const name = names[at % names.length] as string;
    const { [name]: _, ...rest } = body;
    return removes ? rest : { ...rest, [name]: value };
  });
  return fc.oneof({ weight: 4, arbitrary: spoilt }, anything);
}

const notJson = fc.constantFrom('', '{', 'nope', '{} x', '{"job_type":"rpi.run"} {}', '[', '\ufeff{}', '{"a":1,}');

interface Faults {
  host: string | undefined;
  caller: 'right' | 'bearer' | 'none' | 'wrong' | 'page' | 'site';
  type: string | undefined;
  tooLong: boolean;
}
const faults: fc.Arbitrary<Faults> = fc.record({
  host: often(undefined, fc.constantFrom('evil.example', '127.0.0.1', 'localhost:1', 'localhost.evil.example'), 24),
  caller: often('right', fc.constantFrom('bearer', 'none', 'wrong', 'page', 'site'), 6) as fc.Arbitrary<
    Faults['caller']
  >,
  type: often(
    'application/json',
    fc.constantFrom('text/plain', 'application/jsonx', 'application/JSON; x=y', undefined),
    8,
  ),
  tooLong: often(false, fc.constant(true), 400),
});

function often<Value>(value: Value, other: fc.Arbitrary<Value>, weight: number): fc.Arbitrary<Value> {
  return fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });
}

const encoded = (id: string): string =>
  encodeURIComponent(id.toWellFormed()).replace(/^\.+$/, (dots) => dots.replaceAll('.', '%2E'));
const pathId = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...jobIds) },
  text.filter((id) => id !== ''),
);
const wildPath = fc.oneof(
  fc.webPath().map((path) => `/${path.replace(/^\/+/, '')}`),
  fc.constantFrom(
    '/',
    '//',
    '/v1',
    '/v1/',
    '/v1/jobs/',
    '/V1/health',
    '/v1/../health',
    '/v1/%2e%2e/health',
    '/v1/jobs/%zz',
  ),
  fc.constantFrom('/v1/jobs/..%2f..%2fetc', '/v1/health%00', '/v1/jobs/a/b/c', '/.agents/daemon/ledger', '/v1//health'),
);

/** Any request, for a daemon at `port` whose token is `token`. */
export function fuzzRequest(port: number, token: string): fc.Arbitrary<FuzzRequest> {
  const known = fc.constantFrom(...documented).chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      method: often(operation.method, fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'), 10),
      path: pathId.map((id) => operation.path.replace('{id}', encoded(id))),
      query: queryOf(operation),
      body: bodyOf(operation),
      faults,
    }),
  );
  const wild = fc.record({
    operation: fc.constant(undefined),
    method: fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE'),
    path: wildPath,
    query: fc.constant({}),
    body: fc.constant(undefined),
    faults,
  });
  let count = 0;
  return fc.oneof({ weight: 12, arbitrary: known }, { weight: 1, arbitrary: wild }).map((drawn) => {
    count++;
    return requestOf(drawn, port, token, `req_fuzz_${count}`);
  });
}

interface Drawn {
  operation: Operation | undefined;
  method: string;
  path: string;
  query: Record<string, string>;
  body: { text: string; value: unknown } | undefined;
  faults: Faults;
}

function queryOf({ queries, method }: Operation): fc.Arbitrary<Record<string, string>> {
  if (method !== 'GET' || queries.length === 0) return fc.constant({});
  const values = queries
    .filter(({ name }) => name !== 'follow')
    .map(({ name, schema }) => [
      name as string,
      fc.oneof(fromSchema(schema).map(String), fc.constantFrom('', '0', '3', '-1', '1.5', 'abc', '99999999999'), text),
    ]);
  return fc
    .record(Object.fromEntries(values) as Record<string, fc.Arbitrary<string>>, { requiredKeys: [] })
    .map((query) => Object.fromEntries(Object.entries(query).map(([name, one]) => [name, String(one).toWellFormed()])));
}

function bodyOf({ schema }: Operation): fc.Arbitrary<Drawn['body']> {
  if (schema === undefined) return fc.constant(undefined);
  const withText = (value: unknown) => ({ text: JSON.stringify(value) ?? '', value });
  return fc.oneof(
    { weight: 6, arbitrary: rightBody(schema).map(withText) },
    { weight: 5, arbitrary: wrongBody(schema).map(withText) },
    { weight: 1, arbitrary: notJson.map((written) => ({ text: written, value: undefined })) },
  );
}

function requestOf(drawn: Drawn, port: number, token: string, requestId: string): FuzzRequest {
  const { method, faults: wrong } = drawn;
  const search = new URLSearchParams(drawn.query).toString();
  const headers: Record<string, string> = { Host: wrong.host ?? `127.0.0.1:${port}` };
  if (wrong.caller === 'bearer') headers['Authorization'] = `Bearer ${token}`;
  else if (wrong.caller !== 'none') headers['X-AgentOps-Daemon-Token'] = wrong.caller === 'wrong' ? `${token}x` : token;
  if (wrong.caller === 'page') headers['Origin'] = 'https://evil.example';
  if (wrong.caller === 'site') headers['Sec-Fetch-Site'] = 'cross-site';
  let body = method === 'POST' ? drawn.body : undefined;
  // A right request bears an id that no other has, so that its event is known by it.
  if (body !== undefined && isJsonObject(body.value) && typeof body.value['request_id'] !== 'number') {
    const isRight = validator(drawn.operation?.schema ?? '')(body.value) === undefined;
    if (isRight) body = { value: { ...body.value, request_id: requestId }, text: '' };
    if (isRight) body.text = JSON.stringify(body.value);
  }
  if (body !== undefined && wrong.tooLong) body = { ...body, text: ' '.repeat(1_048_577) };
  if (body !== undefined && wrong.type !== undefined) headers['Content-Type'] = wrong.type;
  if (body !== undefined) headers['Content-Length'] = String(Buffer.byteLength(body.text));
  return {
    method,
    path: search === '' ? drawn.path : `${drawn.path}?${search}`,
    headers,
    body: body?.text,
    requestId: body?.text.includes(requestId) ? requestId : undefined,
    allowed: allowedFor(drawn, body),
  };
}

/** The order of refusals, as the document has it. */
function allowedFor({ method, path, query, faults: wrong }: Drawn, body: Drawn['body']): number[] {
  if (wrong.host !== undefined) return [403];
  const candidates = documented.filter((one) => matches(one.path, path));
  const exact = candidates.filter((one) => !one.path.includes('{'));
  const atPath = exact.length > 0 ? exact : candidates;
  if (atPath.length === 0) return [404];
  const operation = atPath.find((one) => one.method === method || (one.method === 'GET' && method === 'HEAD'));
  if (operation === undefined) return [405];
  if (operation.method === 'GET') return Object.keys(query).length > 0 ? allowedRead(query) : [200, ...idAnswers(path)];
  if (!['right', 'bearer'].includes(wrong.caller)) return [403];
  const type = wrong.type?.split(';')[0]?.trim().toLowerCase();
  if (body !== undefined && type !== undefined && type !== 'application/json') return [415];
  if (body !== undefined && wrong.tooLong) return [413];
  return allowedBody(operation, body);
}

function matches(template: string, path: string): boolean {
  const pattern = template.split(/\{\w+\}/).map((part) => part.replace(/[.]/g, '\\.'));
  return new RegExp(`^${pattern.join('[^/]+')}$`).test(path);
}

/** A job's own reads also answer that there is none, or that the path is wrongly encoded. */
const idAnswers = (path: string): number[] => (path.startsWith('/v1/jobs/') ? [404, 400] : []);

function allowedRead(query: Record<string, string>): number[] {
  const bad = ['limit', 'attempt'].some((name) => /^(-1|1\.5|abc)$/.test(query[name] ?? ''));
  const isCursor = ['since', 'after_id', 'after', 'status', 'type', 'attempt', 'limit'].some((name) => name in query);
  return bad ? [400, 404] : isCursor ? [200, 400, 404] : [200, 404];
}

function allowedBody({ schema, bodyRequired }: Operation, body: Drawn['body']): number[] {
  if (body === undefined || body.text === '') return bodyRequired ? [400] : [202, 400, 404];
  if (body.value === undefined || schema === undefined) return [400];
  // Numbers that JSON's text holds otherwise (-0, infinite) are judged as they arrive.
  const arrived: unknown = JSON.parse(body.text);
  if (validator(schema)(arrived) !== undefined) return [400];
  if (breaksRule(arrived as JsonObject, schema)) return [400];
  if (schema === 'AdoptBody') return namesJobs(arrived as JsonObject) ? [202, 404] : [202];
  return schema.startsWith('Cancel') ? [202, 404, ...(schema === 'CancelPathBody' ? [400] : [])] : [202];
}

/** Whether an adoption names jobs, which may not be there. */
function namesJobs({ job_ids }: JsonObject): boolean {
  return Array.isArray(job_ids) && job_ids.length > 0;
}

/** The rules about a body that its schema can't say: bytes, and what canonical JSON can hold. */
function breaksRule(body: JsonObject, schema: string): boolean {
  if (schema === 'AdoptBody') return false;
  const isSubmit = !schema.startsWith('Cancel');
  const { job_id, idempotency_key: key, payload } = body;
  if (typeof job_id === 'string' && Buffer.byteLength(job_id.trim()) > 256) return true;
  if (isSubmit && typeof key === 'string' && Buffer.byteLength(key) > 256) return true;
  const texts = isSubmit ? ['job_id', 'request_id', 'idempotency_key'] : ['job_id', 'request_id', 'reason'];
  if (texts.some((name) => typeof body[name] === 'string' && whyNotCanonical(body[name], name) !== undefined))
    return true;
  return isSubmit && isJsonObject(payload) && whyNotCanonical(payload) !== undefined;
}
