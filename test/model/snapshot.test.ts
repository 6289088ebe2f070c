import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { jobTypes, type LedgerEvent, projectionNames } from '../../lib/model/event.js';
import { healthyLedger } from '../../lib/model/health.js';
import { jobStates } from '../../lib/model/job.js';
import { decodeJob, encodeJob, REDUCER_VERSION } from '../../lib/model/job-text.js';
import { State } from '../../lib/model/state.js';
import { readyView } from '../../lib/model/views.js';
import { lifeOfJobs } from '../bench/ledger-generator.js';
import {
  carryOut,
  claimCommand,
  context,
  event,
  expireLease,
  LEASE_END,
  stateAfter,
  submitCommand,
} from '../support/model.js';

const test = suite('snapshot');
const fewWarm = { warmJobs: 2, atOnce: 2 };

function bytesOf(state: State): Buffer {
  const { summary, pages } = state.capture();
  return Buffer.concat([...pages(), Buffer.from(summary)]);
}

function restored(state: State): State {
  const { summary, pages } = state.capture();
  const fresh = new State(fewWarm);
  for (const page of pages()) fresh.restorePage(page);
  fresh.restoreSummary(summary);
  return fresh;
}

function told(state: State): unknown {
  return {
    jobs: [...state.jobs()],
    byId: [...state.jobs()].map(({ job_id }) => state.job(job_id)),
    keys: ['k1', 'k2', 'k3'].map((key) => state.jobIdForKey(key)),
    claimable: jobTypes.map((type) => [...state.claimable(type)]),
    types: [...state.claimableTypes()],
    running: [...state.running()],
    foreign: [...state.foreign()],
    stale: projectionNames.map((name) => state.isMarkedStale(name)),
    counts: [state.jobCount, state.lastSeq, state.eventCount, state.lastEventId],
  };
}

interface Step {
  readonly type: string;
  readonly job: number;
  readonly epoch: number;
  readonly ours: boolean;
  readonly key: string | undefined;
  readonly jobType: number;
  readonly payload: JsonObject;
}

const steps = fc.array(
  fc.record<Step>({
    type: fc.constantFrom(
      'job.accepted',
      'job.accepted',
      'job.claimed',
      'job.claimed',
      'job.heartbeat',
      'job.lease_expired',
      'job.completed',
      'job.failed',
      'job.cancelled',
      'job.adopted',
      'factory.admission_decided',
      'projection.marked_stale',
      'projection.rebuilt',
      'somebody.elses',
    ),
    job: fc.nat(7),
    epoch: fc.integer({ min: 1, max: 2 }),
    ours: fc.boolean(),
    key: fc.constantFrom(undefined, 'k1', 'k2', 'k3'),
    jobType: fc.nat(2),
    payload: fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.constant(null)), {
      noNullPrototype: true,
    }) as fc.Arbitrary<JsonObject>,
  }),
  { maxLength: 60 },
);

function eventOf(step: Step, seq: number): LedgerEvent {
  const lease = { claim_token: 'token', lease_epoch: step.epoch, lease_expires_at: LEASE_END, attempt: step.epoch };
  const asked = {
    job_type: jobTypes[step.jobType] ?? '',
    job_payload: step.payload,
    max_attempts: 3,
    projection_targets: [],
  };
  const failure = { code: 'lost', message: 'gone' };
  const artifacts = { output: `runs/${seq}` };
  const payload =
    step.type === 'job.accepted'
      ? { ...asked, ...(step.key && { idempotency_key: step.key }) }
      : { ...lease, failure, artifacts };
  return event(step.type, payload, { seq, job_id: `job ${step.job}`, request_id: `req_${seq % 3}` });
}

