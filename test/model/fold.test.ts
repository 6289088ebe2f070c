import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { eventTypes, type LedgerEvent } from '../../lib/model/event.js';
import { type Folded, foldJob } from '../../lib/model/fold.js';
import { isTerminal, type Job, type JobState, jobStates } from '../../lib/model/job.js';
import { nextState, transitions } from '../../lib/model/transitions.js';
import { accepted, event, LEASE_END } from '../support/model.js';

const test = suite('fold');

function folded(result: Folded): Job {
  if (result.ignored !== undefined) throw new Error(`passed over: ${result.ignored}`);
  return result.job;
}
const lease = { claim_token: 'token_1', lease_epoch: 1 };
const payloads: Record<string, JsonObject> = {
  'job.accepted': { job_type: 'wiki.build', job_payload: {}, max_attempts: 3, projection_targets: [] },
  'job.claimed': { claim_token: 'token_2', lease_epoch: 2, lease_expires_at: LEASE_END, attempt: 2 },
  'job.heartbeat': { ...lease, lease_expires_at: LEASE_END },
  'job.lease_expired': lease,
  'job.completed': { ...lease, result_status: 'succeeded' },
  'job.failed': { ...lease, failure: { code: 'retry_exhausted' } },
  'job.cancelled': { result_status: 'cancelled', reason: 'enough' },
  'job.adopted': {},
  'factory.admission_decided': { ...lease, allowed: true },
};
const queued = folded(foldJob(undefined, accepted('rpi.run'), true));
const running = folded(
  foldJob(queued, event('job.claimed', { ...lease, lease_expires_at: LEASE_END, attempt: 1 }, { seq: 2 }), true),
);
const byState: Record<JobState, Job> = {
  queued,
  running,
  retry_waiting: folded(foldJob(running, event('job.lease_expired', lease, { seq: 3 }), true)),
  completed: folded(foldJob(running, event('job.completed', payloads['job.completed'], { seq: 3 }), true)),
  failed: folded(foldJob(running, event('job.failed', payloads['job.failed'], { seq: 3 }), true)),
  cancelled: folded(foldJob(running, event('job.cancelled', payloads['job.cancelled'], { seq: 3 }), true)),
};

/** The legal pairs, written out a second time: the table under test must not be its own oracle. */
const legal: Record<string, string> = {
  'queued job.claimed': 'running',
  'queued job.cancelled': 'cancelled',
  'queued job.adopted': 'queued',
  'running job.heartbeat': 'running',
  'running job.lease_expired': 'retry_waiting',
  'running job.completed': 'completed',
  'running job.failed': 'failed',
  'running job.cancelled': 'cancelled',
  'running job.adopted': 'running',
  'running factory.admission_decided': 'running',
  'retry_waiting job.claimed': 'running',
  'retry_waiting job.failed': 'failed',
  'retry_waiting job.cancelled': 'cancelled',
  'retry_waiting job.adopted': 'retry_waiting',
};

for (const state of jobStates) {
  for (const type of [...eventTypes, 'factory.job_started', 'job.invented']) {
    test(`${state} × ${type}`, () => {
      const job = byState[state];
      const result = foldJob(job, event(type, payloads[type], { seq: 9, request_id: 'req_other' }), true);
      const expected = legal[`${state} ${type}`];
      assert.is(nextState(state, type), expected);
      if (expected === undefined) {
        assert.ok(result.ignored, 'an illegal event changes nothing');
        return;
      }
      const after = folded(result);
      assert.is(after.status, expected);
      assert.is(after.last_seq, 9);
      assert.is(after.last_event_id, `evt_${type}_job_1_000009`);
      assert.equal(after.request_ids, ['req_1', 'req_other']);
      assert.is(after.request_id, 'req_1');
      assert.is(job.status, state, 'the record that went in is as it was');
    });
  }
}

test('only job.accepted makes a job', () => {
  for (const type of eventTypes) {
    const result = foldJob(undefined, event(type, payloads[type]), true);
    assert.is(result.ignored === undefined, type === 'job.accepted', type);
  }
});

test('nothing follows a terminal state (J1)', () => {
  for (const state of jobStates) {
    if (isTerminal({ status: state })) assert.equal(transitions[state], {});
  }
});

test('a lease speaks with its own token and epoch alone (J3)', () => {
  for (const type of [
    'job.heartbeat',
    'job.lease_expired',
    'job.completed',
    'job.failed',
    'factory.admission_decided',
  ]) {
    for (const wrong of [
      { claim_token: 'token_0' },
      { lease_epoch: 2 },
      { lease_epoch: 0 },
      { claim_token: '' },
    ] as JsonObject[]) {
      const late = event(type, { ...payloads[type], ...wrong }, { seq: 9 });
      assert.is(foldJob(running, late, true).ignored, 'stale_lease', `${type} ${JSON.stringify(wrong)}`);
    }
  }
});

