import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { JobNumbers } from '../../lib/model/job-numbers.js';
import { State } from '../../lib/model/state.js';
import { hashOfText } from '../../lib/model/text-index.js';
import { event, LEASE_END } from '../support/model.js';

const test = suite('job numbers');

const accepted = (key: string) => ({
  job_type: 'eval.suite',
  job_payload: {},
  max_attempts: 3,
  projection_targets: [],
  idempotency_key: key,
});

/** Two texts that have one hash. */
function meeting(): [string, string] {
  const byHash = new Map<number, string>();
  for (let at = 0; ; at++) {
    const text = `text-${at}`;
    const hash = hashOfText(text);
    const other = byHash.get(hash);
    if (other !== undefined) return [other, text];
    byHash.set(hash, text);
  }
}

test('jobs are numbered in the order in which they come, and found by id; by key only where one leads there', () => {
  const jobs = Array.from({ length: 1_000 }, (_, at) => ({ id: `job-${at}`, key: `key-${at}` }));
  const numbers = new JobNumbers({
    idOf: (number) => (jobs[number] as { id: string }).id,
    keyOf: (number) => (jobs[number] as { key: string }).key,
  });
  for (const { id } of jobs) numbers.add(id);
  numbers.lead('key-7', 7);
  assert.is(numbers.size, 1_000);
  assert.equal(
    jobs.map(({ id }) => numbers.ofId(id)),
    jobs.map((_, at) => at),
  );
  assert.equal([numbers.ofKey('key-7'), numbers.ofKey('key-8'), numbers.ofId('job-1000')], [7, undefined, undefined]);
  assert.equal(
    [numbers.idHash(7), numbers.keyHash(7), numbers.keyHash(8)],
    [hashOfText('job-7'), hashOfText('key-7'), 0],
  );
});

test('two jobs whose ids and keys have one hash are two jobs, as objects and in the archive', () => {
  const [one, other] = meeting();
  const state = new State({ warmJobs: 0, atOnce: 1 });
  const lease = { claim_token: 'token', lease_epoch: 1, lease_expires_at: LEASE_END, attempt: 1 };
  let seq = 0;
  const apply = (type: string, jobId: string, payload: JsonObject): void => {
    assert.is(state.apply(event(type, payload, { seq: ++seq, job_id: jobId }), true).ignored, undefined);
  };
  const found = (): unknown =>
    [one, other].map((text) => [state.job(text)?.job_id, state.jobIdForKey(text), state.job(text)?.status]);
  apply('job.accepted', one, accepted(one));
  assert.equal([state.job(other), state.jobIdForKey(other)], [undefined, undefined]);
  apply('job.accepted', other, accepted(other));
  assert.equal(found(), [
    [one, one, 'queued'],
    [other, other, 'queued'],
  ]);
  apply('job.claimed', one, lease);
  apply('job.completed', one, lease);
  assert.equal(found(), [
    [one, one, 'completed'],
    [other, other, 'queued'],
  ]);
  apply('job.claimed', other, lease);
  apply('job.completed', other, lease);
  assert.equal(state.size(), { open: 0, ended: 2 });
  assert.equal(found(), [
    [one, one, 'completed'],
    [other, other, 'completed'],
  ]);
});

test.run();