test('a state from a snapshot is the state, byte for byte, and goes on as it would have', () => {
  fc.assert(
    fc.property(steps, fc.nat(60), (all, cut) => {
      const events = all.map((step, at) => [eventOf(step, at + 1), step.ours] as const);
      const straight = new State(fewWarm);
      let turned = new State({ warmJobs: 3, atOnce: 1 });
      events.forEach(([one, ours], at) => {
        if (at === cut) {
          turned = restored(turned);
          assert.equal(told(turned), told(straight));
          assert.ok(bytesOf(turned).equals(bytesOf(straight)));
        }
        assert.is(straight.apply(one, ours).ignored, turned.apply(one, ours).ignored);
      });
      assert.equal(told(turned), told(straight));
      assert.ok(bytesOf(turned).equals(bytesOf(straight)));
      assert.ok(bytesOf(restored(straight)).equals(bytesOf(new State(fewWarm))) === (events.length === 0));
    }),
    { numRuns: 300 },
  );
});

test('the order of members in what was submitted changes no byte', () => {
  const [one, other] = [new State(), new State()];
  const payload = { job_type: 'rpi.run', max_attempts: 3, projection_targets: [] };
  one.apply(
    event('job.accepted', { ...payload, job_payload: { b: { d: 1, c: [{ z: 1, y: 2 }] }, a: 1, 10: 1, 9: 2 } }),
    true,
  );
  other.apply(
    event('job.accepted', { ...payload, job_payload: { 9: 2, 10: 1, a: 1, b: { c: [{ y: 2, z: 1 }], d: 1 } } }),
    true,
  );
  const sign = '\u0085';
  one.apply(event('job.accepted', { ...payload, job_payload: { a: sign, b: 1 } }, { seq: 2, job_id: 'j2' }), true);
  other.apply(event('job.accepted', { ...payload, job_payload: { b: 1, a: sign } }, { seq: 2, job_id: 'j2' }), true);
  assert.is(one.jobCount, 2);
  assert.ok(bytesOf(one).equals(bytesOf(other)));
});

test('a snapshot is of its moment, whatever happens while it is written', () => {
  const state = new State(fewWarm);
  const life = [...lifeOfJobs(3_000)];
  for (const one of life.slice(0, 5_000)) state.apply(one, true);
  const before = bytesOf(state);
  const { summary, pages, lastSeq } = state.capture();
  const parts: Buffer[] = [];
  let next = 5_000;
  for (const page of pages()) {
    parts.push(page);
    for (const one of life.slice(next, next + 1_000)) state.apply(one, true);
    next += 1_000;
  }
  assert.is(lastSeq, 5_000);
  assert.ok(parts.length > 1);
  assert.ok(Buffer.concat([...parts, Buffer.from(summary)]).equals(before));
});

test('a job that is adopted while a snapshot is written has no key in it that leads to it', () => {
  const state = new State(fewWarm);
  const payload = {
    job_type: 'rpi.run',
    job_payload: {},
    max_attempts: 3,
    projection_targets: [],
    idempotency_key: 'k1',
  };
  state.apply(event('job.accepted', payload, { seq: 1, job_id: 'foreign' }), false);
  const before = bytesOf(state);
  const { summary, pages } = state.capture();
  state.apply(event('job.adopted', {}, { seq: 2, job_id: 'foreign' }), true);
  assert.is(state.jobIdForKey('k1'), 'foreign');
  assert.ok(Buffer.concat([...pages(), Buffer.from(summary)]).equals(before));
});

test('shelved jobs read as they were', () => {
  const [few, all] = [new State(fewWarm), new State()];
  for (const one of lifeOfJobs(2_000)) for (const state of [few, all]) state.apply(one, true);
  assert.equal([...few.jobs()], [...all.jobs()]);
  assert.equal(few.job('job_000000000000'), all.job('job_000000000000'));
  assert.ok(bytesOf(few).equals(bytesOf(all)));
});

test('one state becomes another, and nothing of the first is left', () => {
  const state = new State();
  for (const one of lifeOfJobs(10)) state.apply(one, true);
  state.become(new State());
  assert.equal(told(state), told(new State()));
});

test('while older events are being verified, Ready says how far', () => {
  const health = { ...healthyLedger, verifiedThroughSeq: 7 };
  assert.is(readyView(new State(), context({ health })).verified_through, 7);
  assert.not.ok('verified_through' in readyView(new State(), context()));
});

