import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  consumerHealth,
  consumerJobs,
  consumerRuns,
  consumerSnapshot,
  consumerWiki,
} from '../../lib/model/consumer-views.js';
import { jobTypes, projectionNames } from '../../lib/model/event.js';
import { healthyLedger, type LedgerHealth } from '../../lib/model/health.js';
import { State } from '../../lib/model/state.js';
import { statusView } from '../../lib/model/status-view.js';
import { cancelAnswer, readyView, submitAnswer, triggerAnswer } from '../../lib/model/views.js';
import {
  AT,
  cancelCommand,
  carryOut,
  claimCommand,
  complete,
  context,
  event,
  fail,
  LEASE_END,
  stateAfter,
  submitCommand,
} from '../support/model.js';

const test = suite('views');
const damaged: LedgerHealth = {
  damage: [{ line_number: 3, segment: '000001-aabbccdd.jsonl', segment_line: 3, error: 'not JSON' }],
  writable: true,
  reasons: [],
  claimsHeldThroughSeq: 1,
};

test('an empty ledger is ready, with every list an empty list', () => {
  const state = new State();
  assert.equal(readyView(state, context()), {
    ready: true,
    ledger_replay_status: 'complete',
    projection_status: 'current',
    projection_lag: { event_count: 0, corrupt_record_count: 0, degraded: false },
  });
  const status = statusView(state, context());
  assert.equal(status.queue, { jobs: [] });
  assert.equal(
    [status.projections.jobs, status.projections.rpi.runs, status.projections.dream.runs, status.projections.wiki.jobs],
    [[], [], [], []],
  );
  assert.equal(status.projections.openclaw.resources, { runs: [], jobs: [], wiki: [] });
  assert.is(status.projections.openclaw.snapshot_id, 'snap_empty');
  assert.equal(Object.keys(status.projections.manifests), [...projectionNames]);
  assert.equal(consumerHealth(state, context()).resource_counts, { runs: 0, jobs: 0, wiki: 0 });
});

test('the page: the answer to the first submit', () => {
  const state = stateAfter(
    submitCommand({ request_id: 'req_20260430_000001', job_id: 'job_rpi_000001', idempotency_key: 'rpi:demo:cycle-1' }),
  );
  const job = state.job('job_rpi_000001');
  assert.ok(job);
  assert.equal(submitAnswer(job, state, context()), {
    accepted: true,
    request_id: 'req_20260430_000001',
    job_id: 'job_rpi_000001',
    status: 'queued',
    last_event_id: 'evt_job.accepted_job_rpi_000001_000001',
    projection_status: 'current',
    projection_lag: {
      last_event_id: 'evt_job.accepted_job_rpi_000001_000001',
      event_count: 1,
      corrupt_record_count: 0,
      degraded: false,
    },
    idempotency_key: 'rpi:demo:cycle-1',
  });
});

test('where each type lands (C1)', () => {
  const state = new State();
  for (const job_type of jobTypes) carryOut(state, submitCommand({ job_id: job_type, job_type }));
  const { projections } = statusView(state, context());
  const names = (jobs: readonly { job_id: string }[]) => jobs.map((job) => job.job_id);
  assert.equal(names(projections.rpi.runs), ['rpi.run', 'rpi.phase']);
  assert.equal(names(projections.dream.runs), ['dream.run', 'dream.stage']);
  assert.equal(names(projections.wiki.jobs), ['wiki.build', 'wiki.forge']);
  assert.equal(names(projections.openclaw.resources.runs), ['rpi.run', 'rpi.phase', 'dream.run', 'dream.stage']);
  assert.equal(names(projections.openclaw.resources.jobs), [...jobTypes]);
  const consumer = consumerSnapshot(state, context()).resources;
  assert.equal(
    consumer.wiki.map((resource) => [resource.resource_id, resource.job_id]),
    [
      ['wiki-wiki.build', 'wiki.build'],
      ['wiki-wiki.forge', 'wiki.forge'],
    ],
  );
  assert.equal(
    consumer.runs.map((resource) => resource.run_id),
    ['rpi.run', 'rpi.phase', 'dream.run', 'dream.stage'],
  );
  assert.equal(consumer.jobs.filter((resource) => resource.run_id !== undefined).length, 4);
  assert.equal(
    [consumerRuns(state, context()).runs, consumerJobs(state, context()).jobs, consumerWiki(state, context()).wiki],
    [consumer.runs, consumer.jobs, consumer.wiki],
  );
  assert.equal(consumerHealth(state, context()).resource_counts, { runs: 4, jobs: 13, wiki: 2 });
});