test('what a worker records beyond the life of its job stands once, across attempts', () => {
  const type = 'factory.admission_decided';
  const told = event(type, { ...lease, allowed: true }, { seq: 3 });
  const after = folded(foldJob(running, told, true));
  assert.equal(after.recorded, { [type]: told.event_id });
  assert.is(foldJob(after, event(type, lease, { seq: 4 }), true).ignored, 'recorded_already');
  const waiting = folded(foldJob(after, event('job.lease_expired', lease, { seq: 4 }), true));
  const again = folded(foldJob(waiting, event('job.claimed', payloads['job.claimed'], { seq: 5 }), true));
  const second = event(type, { claim_token: 'token_2', lease_epoch: 2 }, { seq: 6 });
  assert.is(foldJob(again, second, true).ignored, 'recorded_already');
  assert.equal(again.recorded, { [type]: told.event_id });
  assert.is(foldJob(running, told, false).ignored, 'foreign_event');
});

test('a claim needs a higher epoch and an attempt within the limit', () => {
  const claim = (more: JsonObject) =>
    foldJob(byState.retry_waiting, event('job.claimed', { ...payloads['job.claimed'], ...more }, { seq: 9 }), true);
  assert.is(claim({ lease_epoch: 1 }).ignored, 'stale_lease');
  assert.is(claim({ attempt: 4 }).ignored, 'attempts_used_up');
  assert.is(claim({ lease_expires_at: 'soon' }).ignored, 'bad_payload');
  const after = folded(claim({}));
  assert.equal(
    [after.claim_token, after.lease_epoch, after.attempt, after.lease_expires_at],
    ['token_2', 2, 2, LEASE_END],
  );
});

test('the lease ends with the work, the epoch stays', () => {
  for (const state of ['retry_waiting', 'completed', 'failed', 'cancelled'] as const) {
    const job = byState[state];
    assert.equal([job.claim_token, job.lease_expires_at, job.lease_epoch], [undefined, undefined, 1], state);
  }
});

test('without a lease only used-up attempts fail a job', () => {
  const waiting = byState.retry_waiting;
  const failed = (code: string): LedgerEvent => event('job.failed', { failure: { code } }, { seq: 9 });
  assert.is(foldJob(waiting, failed('lost'), true).ignored, 'stale_lease');
  assert.equal(folded(foldJob(waiting, failed('retry_exhausted'), true)).failure, { code: 'retry_exhausted' });
});

test('no event of a foreign batch changes a job of ours', () => {
  for (const state of jobStates) {
    for (const type of eventTypes) {
      const result = foldJob(byState[state], event(type, payloads[type], { seq: 9 }), false);
      assert.ok(result.ignored, `${state} × ${type}`);
    }
  }
});

test('a foreign job follows its own events until it is adopted', () => {
  const foreign = folded(foldJob(undefined, accepted('rpi.run'), false));
  assert.is(foreign.foreign, true);
  const claimed = folded(
    foldJob(foreign, event('job.claimed', { ...lease, lease_expires_at: LEASE_END, attempt: 1 }, { seq: 2 }), false),
  );
  assert.is(claimed.status, 'running');
  const adopted = folded(foldJob(claimed, event('job.adopted', undefined, { seq: 3 }), true));
  assert.is(adopted.foreign, false);
  assert.is(
    foldJob(adopted, event('job.completed', payloads['job.completed'], { seq: 4 }), false).ignored,
    'foreign_event',
  );
});

test('an accepted event that means nothing makes no job', () => {
  for (const bad of [
    { job_type: 'not.a-type' },
    { job_type: 7 },
    { max_attempts: 0 },
    { max_attempts: '3' },
  ] as JsonObject[]) {
    assert.is(foldJob(undefined, accepted('rpi.run', {}, bad), true).ignored, 'bad_payload', JSON.stringify(bad));
  }
});

test('artifacts of a heartbeat stay until others replace them; results carry theirs', () => {
  const beat = folded(
    foldJob(
      running,
      event('job.heartbeat', { ...lease, lease_expires_at: LEASE_END, artifacts: { output: 'a', bad: 1 } }, { seq: 4 }),
      true,
    ),
  );
  assert.equal(beat.artifacts, { output: 'a' });
  const kept = folded(foldJob(beat, event('job.completed', payloads['job.completed'], { seq: 5 }), true));
  assert.equal(kept.artifacts, { output: 'a' });
  const ref = { path: 'a', sha256: 'f'.repeat(64), size: 3, written_at: LEASE_END };
  const done = folded(
    foldJob(
      beat,
      event('job.completed', { ...lease, artifacts: { page: 'b' }, artifact_refs: { page: ref, bad: {} } }, { seq: 5 }),
      true,
    ),
  );
  assert.equal([done.artifacts, done.artifact_refs], [{ page: 'b' }, { page: ref }]);
});

test('a failure without a known code is request_rejected', () => {
  const done = folded(
    foldJob(
      running,
      event('job.failed', { ...lease, failure: { code: 'odd', message: 'm', retryable: true } }, { seq: 5 }),
      true,
    ),
  );
  assert.equal(done.failure, { code: 'request_rejected', message: 'm', retryable: true });
});

test.run();