test('what is counted is what there is, from a snapshot too', () => {
  const state = new State(fewWarm);
  for (const one of lifeOfJobs(40)) state.apply(one, true);
  for (const one of [state, restored(state)]) {
    const jobs = [...one.jobsNow()];
    assert.is(jobs.length, 40);
    for (const type of jobTypes) assert.is(one.countOfType(type), jobs.filter((job) => job.job_type === type).length);
    for (const status of jobStates)
      assert.is(one.countOfStatus(status), jobs.filter((job) => job.status === status).length);
  }
});

test('jobs wait in the same order after a restart: a lost lease goes to the end of the line', () => {
  const lost = { ...expireLease, job_id: 'a' };
  const state = stateAfter(
    submitCommand({ job_id: 'a' }),
    submitCommand({ job_id: 'b' }),
    claimCommand({ job_id: 'a' }),
  );
  carryOut(state, lost);
  carryOut(state, submitCommand({ job_id: 'c' }));
  for (const one of [state, restored(state)]) assert.equal([...one.claimable('rpi.run')], ['b', 'a', 'c']);
  // Of a ledger that somebody else wrote: whatever happens to a job that waits, it goes to the end.
  state.apply(event('job.adopted', {}, { seq: state.lastSeq + 1, job_id: 'b' }), true);
  for (const one of [state, restored(state)]) assert.equal([...one.claimable('rpi.run')], ['a', 'c', 'b']);
});

test('bytes that are no snapshot are refused', () => {
  const state = new State();
  for (const one of lifeOfJobs(10)) state.apply(one, true);
  const { summary, pages } = state.capture();
  const [page] = [...pages()] as [Buffer];
  assert.throws(() => new State().restorePage(page.subarray(0, page.length - 1)));
  assert.throws(() => new State().restoreSummary(summary), /summary/);
});

test('these bytes belong to this version of the reducer', () => {
  // Where this fails, what was folded before means something else now: REDUCER_VERSION has to change.
  const state = new State();
  for (const one of lifeOfJobs(20)) state.apply(one, true);
  state.apply(event('job.cancelled', { reason: 'x' }, { seq: 61, job_id: 'job_000000000000' }), false);
  const lease = { claim_token: 'token', lease_epoch: 1, lease_expires_at: LEASE_END, attempt: 1 };
  const admission = { job_type: 'factory.admission', job_payload: {}, max_attempts: 3, projection_targets: [] };
  state.apply(event('job.accepted', admission, { seq: 62, job_id: 'admission' }), true);
  state.apply(event('job.claimed', lease, { seq: 63, job_id: 'admission' }), true);
  state.apply(event('factory.admission_decided', lease, { seq: 64, job_id: 'admission' }), true);
  assert.ok(state.job('admission')?.recorded);
  // What has to be sorted, with a sign that canonical form escapes; and what an agent did.
  const unsorted = { job_type: 'rpi.run', job_payload: { b: 1, a: '\u0085' }, max_attempts: 3, projection_targets: [] };
  state.apply(event('job.accepted', unsorted, { seq: 65, job_id: 'unsorted' }), true);
  state.apply(event('job.claimed', lease, { seq: 66, job_id: 'unsorted' }), true);
  const agent_runs = { run: { agent: 'x', verdict: 'failed', cost_usd: 1 } };
  state.apply(event('job.heartbeat', { ...lease, agent_runs }, { seq: 67, job_id: 'unsorted' }), true);
  assert.is(state.job('unsorted')?.agent_runs?.length, 1);
  const digest = createHash('sha256').update(bytesOf(state)).digest('hex').slice(0, 16);
  assert.equal([REDUCER_VERSION, digest], ['6', '17ceb406dc1d1030']);
  const [job] = [...state.jobs()];
  assert.equal(decodeJob(encodeJob(job as NonNullable<typeof job>)), job);
});

test.run();