test('a running job shows its lease; a run-out lease shows as retry_waiting at once (J2)', () => {
  const state = stateAfter(submitCommand({ max_attempts: 1 }), claimCommand());
  const running = statusView(state, context()).queue.jobs[0];
  assert.equal(
    [running?.status, running?.claim_token, running?.lease_epoch, running?.lease_expires_at],
    ['running', 'token_1', 1, LEASE_END],
  );
  const late = context({ wallMs: Date.parse(LEASE_END) });
  const waiting = statusView(state, late).queue.jobs[0];
  assert.equal([waiting?.status, waiting?.claim_token, waiting?.retry_exhausted], ['retry_waiting', undefined, true]);
  assert.is(consumerJobs(state, late).jobs[0]?.status, 'retry_waiting');
});

test('damage degrades every manifest, the snapshot and the status, each with a reason (G1, G2)', () => {
  const state = stateAfter(submitCommand());
  const bad = context({ health: damaged });
  const ready = readyView(state, bad);
  assert.equal([ready.ready, ready.ledger_replay_status, ready.projection_status], [false, 'corrupt', 'degraded']);
  assert.equal(ready.degraded_reasons, ['000001-aabbccdd.jsonl:3: not JSON']);
  const status = statusView(state, bad);
  for (const manifest of Object.values(status.projections.manifests)) {
    assert.equal([manifest.status, manifest.degraded_reasons?.length], ['degraded', 1]);
  }
  assert.equal([status.projections.openclaw.status, consumerSnapshot(state, bad).status], ['degraded', 'degraded']);
  assert.equal(
    status.queue.jobs[0]?.attention?.map((one) => one.kind),
    ['before_damage'],
  );
  const health = consumerHealth(state, bad);
  assert.equal([health.ready, health.snapshot_status, health.degraded_reasons?.length], [false, 'degraded', 1]);
});

test('two heads or a stopped writer are degraded without a corrupt record (G1)', () => {
  const ready = readyView(new State(), context({ health: { ...healthyLedger, reasons: ['two heads'] } }));
  assert.equal(
    [ready.ready, ready.ledger_replay_status, ready.projection_status, ready.degraded_reasons],
    [false, 'complete', 'degraded', ['two heads']],
  );
});

test('warnings degrade nothing (G6)', () => {
  const ready = readyView(new State(), context({ warnings: () => ['config.yaml is broken'] }));
  assert.equal([ready.ready, ready.projection_status, ready.warnings], [true, 'current', ['config.yaml is broken']]);
});

test('a view that failed after the append degrades the answer, not the ledger (D4)', () => {
  const state = stateAfter(submitCommand());
  const job = state.job('job_1');
  assert.ok(job);
  const answer = submitAnswer(job, state, context({ projectionFailure: 'projection files: no space' }));
  assert.equal(
    [answer.projection_status, answer.degraded_reasons, answer.projection_lag.degraded],
    ['degraded', ['projection files: no space'], false],
  );
});

test('a stale projection is stale with a reason; no reason stands beside current (G2)', () => {
  const state = stateAfter(submitCommand());
  state.apply(event('projection.marked_stale', { projection_targets: ['wiki-jobs'] }, { seq: 2 }), true);
  const { manifests } = statusView(state, context()).projections;
  assert.equal([manifests['wiki-jobs'].status, manifests['wiki-jobs'].degraded_reasons?.length], ['stale', 1]);
  assert.equal([manifests['rpi-registry'].status, manifests['rpi-registry'].degraded_reasons], ['current', undefined]);
});

