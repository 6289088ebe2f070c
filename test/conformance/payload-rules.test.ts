/** What the history itself tells of a job: a warning for what is missing or of another kind, and who may report. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../spec/conformance/json.js';
import { judgeHistory } from '../../spec/conformance/monitor/event-rules.js';

const test = suite('conformance, payloads of events');

const lease = { claim_token: 't', lease_epoch: 1 };
const lease_expires_at = '2026-11-28T02:00:10Z';
const reference = { path: 'a.txt', sha256: 'a'.repeat(64), size: 1, written_at: lease_expires_at };

type Steps = Readonly<Record<string, JsonObject>>;
const taking = {
  accepted: { job_type: 'rpi.run', max_attempts: 3, projection_targets: ['rpi-registry'], job_payload: {} },
  claimed: { ...lease, lease_expires_at, attempt: 1 },
  heartbeat: { ...lease, lease_expires_at, artifacts: { log: 'a.txt' } },
};
const done: Steps = {
  ...taking,
  completed: {
    ...lease,
    result_status: 'succeeded',
    artifacts: { log: 'a.txt' },
    artifact_refs: { log: reference },
  },
};
const failure = { code: 'lost', message: 'm', retryable: false };
const failed: Steps = { ...taking, failed: { ...lease, failure } };
const lost: Steps = { ...taking, lease_expired: lease };
const cancelled: Steps = { accepted: taking.accepted, cancelled: { result_status: 'cancelled', reason: 'r' } };

/** Whatever is found in a job's history, as `severity check: expected`. */
function foundIn(steps: Steps): string[] {
  const found: string[] = [];
  const events = Object.entries(steps).map(([type, payload], index) => ({
    event_id: `e${index}`,
    job_id: 'j',
    event_type: `job.${type}`,
    occurred_at: `2026-11-28T02:00:0${index}Z`,
    payload,
  }));
  judgeHistory(
    events,
    (check, severity, expected) => found.push(`${severity} ${check}: ${expected}`),
    () => {},
  );
  return found;
}

/** The same history, with one member of one payload changed; undefined takes it away. */
function changed(steps: Steps, type: string, name: string, value: unknown): string[] {
  const { [name]: _, ...rest } = steps[type] ?? {};
  return foundIn({ ...steps, [type]: value === undefined ? rest : { ...rest, [name]: value } });
}

test('nothing is found in what is whole, whatever else it tells', () => {
  for (const steps of [done, failed, lost, cancelled]) assert.equal(foundIn(steps), []);
  assert.equal(changed(done, 'claimed', 'worker', 'w'), []);
});

test('each member that is missing or of another kind is a warning of the check that it concerns', () => {
  const wrong: readonly [steps: Steps, type: string, name: string, value: unknown, check: string][] = [
    [done, 'accepted', 'job_type', undefined, 'enqueue.submit.event-correlates'],
    [done, 'accepted', 'max_attempts', '3', 'enqueue.submit.event-correlates'],
    [done, 'accepted', 'projection_targets', {}, 'enqueue.submit.event-correlates'],
    [done, 'accepted', 'job_payload', undefined, 'enqueue.submit.event-correlates'],
    [done, 'accepted', 'idempotency_key', 7, 'enqueue.submit.event-correlates'],
    [done, 'claimed', 'claim_token', 7, 'execute.claim.lease-fields'],
    [done, 'claimed', 'lease_expires_at', null, 'execute.claim.lease-fields'],
    [done, 'claimed', 'attempt', '1', 'execute.claim.lease-fields'],
    [done, 'claimed', 'attempt', undefined, 'execute.claim.lease-fields'],
    [done, 'heartbeat', 'lease_expires_at', 'soon', 'execute.heartbeat.extends'],
    [done, 'heartbeat', 'artifacts', [], 'execute.heartbeat.extends'],
    [lost, 'lease_expired', 'claim_token', 7, 'execute.lease.reclaim'],
    [done, 'completed', 'result_status', 'failed', 'execute.complete'],
    [done, 'completed', 'artifacts', { log: 1 }, 'execute.complete'],
    [done, 'completed', 'artifact_refs', { log: 'a.txt' }, 'execute.complete'],
    [failed, 'failed', 'failure', { message: 'm' }, 'execute.fail'],
    [failed, 'failed', 'failure', { ...failure, retryable: 'no' }, 'execute.fail'],
    [cancelled, 'cancelled', 'reason', 7, 'execute.cancel.queued'],
    [cancelled, 'cancelled', 'result_status', undefined, 'execute.cancel.queued'],
  ];
  for (const [steps, type, name, value, check] of wrong) {
    const found = changed(steps, type, name, value);
    const warned = found.some((each) => each.startsWith(`SHOULD ${check}: payload.${name} of each job.${type}: `));
    assert.ok(warned, `${type} ${name} ${JSON.stringify(value)}: ${found.join(', ')}`);
  }
});

test('one finding tells of all events of a type', () => {
  const events = Array.from({ length: 30 }, (_, index) => ({
    event_id: `e${index}`,
    job_id: `j${index}`,
    event_type: 'job.accepted',
    payload: { ...taking.accepted, max_attempts: undefined },
  }));
  let found = 0;
  judgeHistory(
    events,
    () => {
      found += 1;
    },
    () => {},
  );
  assert.is(found, 1);
});

test('who reports names the epoch of a claim that named one', () => {
  const check = 'MUST execute.lease.fencing: job.heartbeat with lease_epoch 1, that of the latest claim';
  assert.ok(changed(done, 'heartbeat', 'lease_epoch', undefined).includes(check));
  assert.ok(changed(done, 'heartbeat', 'lease_epoch', '1').includes(check));
  const { lease_epoch: _, ...claimed } = taking.claimed;
  const { lease_epoch: __, ...heartbeat } = taking.heartbeat;
  assert.not(foundIn({ accepted: taking.accepted, claimed, heartbeat }).some((each) => each.startsWith('MUST')));
});

test.run();
