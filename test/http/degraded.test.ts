/**
 * Each way in which a ledger can't be believed, or not be written: told with a reason by every view, while health
 * answers, reads write nothing, and jobs are taken as long as they can be kept.
 */
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Kernel } from '../../lib/engine/kernel.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import type { Ready, Status } from '../../lib/model/views.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { DaemonFolder } from '../support/daemon.js';
import { createFaultyDisk, failing } from '../support/faulty-disk.js';
import { whyNotDocumented } from '../support/http-client.js';
import { serve } from '../support/http-kernel.js';
import { makeLedgerPlace, openAs, until } from '../support/ledger-place.js';

const LEDGER = ['.agents', 'daemon', 'ledger'];
const test = suite<{ folders: DaemonFolder[] }>('degraded');

test.before.each((context) => {
  context.folders = [];
});
test.after.each(async ({ folders }) => {
  for (const folder of folders) await folder.close();
});

/** A daemon's folder with three jobs in its ledger, and nobody running. */
async function withJobs(folders: DaemonFolder[]): Promise<DaemonFolder> {
  const folder = await DaemonFolder.make('workers: 0\n');
  folders.push(folder);
  const running = await folder.startHere();
  for (const job_id of ['one', 'two', 'three']) await folder.submit('eval.suite', {}, { job_id });
  await running.stop();
  return folder;
}

async function segments(folder: DaemonFolder): Promise<string[]> {
  const names = await fs.readdir(folder.path(...LEDGER));
  return names.filter((name) => name.endsWith('.jsonl')).sort();
}

/** Replaces the line of a job's event by another; answers the events as they were before. */
async function replaceLine(folder: DaemonFolder, jobId: string, change: (line: string) => string): Promise<void> {
  for (const name of await segments(folder)) {
    const path = folder.path(...LEDGER, name);
    const lines = (await fs.readFile(path, 'utf8')).split('\n');
    const at = lines.findIndex((line) => line.includes(`"job_id":"${jobId}"`));
    if (at >= 0) await fs.writeFile(path, lines.map((line, place) => (place === at ? change(line) : line)).join('\n'));
  }
}

const notReady = (folder: DaemonFolder): Promise<Ready> =>
  folder.until(
    () => folder.ready(),
    ({ ready }) => !ready,
    'not ready',
  );

/** Everything that must hold whatever the reason is. */
async function tellsEverywhere(folder: DaemonFolder, reason: RegExp, takesJobs = true): Promise<Ready> {
  const ready = await notReady(folder);
  assert.not.match(JSON.stringify([ready, await folder.get('/v1/status')]), folder.root, 'no path of the host');
  assert.is(ready.projection_status, 'degraded');
  assert.is(ready.projection_lag.degraded, true);
  assert.match((ready.degraded_reasons ?? []).join('\n'), reason);
  const status = await folder.get<Status>('/v1/status');
  assert.is(status.ready, false);
  assert.equal(status.projection_lag, ready.projection_lag);
  for (const manifest of Object.values(status.projections.manifests)) {
    assert.is(manifest.status, 'degraded');
    assert.equal(manifest.degraded_reasons, ready.degraded_reasons);
  }
  assert.is(status.projections.openclaw.status, 'degraded');
  const consumer = await folder.get<Record<string, unknown>>('/openclaw/v1/health');
  assert.equal([consumer['status'], consumer['ready'], consumer['snapshot_status']], ['ok', false, 'degraded']);
  assert.is((await folder.get<Record<string, unknown>>('/openclaw/v1/snapshot/latest'))['status'], 'degraded');
  assert.is((await folder.get<Record<string, unknown>>('/v1/health'))['status'], 'ok');
  const trigger = await folder.post('/openclaw/v1/triggers/jobs', { job_type: 'rpi.run' });
  assert.equal([trigger.status, trigger.body['error']], [503, 'daemon is not ready']);
  const taken = await folder.post('/v1/jobs', { job_type: 'eval.suite', job_id: 'while degraded' });
  assert.is(taken.status, takesJobs ? 202 : 503, JSON.stringify(taken.body));
  if (takesJobs) assert.is(taken.body['projection_status'], 'degraded');
  return ready;
}

