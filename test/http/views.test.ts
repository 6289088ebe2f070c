/** Status and the consumer's views over HTTP: one truth, tags, selections. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { loadContract } from '../../lib/engine/schemas.js';
import { consumerJobs, consumerRuns, consumerSnapshot, consumerWiki } from '../../lib/model/consumer-views.js';
import { statusView } from '../../lib/model/status-view.js';
import { type Served, serve } from '../support/http-kernel.js';
import { accepted } from '../support/model.js';

const test = suite<{ served: Served }>('views');

test.before.each(async (context) => {
  context.served = await serve();
});
test.after.each(async (context) => {
  await context.served.close();
});

const lists = (value: unknown): JsonObject[] => value as JsonObject[];
const idsOf = (value: unknown): unknown[] => lists(value).map((job) => job['job_id']);
const inside = (body: JsonObject, ...path: string[]): unknown =>
  path.reduce<unknown>((value, name) => (value as JsonObject)[name], body);

async function fill(served: Served): Promise<void> {
  for (const [job_id, job_type] of [
    ['a', 'rpi.run'],
    ['b', 'wiki.forge'],
    ['c', 'dream.run'],
    ['d', 'rpi.run'],
    ['e', 'openclaw.snapshot'],
  ]) {
    await served.mutate('/v1/jobs', { job_id, job_type });
  }
  await served.mutate('/v1/jobs/d/cancel');
}

async function claim(served: Served, job_id: string, leaseMs: number): Promise<void> {
  const now = served.clock.wallMs();
  const occurredAt = new Date(now).toISOString();
  const lease_expires_at = new Date(now + leaseMs).toISOString();
  await served.kernel.execute({
    kind: 'claim',
    actor: 'worker-1',
    occurredAt,
    job_id,
    claim_token: 't',
    lease_expires_at,
  });
}

test('every list is there when there is nothing, and none is null', async ({ served }) => {
  const { body } = await served.ask('GET', '/v1/status');
  for (const path of [
    ['queue', 'jobs'],
    ['projections', 'jobs'],
    ['projections', 'rpi', 'runs'],
    ['projections', 'wiki', 'jobs'],
    ['projections', 'openclaw', 'resources', 'wiki'],
  ]) {
    assert.equal(inside(body, ...path), []);
  }
});

test('what is sent job by job is the same as the view at once, member by member', async ({ served }) => {
  await fill(served);
  await claim(served, 'a', 60_000);
  const context = { ...served.kernel.viewContext(), wallMs: served.clock.wallMs() };
  const { state } = served.kernel;
  const wanted = {
    '/v1/status': statusView(state, context),
    '/openclaw/v1/snapshot/latest': consumerSnapshot(state, context),
    '/openclaw/v1/runs': consumerRuns(state, context),
    '/openclaw/v1/jobs': consumerJobs(state, context),
    '/openclaw/v1/wiki': consumerWiki(state, context),
  };
  for (const [path, view] of Object.entries(wanted))
    assert.is((await served.ask('GET', path)).text, JSON.stringify(view), path);
});

test('an answer under way shows one moment, and others are answered meanwhile', async () => {
  const count = 4000;
  const replayed = Array.from({ length: count }, (_, at) => accepted('rpi.run', { job_id: `job_${at}`, seq: at + 1 }));
  const long = await serve({ replayed });
  try {
    const asking = long.ask('GET', '/v1/status');
    const healths: number[] = [];
    let isAnswered = false;
    void asking.finally(() => {
      isAnswered = true;
    });
    for (let at = 0; !isAnswered; at++) {
      const begun = performance.now();
      await long.ask('GET', '/v1/health');
      healths.push(performance.now() - begun);
      if (at < 5) await long.mutate(`/v1/jobs/job_${count - 1 - at}/cancel`);
    }
    assert.ok(healths.length >= 3, `${healths.length} answers beside the long one`);
    const { body } = await asking;
    const jobs = lists(inside(body, 'queue', 'jobs'));
    const head = inside(body, 'queue', 'last_event_id');
    const cancelled = jobs.filter((job) => job['status'] === 'cancelled').map((job) => job['last_event_id']);
    const seqOf = (id: unknown) => Number(/\d+$/.exec(String(id))?.[0]);
    assert.equal([jobs.length, cancelled.length], [count, seqOf(head) - count]);
    for (const id of cancelled) assert.ok(seqOf(id) <= seqOf(head));
    for (const path of [
      ['jobs'],
      ['rpi', 'runs'],
      ['openclaw', 'resources', 'jobs'],
      ['openclaw', 'resources', 'runs'],
    ])
      assert.equal(
        lists(inside(body, 'projections', ...path)).map((job) => job['status']),
        jobs.map((job) => job['status']),
      );
  } finally {
    await long.close();
  }
});

test('all reads stand at the same event (G5, J7)', async ({ served }) => {
  await fill(served);
  const status = (await served.ask('GET', '/v1/status')).body;
  const ready = (await served.ask('GET', '/v1/ready')).body;
  const events = (await served.ask('GET', '/v1/events')).body;
  const head = events['last_event_id'];
  assert.equal(status['projection_lag'], ready['projection_lag']);
  for (const path of [['queue'], ['projections'], ['projection_lag']])
    assert.is(inside(status, ...path, 'last_event_id'), head);
  assert.equal(idsOf(inside(status, 'queue', 'jobs')), ['a', 'b', 'c', 'd', 'e']);
  const snapshot = (await served.ask('GET', '/openclaw/v1/snapshot/latest')).body;
  assert.is(snapshot['snapshot_id'], `snap_${String(head)}`);
  const expected = { runs: ['a', 'c', 'd'], jobs: ['a', 'b', 'c', 'd', 'e'], wiki: ['b'] };
  for (const [name, ids] of Object.entries(expected)) {
    const list = (await served.ask('GET', `/openclaw/v1/${name}`)).body[name];
    assert.equal(idsOf(list), ids);
    assert.equal(list, inside(snapshot, 'resources', name));
  }
  assert.equal((await served.ask('GET', '/openclaw/v1/health')).body['resource_counts'], { runs: 3, jobs: 5, wiki: 1 });
});

test('a part of the status', async ({ served }) => {
  await fill(served);
  const part = async (query: string) =>
    idsOf(inside((await served.ask('GET', `/v1/status?${query}`)).body, 'queue', 'jobs'));
  assert.equal(await part('type=rpi.run'), ['a', 'd']);
  assert.equal(await part('status=cancelled'), ['d']);
  assert.equal(await part('status=degraded'), []);
  assert.equal(await part('limit=2'), ['a', 'b']);
  assert.equal(await part('limit=2&after=b'), ['c', 'd']);
  assert.equal(await part('after=b&type=rpi.run&limit=5'), ['d']);
  assert.equal(await part('status=&limit='), ['a', 'b', 'c', 'd', 'e']);
});

test('a tag holds until something that is shown has changed', async ({ served }) => {
  await fill(served);
  for (const path of ['/v1/status', '/v1/status?type=rpi.run', '/openclaw/v1/snapshot/latest', '/openclaw/v1/jobs']) {
    const first = await served.ask('GET', path);
    const tag = String(first.headers.etag);
    const again = await served.ask('GET', path);
    assert.is(again.headers.etag, tag);
    assert.is(again.text, first.text);
    const same = await served.ask('GET', path, { headers: { 'If-None-Match': `"x", W/${tag}` } });
    assert.is(same.status, 304);
    assert.is(same.text, '');
  }
  const all = await served.ask('GET', '/v1/status');
  const part = await served.ask('GET', '/v1/status?type=rpi.run');
  assert.is.not(all.headers.etag, part.headers.etag);
  await served.mutate('/v1/jobs', { job_id: 'f', job_type: 'rpi.run' });
  const later = await served.ask('GET', '/v1/status', { headers: { 'If-None-Match': String(all.headers.etag) } });
  assert.is(later.status, 200);
  assert.is(idsOf(inside(later.body, 'queue', 'jobs')).length, 6);
});

test('a tag changes when a lease runs out, and so does what is shown (J2)', async ({ served }) => {
  await served.mutate('/v1/jobs', { job_id: 'a', job_type: 'rpi.run' });
  await claim(served, 'a', 60_000);
  const running = await served.ask('GET', '/v1/status');
  assert.is(lists(inside(running.body, 'queue', 'jobs'))[0]?.['status'], 'running');
  served.clock.aheadMs = 61_000;
  const late = await served.ask('GET', '/v1/status', { headers: { 'If-None-Match': String(running.headers.etag) } });
  assert.is(late.status, 200);
  assert.is(lists(inside(late.body, 'queue', 'jobs'))[0]?.['status'], 'retry_waiting');
  assert.is(lists((await served.ask('GET', '/openclaw/v1/jobs')).body['jobs'])[0]?.['status'], 'retry_waiting');
  served.clock.aheadMs = 0;
  assert.is(lists(inside((await served.ask('GET', '/v1/status')).body, 'queue', 'jobs'))[0]?.['status'], 'running');
});

test('a tag changes with the ledger and the warnings', async ({ served }) => {
  const tags = new Set<unknown>();
  const take = async () => tags.add((await served.ask('GET', '/v1/status')).headers.etag);
  await take();
  served.kernel.surround({ warnings: () => ['config.yaml is broken'], noWorkerFor: () => undefined });
  await take();
  served.kernel.surround({ warnings: () => [], noWorkerFor: (type) => (type === 'rpi.run' ? 'nobody' : undefined) });
  await take();
  served.ledger.condition = { damage: [], writable: false, reasons: ['the disk failed'], claimsHeldThroughSeq: 0 };
  await take();
  assert.is(tags.size, 4);
});

test('the aliases answer as their paths do', async ({ served }) => {
  await fill(served);
  for (const path of ['/ready', '/status', '/events']) {
    assert.equal((await served.ask('GET', path)).body, (await served.ask('GET', `/v1${path}`)).body);
  }
  assert.is((await served.ask('GET', '/health')).body['status'], 'ok');
  assert.is((await served.mutate('/jobs', { job_id: 'z', job_type: 'rpi.run' })).status, 202);
  assert.is((await served.mutate('/jobs/cancel', { job_id: 'z' })).body['cancelled'], true);
});

test('one job by its id, however it is written (R6)', async ({ served }) => {
  const ids = ['plain', 'a/b', '../x', 'é %41', 'cancel', 'log'];
  for (const job_id of ids) await served.mutate('/v1/jobs', { job_id, job_type: 'rpi.run' });
  for (const job_id of ids.filter((id) => id !== 'cancel')) {
    assert.is((await served.ask('GET', `/v1/jobs/${encodeURIComponent(job_id)}`)).body['job_id'], job_id);
  }
  assert.is((await served.ask('GET', '/v1/jobs/cancel')).status, 405);
  assert.is((await served.ask('GET', '/v1/jobs/nobody')).status, 404);
  assert.is((await served.ask('GET', '/v1/jobs/%ff')).status, 400);
});

test('the document is served as it is', async ({ served }) => {
  const answer = await served.ask('GET', '/spec/jobspec/v0/openapi.yaml');
  assert.is(answer.headers['content-type'], 'application/yaml');
  assert.is(answer.text, loadContract().text);
  assert.match(answer.text, /What v0 does not cover/);
});

test('metrics are Prometheus text', async ({ served }) => {
  await fill(served);
  const { text } = await served.ask('GET', '/metrics');
  for (const line of text.trimEnd().split('\n')) assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="\w+"\})? \d+)$/);
  assert.match(text, /^agentopsd_jobs\{status="cancelled"\} 1$/m);
  assert.match(text, /^agentopsd_ledger_events 6$/m);
});

test('the snapshot bears the name of the head, and keeps it while the head stays (C3, C4)', async ({ served }) => {
  const snapshot = async () => (await served.ask('GET', '/openclaw/v1/snapshot/latest')).body;
  const idAndSource = ({ snapshot_id, source }: JsonObject) => ({ snapshot_id, source });
  const ledger = '.agents/daemon/ledger';
  assert.equal(idAndSource(await snapshot()), { snapshot_id: 'snap_empty', source: { ledger } });
  await fill(served);
  const last_event_id = served.ledger.events.at(-1)?.event_id;
  const wanted = { snapshot_id: `snap_${last_event_id}`, source: { ledger, last_event_id } };
  assert.equal(idAndSource(await snapshot()), wanted);
  assert.equal(idAndSource(await snapshot()), wanted);
  assert.is((await served.ask('GET', '/openclaw/v1/health')).body['snapshot_id'], wanted.snapshot_id);
});

test('reads append nothing (G4)', async ({ served }) => {
  await fill(served);
  const before = served.lastSeq();
  for (const path of ['/v1/health', '/v1/ready', '/v1/status', '/v1/events', '/openclaw/v1/snapshot/latest']) {
    for (let times = 0; times < 5; times++) await served.ask('GET', path);
  }
  assert.is(served.lastSeq(), before);
});

test.run();
