/** Servers that do nothing of what they say: none of them may get a level. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { type Judged, judged } from './program.js';
import { sideBySide } from './side-by-side.js';

const test = suite('conformance, dumb servers');

type Json = Record<string, unknown>;
interface Said {
  readonly status: number;
  readonly body: Json;
}

const now = () => new Date().toISOString();
const lag = { event_count: 0, corrupt_record_count: 0, degraded: false };
const judgedAs = { projection_status: 'current', projection_lag: lag };
const names = ['rpi-registry', 'dream-runs', 'wiki-jobs', 'openclaw-snapshot', 'daemon-status', 'daemon-job-status'];
const ledger = '.agents/daemon/ledger';

function manifests(): Json {
  const one = (projection: string) => ({
    schema_version: 1,
    projection,
    source_ledger: ledger,
    status: 'current',
    rebuilt_at: now(),
  });
  return Object.fromEntries(names.map((name) => [name, one(name)]));
}

/** What a server without a single job answers to each read. */
function emptyRead(path: string): Json | undefined {
  const source = { ledger };
  const empty = { runs: [], jobs: [], wiki: [] };
  const snapshot = { schema_version: 1, snapshot_id: 'snap_empty', generated_at: now(), source, status: 'current' };
  const openclaw = { ...snapshot, resources: empty };
  const views = { jobs: [], rpi: { runs: [] }, dream: { runs: [] }, wiki: { jobs: [] } };
  const projections = { schema_version: 1, rebuilt_at: now(), source_ledger: ledger, manifests: manifests(), ...views };
  const reads: Record<string, Json> = {
    '/v1/health': { status: 'ok', daemon: 'dumb', read_only: true, now: now() },
    '/v1/ready': { ready: true, ledger_replay_status: 'complete', ...judgedAs },
    '/v1/status': { ready: true, projection_lag: lag, queue: { jobs: [] }, projections: { ...projections, openclaw } },
    '/v1/events': { events: [] },
    '/openclaw/v1/health': {
      status: 'ok',
      ready: true,
      snapshot_id: 'snap_empty',
      generated_at: now(),
      source,
      snapshot_status: 'current',
      resource_counts: { runs: 0, jobs: 0, wiki: 0 },
    },
    '/openclaw/v1/snapshot/latest': openclaw,
    '/openclaw/v1/runs': { runs: [] },
    '/openclaw/v1/jobs': { jobs: [] },
    '/openclaw/v1/wiki': { wiki: [] },
  };
  return reads[path];
}

/** Accepts whatever comes under the ids that it names, and forgets it. */
function echo(body: Json): Said {
  const job_id = body['job_id'] ?? 'job_1';
  const ids = { request_id: body['request_id'] ?? 'req_1', job_id };
  const key = body['idempotency_key'] === undefined ? {} : { idempotency_key: body['idempotency_key'] };
  return {
    status: 202,
    body: { accepted: true, ...ids, status: 'queued', last_event_id: 'evt_1', ...judgedAs, ...key },
  };
}

const DOCUMENT = fileURLToPath(new URL('../../../spec/openapi.yaml', import.meta.url));

interface Example {
  readonly example?: Json;
  readonly examples?: Readonly<Record<string, { readonly value: Json }>>;
}
interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, Example>>;
}
interface Operation {
  readonly responses: Readonly<Record<string, Response>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Response>> };
}

/** What the document gives as an example of each good answer: `page` is that of the published page. */
function examples(): ReadonlyMap<string, Said> {
  const { paths, components } = parse(readFileSync(DOCUMENT, 'utf8')) as Document;
  const said = new Map<string, Said>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(operations)) {
      for (const status of [200, 202]) {
        const named = responses?.[status];
        const response = named?.$ref === undefined ? named : components.responses[named.$ref.split('/').at(-1) ?? ''];
        const given = response?.content?.['application/json'];
        const [first] = Object.values(given?.examples ?? {});
        const body = given?.example ?? given?.examples?.['page']?.value ?? first?.value;
        if (body !== undefined) said.set(`${method.toUpperCase()} ${path}`, { status, body });
      }
    }
  }
  return said;
}

const documented = examples();

const servers: Readonly<Record<string, (method: string, path: string, body: Json) => Said>> = {
  '404 for everything': () => ({ status: 404, body: { error: 'not found' } }),
  '200 and an empty object for everything': () => ({ status: 200, body: {} }),
  '202 with the ids that it was given, and nothing behind it': (method, path, body) => {
    if (method === 'POST') return echo(body);
    const read = emptyRead(path);
    return read === undefined ? { status: 404, body: { error: 'not found' } } : { status: 200, body: read };
  },
  'the examples of the document, whatever is asked': (method, path) =>
    documented.get(`${method} ${path}`) ?? { status: 404, body: { error: 'not found' } },
};

async function serve(answer: (method: string, path: string, body: Json) => Said): Promise<Server> {
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const { status, body } = answer(request.method ?? 'GET', (request.url ?? '').split('?')[0] ?? '', parsed(text));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

function parsed(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}

async function judgedServer(answer: (method: string, path: string, body: Json) => Said): Promise<Judged> {
  const server = await serve(answer);
  try {
    return await judged('--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const judgedOf = sideBySide(
  test,
  Object.fromEntries(Object.entries(servers).map(([what, answer]) => [what, () => judgedServer(answer)])),
);

test('the document has an example for every route of v0', () => {
  const routes = ['health', 'ready', 'status', 'events'].map((name) => `GET /v1/${name}`);
  const consumer = ['health', 'snapshot/latest', 'runs', 'jobs', 'wiki'].map((name) => `GET /openclaw/v1/${name}`);
  const writes = ['/v1/jobs', '/v1/jobs/cancel', '/openclaw/v1/triggers/jobs'].map((path) => `POST ${path}`);
  for (const route of [...routes, ...consumer, ...writes]) assert.ok(documented.has(route), route);
});

for (const what of Object.keys(servers))
  test(`${what}: no level`, async () => {
    const { code, report } = await judgedOf(what);
    assert.is(code, 1);
    assert.equal([...new Set(Object.values(report.levels))], ['NON-CONFORMANT']);
    assert.ok(report.totals.fail > 20, `${report.totals.fail} checks failed`);
    assert.is(report.totals.error, 0);
  });

test.run();