const kindsOf = (events: readonly LedgerEvent[]): string[] => events.map(({ event_id }) => event_id);

test('a line that is no event: named by file and line, the others stay (D5, G1, G2, G3)', async ({ folders }) => {
  const folder = await withJobs(folders);
  await replaceLine(folder, 'two', (line) => `${line.slice(0, 40)}#`);
  await folder.startHere();
  const ready = await tellsEverywhere(folder, /\.jsonl:\d+: /);
  assert.is(ready.ledger_replay_status, 'corrupt');
  const { corrupt = [] } = await folder.get<{ corrupt?: { line_number: number; error: string }[] }>('/v1/events');
  assert.is(corrupt.length, ready.projection_lag.corrupt_record_count);
  for (const { line_number, error } of corrupt) assert.ok(line_number >= 1 && error.length > 0);
  const ids = kindsOf(await folder.events());
  for (const job of ['one', 'three'])
    assert.ok(
      ids.some((id) => id.startsWith(`evt_job.accepted_${job}_`)),
      job,
    );
  assert.not(ids.some((id) => id.startsWith('evt_job.accepted_two_')));
});

test('a line that was rewritten breaks the chain (G1)', async ({ folders }) => {
  const folder = await withJobs(folders);
  await replaceLine(folder, 'two', (line) => line.replace('"job_id":"two"', '"job_id":"twO"'));
  await folder.startHere();
  const ready = await tellsEverywhere(folder, /\.jsonl:\d+: /);
  assert.ok(ready.projection_lag.corrupt_record_count >= 1);
});

test('acknowledged events that are gone are missed (D5, G1)', async ({ folders }) => {
  const folder = await withJobs(folders);
  const last = (await segments(folder)).at(-1) as string;
  const path = folder.path(...LEDGER, last);
  const lines = (await fs.readFile(path, 'utf8')).split('\n');
  await fs.writeFile(path, `${lines.slice(0, -2).join('\n')}\n`);
  await folder.startHere();
  await tellsEverywhere(folder, /./);
});

test('two heads: what only the other one holds is not shown, and that is told (G1)', async ({ folders }) => {
  const folder = await withJobs(folders);
  const other = await DaemonFolder.make('workers: 0\n');
  folders.push(other);
  await fs.cp(folder.path(...LEDGER), other.path(...LEDGER), { recursive: true });
  const there = await other.startHere();
  for (const job_id of ['there 1', 'there 2', 'there 3']) await other.submit('eval.suite', {}, { job_id });
  await there.stop();
  await folder.startHere().then(async (here) => {
    await folder.submit('eval.suite', {}, { job_id: 'here' });
    await here.stop();
  });
  await fs.cp(other.path(...LEDGER), folder.path(...LEDGER), { recursive: true });
  await folder.startHere();
  await tellsEverywhere(folder, /two heads/);
  assert.is((await folder.job('here')).status, 'queued');
  const ids = kindsOf(await folder.events());
  assert.not(ids.some((id) => id.includes('there')));
});

test('a ledger that was taken away while the daemon runs: nothing is acknowledged any more (D3)', async ({
  folders,
}) => {
  const folder = await withJobs(folders);
  await folder.startHere();
  await folder.submit('eval.suite', {}, { job_id: 'before' });
  await fs.rename(folder.path(...LEDGER), folder.path('taken-away'));
  const answer = await folder.post('/v1/jobs', { job_type: 'eval.suite' });
  assert.is(answer.status, 503);
  await tellsEverywhere(folder, /not being written/, false);
});

