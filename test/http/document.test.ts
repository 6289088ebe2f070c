/** The document and the server are one: routes, types, examples and lint. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { errorTable, isErrorCode } from '../../lib/base/errors.js';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { loadContract } from '../../lib/engine/schemas.js';
import { denials } from '../../lib/http/auth.js';
import { routes } from '../../lib/http/routes.js';
import { jobTypes } from '../../lib/model/event.js';

const test = suite('document');
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const { document, validator } = loadContract();
const paths = document['paths'] as Record<string, Record<string, JsonObject>>;

function operations(): { path: string; method: string; operation: JsonObject }[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

test('every route is documented, and every operation is a route', () => {
  const served = routes.map(({ path, method, operationId, alias, capability }) => ({
    path,
    method,
    operationId,
    alias,
    capability,
  }));
  const documented = operations().map(({ path, method, operation }) => ({
    path,
    method,
    operationId: operation['operationId'],
    alias: operation['x-alias'],
    capability: operation['x-capability'],
  }));
  const byId = (one: { operationId: unknown }, other: { operationId: unknown }) =>
    String(one.operationId).localeCompare(String(other.operationId));
  assert.equal(served.sort(byId), documented.sort(byId));
});

test('a mutation names its security, its answer 202 and every refusal; a read does not ask', () => {
  for (const { method, operation, path } of operations()) {
    const statuses = Object.keys(operation['responses'] as JsonObject);
    assert.is(operation['security'] !== undefined, method === 'POST', path);
    if (method === 'POST')
      assert.equal(
        ['202', '400', '403', '413', '415', '500', '503'].filter((status) => !statuses.includes(status)),
        [],
        path,
      );
    else assert.ok(statuses.includes('200'), path);
  }
});

test('every status of the error table that HTTP answers is documented somewhere', () => {
  const statuses = new Set(operations().flatMap(({ operation }) => Object.keys(operation['responses'] as JsonObject)));
  // 409 is answered to workers, inside the process.
  for (const { http } of Object.values(errorTable))
    if (http !== 409) assert.ok(statuses.has(String(http)), String(http));
});

test('every error code that HTTP answers is documented, and none that does not exist', () => {
  const { headers } = document['components'] as { headers: Record<string, { schema: { examples: string[] } }> };
  const listed = headers['ErrorCode']?.schema.examples ?? [];
  const unknown = listed.filter((code) => !isErrorCode(code));
  assert.equal(unknown, []);
  // What only a start, a worker inside the process or the command line meets.
  const elsewhere = ['usage', 'ambiguous_id', 'stale_lease', 'job_not_claimable', 'key_conflict', 'daemon_running'];
  elsewhere.push('daemon_unreachable', 'address_in_use', 'configuration_invalid', 'token_file_unsafe', 'timed_out');
  elsewhere.push('folder_unusable', 'file_unsafe', 'ledger_unreadable');
  const missing = Object.keys(errorTable).filter((code) => !listed.includes(code) && !elsewhere.includes(code));
  assert.equal(missing, []);
});

test('the reasons of a 403 are all in the document, word for word', () => {
  const { responses } = document['components'] as { responses: Record<string, { description: string }> };
  const told = responses['Denied']?.description.replace(/\s+/g, ' ') ?? '';
  for (const reason of [...Object.values(denials), 'host is not trusted']) assert.ok(told.includes(reason), reason);
});

test("the payloads' schemas are the same in the document as in their files, and the same for whom they are checked", () => {
  const schemas = (document['components'] as JsonObject)['schemas'] as Record<string, JsonObject>;
  for (const jobType of jobTypes) {
    const file = JSON.parse(
      readFileSync(join(repository, `spec/payloads/${jobType}.schema.json`), 'utf8'),
    ) as JsonObject;
    const documented = schemas[`Payload.${jobType}`];
    assert.equal(documented?.['properties'], file['properties'], jobType);
    assert.is(documented?.['description'], file['description'], jobType);
  }
  const typesOf = (name: string) =>
    ((schemas[name]?.['oneOf'] ?? []) as { properties: { job_type: { const: string } } }[]).map(
      ({ properties }) => properties.job_type.const,
    );
  assert.equal(typesOf('SubmitBody'), schemas['JobType']?.['enum']);
  assert.equal(typesOf('TriggerBody'), schemas['TriggerJobType']?.['enum']);
});

test('a body is what its bare shape says, and more', () => {
  for (const name of ['Submit', 'Cancel', 'CancelPath', 'Adopt', 'Trigger']) {
    const [body, shape] = [`${name}Body`, `${name}Request`].map(
      (one) => ((document['components'] as JsonObject)['schemas'] as Record<string, JsonObject>)[one],
    );
    assert.equal(
      Object.keys(body?.['properties'] as JsonObject),
      Object.keys(shape?.['properties'] as JsonObject),
      name,
    );
    assert.equal(body?.['required'], shape?.['required'], name);
  }
});

test('each example keeps its schema', () => {
  let count = 0;
  visit(document, (media) => {
    const schema = media['schema'];
    const link = isJsonObject(schema) ? schema['$ref'] : undefined;
    if (typeof link !== 'string') return;
    const named = isJsonObject(media['examples'])
      ? Object.values(media['examples']).map((example) => (example as JsonObject)['value'])
      : [];
    for (const example of [...named, ...(media['example'] === undefined ? [] : [media['example']])]) {
      assert.equal(validator(link.split('/').at(-1) ?? '')(example), undefined, JSON.stringify(example));
      count++;
    }
  });
  assert.ok(count >= 15, String(count));
});

function visit(value: unknown, each: (object: JsonObject) => void): void {
  if (Array.isArray(value)) for (const member of value) visit(member, each);
  if (!isJsonObject(value)) return;
  each(value);
  for (const member of Object.values(value)) visit(member, each);
}

test('the types are generated from the document as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agentopsd-'));
  try {
    const output = join(folder, 'contract.ts');
    run('openapi-typescript', ['spec/openapi.yaml', '--output', output]);
    assert.is(readFileSync(output, 'utf8'), readFileSync(join(repository, 'lib/model/contract.ts'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the linter has nothing against the document', () => {
  assert.not.throws(() => run('redocly', ['lint', 'spec/openapi.yaml', '--config', 'spec/redocly.yaml']));
});

function run(program: string, args: string[]): void {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  execFileSync(join(repository, 'node_modules/.bin', program), args, { cwd: repository, stdio: 'pipe', env });
}

test.run();
