/** What v0 knows of a body, and where a list is null. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { contractPart, nullLists } from '../../spec/conformance/contract-parts.js';
import { shapeProblem } from '../../spec/conformance/contract-schemas.js';

const test = suite('conformance, the shapes');
const event = {
  schema_version: 1,
  event_id: '0d9c7b1e-2222-4444-8888-1234567890ab',
  request_id: 'r',
  job_id: 'j',
  event_type: 'job.accepted',
  occurred_at: '2026-11-28T02:00:00+01:00',
  actor: 'a',
};

test('what an implementation adds is no problem, and can be left out', () => {
  const body = { events: [{ ...event, seq: 7, payload: { any: 'thing' } }], last_event_id: event.event_id, more: [] };
  assert.is(shapeProblem('Events', body), undefined);
  assert.equal(contractPart('Events', body), {
    events: [{ ...event, payload: { any: 'thing' } }],
    last_event_id: event.event_id,
  });
});

test('what is wrong is told with its place', () => {
  assert.match(shapeProblem('Events', { events: [{ ...event, actor: '' }] }) ?? '', /^\/events\/0\/actor /);
  assert.match(shapeProblem('Events', { events: [{ ...event, occurred_at: '2026-11-28' }] }) ?? '', /occurred_at/);
  assert.match(shapeProblem('Events', {}) ?? '', /^the body must have required property 'events'/);
  assert.match(shapeProblem('Error', { error: 5 }) ?? '', /^\/error must be string/);
});

test('lists that are null', () => {
  assert.equal(nullLists('Events', { events: null }), ['events']);
  assert.equal(nullLists('Status', { queue: { jobs: null }, projections: { rpi: { runs: null }, jobs: [] } }), [
    'queue.jobs',
    'projections.rpi.runs',
  ]);
  assert.equal(nullLists('Health', { now: null }), []);
});

test.run();
