/** The program's own reducer: what a list of events says of a job. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FoldedJob, foldEvents, knownJob, statusesBetween } from '../../spec/conformance/fold.js';
import type { JsonObject } from '../../spec/conformance/json.js';

const test = suite('conformance, the fold');
const AT = Date.parse('2026-11-28T02:00:00Z');
let count = 0;

function event(event_type: string, payload: JsonObject = {}, request_id = 'r1'): JsonObject {
  count += 1;
  return {
    event_id: `e${count}`,
    event_type,
    job_id: 'j',
    request_id,
    occurred_at: new Date(AT + count).toISOString(),
    payload,
  };
}
const accepted = (): JsonObject => event('job.accepted', { job_type: 'rpi.run', max_attempts: 3 });
const lease = (token: string, epoch: number): JsonObject => ({
  claim_token: token,
  lease_epoch: epoch,
  lease_expires_at: new Date(AT + 10_000).toISOString(),
});

function jobOf(...events: JsonObject[]): FoldedJob {
  const job = foldEvents(events).jobs.get('j');
  if (job === undefined) throw new Error('no job');
  return job;
}

test('from accepted to completed', () => {
  const job = jobOf(accepted(), event('job.claimed', lease('t1', 1)), event('job.completed', lease('t1', 1), 'r2'));
  assert.is(job.status, 'completed');
  assert.is(job.attempt, 1);
  assert.equal(job.requestIds, ['r1', 'r2']);
  assert.is(job.lastEventId, `e${count}`);
});

test('whoever lost the lease changes nothing', () => {
  const late = event('job.completed', lease('t1', 1));
  const job = jobOf(
    accepted(),
    event('job.claimed', lease('t1', 1)),
    event('job.lease_expired', { claim_token: 't1', lease_epoch: 1 }),
    event('job.claimed', lease('t2', 2)),
    late,
  );
  assert.is(job.status, 'running');
  assert.is(job.attempt, 2);
  assert.is(job.claimToken, 't2');
});

test('the first end is the end', () => {
  const job = jobOf(
    accepted(),
    event('job.cancelled', { reason: 'no more' }),
    event('job.failed', { failure: { code: 'lost' } }),
  );
  assert.is(job.status, 'cancelled');
  assert.is(job.failure, undefined);
  assert.is(job.reason, 'no more');
});

test('types that v0 does not know change no state', () => {
  const job = jobOf(accepted(), event('job.adopted', {}, 'r9'));
  assert.is(job.status, 'queued');
  assert.equal(job.requestIds, ['r1']);
  assert.equal(job.otherRequestIds, ['r9']);
  assert.equal(job.otherLastEvents, [`e${count}`]);
});

test('a lease that runs out shows before any event says so', () => {
  const job = jobOf(accepted(), event('job.claimed', lease('t1', 1)));
  assert.equal(statusesBetween(job, AT, AT + 100, 500), ['running']);
  assert.equal(statusesBetween(job, AT + 9_900, AT + 10_100, 500), ['running', 'retry_waiting']);
  assert.equal(statusesBetween(job, AT + 11_000, AT + 11_100, 500), ['retry_waiting']);
});

test('a second acceptance is told, and changes nothing', () => {
  const fold = foldEvents([accepted(), accepted()]);
  assert.is(fold.jobs.size, 1);
  assert.equal([...fold.acceptedTwice], ['j']);
  assert.is(knownJob(fold, 'j'), undefined);
});

test.run();
