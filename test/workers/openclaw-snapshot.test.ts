import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../lib/base/canonical.js';
import type { ConsumerSnapshot } from '../../workers/builtin-context.js';
import { openclawSnapshot } from '../../workers/openclaw-snapshot.js';
import { createBench, sha256, type WorkerBench } from '../support/builtin-context.js';

const test = suite<WorkerBench>('openclaw.snapshot');

const snapshot: ConsumerSnapshot = {
  schema_version: 1,
  snapshot_id: 'snap_evt_1',
  generated_at: '2026-01-02T03:04:05.000Z',
  source: { ledger: '.agents/daemon/ledger', last_event_id: 'evt_1' },
  status: 'current',
  resources: {
    runs: [],
    jobs: [{ resource_id: 'job_1', resource_kind: 'job', status: 'running' }],
    wiki: [],
  },
};

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

test('the snapshot is written as it is, with its hash and counts beside it', async (bench) => {
  bench.snapshot = snapshot;
  await bench.run(openclawSnapshot, 'openclaw.snapshot', { reason: ' release ' });
  const text = bench.read(bench.artifacts['snapshot.json'] ?? '');
  assert.is(text, `${canonicalJson(snapshot)}\n`);
  assert.equal(JSON.parse(bench.read(bench.artifacts['summary.json'] ?? '')), {
    schema_version: 1,
    snapshot_id: 'snap_evt_1',
    last_event_id: 'evt_1',
    status: 'current',
    path: bench.artifacts['snapshot.json'],
    sha256: sha256(text),
    bytes: Buffer.byteLength(text),
    resource_counts: { runs: 0, jobs: 1, wiki: 0 },
    reason: 'release',
  });
});

test('an empty ledger has no last event, and no reason is none', async (bench) => {
  bench.snapshot = { ...snapshot, snapshot_id: 'snap_empty', source: { ledger: '.agents/daemon/ledger' } };
  await bench.run(openclawSnapshot, 'openclaw.snapshot', {});
  const summary = JSON.parse(bench.read(bench.artifacts['summary.json'] ?? '')) as Record<string, unknown>;
  assert.not.ok('last_event_id' in summary);
  assert.not.ok('reason' in summary);
});

test('a stop while it waits for the snapshot writes nothing', async (bench) => {
  bench.snapshot = snapshot;
  bench.stopping.abort();
  let stopped: unknown;
  await bench.run(openclawSnapshot, 'openclaw.snapshot', {}).catch((error: unknown) => {
    stopped = error;
  });
  assert.is((stopped as Error).name, 'AbortError');
  assert.equal(bench.artifacts, {});
});

test('a reason of another type is refused', async (bench) => {
  let refused: unknown;
  await bench.run(openclawSnapshot, 'openclaw.snapshot', { reason: 1 }).catch((error: unknown) => {
    refused = error;
  });
  assert.match((refused as Error).message, 'payload.reason');
});

test.run();