test('attention: foreign jobs, and jobs of a type nobody takes', () => {
  const state = new State();
  carryOut(state, submitCommand({ job_id: 'theirs' }), false);
  carryOut(state, submitCommand({ job_id: 'ours' }));
  const jobs = statusView(state, context({ noWorkerFor: (type) => `nobody takes ${type}` })).queue.jobs;
  assert.equal(
    jobs.map((job) => job.attention?.map((one) => one.kind)),
    [['foreign'], ['no_worker']],
  );
});

test('a selection filters, limits and goes on after a job', () => {
  const state = new State();
  for (const job_id of ['a', 'b', 'c', 'd']) carryOut(state, submitCommand({ job_id }));
  carryOut(state, cancelCommand({ job_id: 'c' }));
  const names = (selection: Parameters<typeof statusView>[2]) =>
    statusView(state, context(), selection).queue.jobs.map((job) => job.job_id);
  assert.equal(names({ matches: (job) => job.status === 'queued' }), ['a', 'b', 'd']);
  assert.equal(names({ afterJobId: 'b' }), ['c', 'd']);
  assert.equal(names({ matches: (job) => job.status === 'queued', afterJobId: 'a', limit: 1 }), ['b']);
  assert.equal(names({ limit: 0 }), []);
});

test('the answers of cancel and trigger', () => {
  const state = stateAfter(submitCommand(), cancelCommand());
  const job = state.job('job_1');
  assert.ok(job);
  const answer = cancelAnswer(job, 'already_terminal_cancelled', state, context());
  assert.equal(
    [answer.cancelled, answer.outcome, answer.job.status],
    [true, 'already_terminal_cancelled', 'cancelled'],
  );
  assert.is(cancelAnswer(job, 'already_terminal_failed', state, context()).cancelled, false);
  assert.equal(triggerAnswer(job, state, context()), {
    accepted: true,
    request_id: 'req_1',
    job_id: 'job_1',
    job_type: 'rpi.run',
    status: 'cancelled',
    last_event_id: 'evt_job.cancelled_job_1_000002',
    snapshot_status: 'current',
  });
});

test('provenance: event, job, run, then the artifacts by name (C2)', () => {
  const ended = { ...complete, artifacts: { z: 'runs/z', a: 'https://127.0.0.1/a' } } as typeof complete;
  const state = stateAfter(submitCommand(), claimCommand(), ended);
  assert.equal(consumerJobs(state, context()).jobs[0]?.provenance, [
    { rel: 'source-event', kind: 'daemon-ledger-event', event_id: 'evt_job.completed_job_1_000003' },
    { rel: 'source-job', kind: 'daemon-job', job_id: 'job_1' },
    { rel: 'source-run', kind: 'daemon-run', run_id: 'job_1', job_id: 'job_1' },
    { rel: 'artifact', kind: 'artifact', artifact: 'a', job_id: 'job_1', run_id: 'job_1', uri: 'https://127.0.0.1/a' },
    { rel: 'artifact', kind: 'artifact', artifact: 'z', job_id: 'job_1', run_id: 'job_1', path: 'runs/z' },
  ]);
});

test('a consumer’s failure always has a message', () => {
  const state = stateAfter(submitCommand(), claimCommand(), { ...fail, failure: { code: 'lost' } } as typeof fail);
  assert.equal(consumerJobs(state, context()).jobs[0]?.failure, { code: 'lost', message: 'lost' });
  assert.equal(statusView(state, context()).queue.jobs[0]?.failure, { code: 'lost' });
  assert.is(statusView(state, context()).projections.jobs[0]?.result_status, 'failed');
});

test('empty members are left out', () => {
  const state = stateAfter(submitCommand({ payload: {} }));
  assert.equal(Object.keys(statusView(state, context()).queue.jobs[0] ?? {}), [
    'job_id',
    'job_type',
    'request_id',
    'request_ids',
    'status',
    'attempt',
    'max_attempts',
    'projection_targets',
    'last_event_id',
    'created_at',
    'updated_at',
  ]);
  assert.is(statusView(state, context()).queue.jobs[0]?.created_at, AT);
});

test.run();