test('a full disk: 503 with a reason, then on again (C4, D3, G1)', async () => {
  const place = await makeLedgerPlace();
  let isFull = false;
  const disk = createFaultyDisk(createNodeDisk(), (call, path) =>
    isFull && call === 'write' ? failing('ENOSPC', call, path) : undefined,
  );
  const kernel = new Kernel(createNodeClock());
  const { root, home } = place;
  const opened = await openAs({ disk, clock: createNodeClock(), root, home, observer: kernel.observer });
  kernel.attach(opened.ledger);
  const served = await serve({ dependencies: { kernel, root } });
  try {
    const submit = () => served.mutate('/v1/jobs', { job_type: 'rpi.run', idempotency_key: 'k' });
    isFull = true;
    for (const answer of [await submit(), await submit()]) {
      assert.is(answer.status, 503);
      assert.match(String(answer.body['error']), /ENOSPC/);
      assert.not.match(answer.text, root, 'no path of the host');
    }
    const ready = (await served.ask('GET', '/v1/ready')).body;
    assert.is(ready['ready'], false);
    assert.match(JSON.stringify(ready['degraded_reasons']), /not being written: the disk is full/);
    assert.not.match(JSON.stringify(ready), root, 'no path of the host');
    assert.equal((await served.ask('GET', '/v1/events')).body, { events: [] });
    isFull = false;
    await until('there is room', () => kernel.health().writable);
    assert.is((await served.ask('GET', '/v1/ready')).body['ready'], true);
    const { status, body } = await submit();
    assert.equal([status, body['projection_status']], [202, 'current']);
    assert.is((await served.ask('GET', '/v1/ready')).body['ready'], true);
  } finally {
    await served.close();
    await opened.ledger.close();
    await place.remove();
  }
});

test('a view that can not be written: 202 and degraded, with the reason, until it can be again (D4, G2)', async ({
  folders,
}) => {
  const folder = await withJobs(folders);
  const projections = folder.path('.agents', 'daemon', 'projections');
  await fs.rm(projections, { recursive: true, force: true });
  await fs.writeFile(projections, 'in the way');
  await folder.startHere();
  const degraded = await folder.until(
    () => folder.post('/v1/jobs', { job_type: 'eval.suite', job_id: 'four' }),
    ({ body }) => body['projection_status'] === 'degraded',
    'degraded',
  );
  assert.is(degraded.status, 202);
  assert.match(JSON.stringify(degraded.body['degraded_reasons']), /projections can't be written/);
  assert.not.match(JSON.stringify(degraded.body), folder.root);
  const ready = await folder.ready();
  assert.equal([ready.ready, ready.projection_status], [true, 'degraded'], 'the ledger itself can be believed');
  assert.is((await folder.post('/openclaw/v1/triggers/jobs', { job_type: 'rpi.run' })).status, 202);
  await fs.rm(projections);
  await folder.submit('eval.suite', {}, { job_id: 'five' });
  const again = await folder.until(
    () => folder.ready(),
    ({ projection_status }) => projection_status === 'current',
    'current',
  );
  assert.is(again.degraded_reasons, undefined);
});

test('reads of a damaged ledger write nothing (G4)', async ({ folders }) => {
  const folder = await withJobs(folders);
  await replaceLine(folder, 'two', (line) => `${line.slice(0, 40)}#`);
  await folder.startHere();
  await notReady(folder);
  // Those of the start before tell nothing of the damage.
  const before = await folder.until(
    () => bytesBelow(folder.path('.agents', 'daemon')),
    (found) => {
      const projections = Object.entries(found).filter(([name]) => name.startsWith('projections/'));
      return projections.length === 6 && projections.every(([, text]) => text.includes('"status":"degraded"'));
    },
    'the projections are written',
  );
  for (const path of ['ready', 'status', 'events', 'health', 'jobs/one']) {
    const response = await fetch(`${folder.url}/v1/${path}`);
    const headers = Object.fromEntries(response.headers);
    const text = await response.text();
    const answer = { status: response.status, headers, text, body: JSON.parse(text) };
    assert.is(whyNotDocumented('GET', `/v1/${path}`, answer), undefined, path);
  }
  assert.equal(await bytesBelow(folder.path('.agents', 'daemon')), before);
});

/** Content by path, of what stands still while nothing happens. */
async function bytesBelow(top: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const folder of ['ledger', 'quarantine', 'projections']) {
    const names = await fs.readdir(join(top, folder)).catch(() => []);
    for (const name of names)
      found[`${folder}/${name}`] = await fs.readFile(join(top, folder, name), 'utf8').catch(() => 'gone');
  }
  return found;
}

test.run();
