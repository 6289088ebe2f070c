/** The monitors, over answers that nobody had to be asked for. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { levels } from '../../spec/conformance/catalogue.js';
import { Findings } from '../../spec/conformance/findings.js';
import type { JsonObject } from '../../spec/conformance/json.js';
import { repeatedMember } from '../../spec/conformance/json-members.js';
import { noTraffic, Watch } from '../../spec/conformance/monitor/watch.js';
import { seenBeside } from '../../spec/conformance/report/alarms.js';
import type { Exchange } from '../../spec/conformance/target/exchange.js';

const test = suite('conformance, monitors');
const AT = Date.parse('2026-11-28T02:00:00Z');
const timeOf = (second: number): string => new Date(AT + second * 1000).toISOString();

const events = [
  event('e1', 'job.accepted', 'j', taking({ a: 1 })),
  event('e2', 'job.accepted', 'other', taking({})),
  event('e3', 'job.cancelled', 'j', { result_status: 'cancelled', reason: 'cancelled' }),
];
const lag = (count: number): JsonObject => ({
  last_event_id: `e${count}`,
  event_count: count,
  corrupt_record_count: 0,
  degraded: false,
});
const taken = { accepted: true, request_id: 'r-j', job_id: 'j', status: 'queued', last_event_id: 'e1' };
const job = {
  job_id: 'j',
  job_type: 'rpi.run',
  request_id: 'r-j',
  request_ids: ['r-j'],
  status: 'cancelled',
  attempt: 0,
  max_attempts: 3,
  payload: { a: 1 },
  projection_targets: ['rpi-registry'],
  last_event_id: 'e3',
  created_at: timeOf(1),
  updated_at: timeOf(3),
};

function taking(job_payload: JsonObject): JsonObject {
  return { job_type: 'rpi.run', max_attempts: 3, projection_targets: ['rpi-registry'], job_payload };
}

function event(event_id: string, event_type: string, job_id: string, payload: JsonObject): JsonObject {
  const second = Number(event_id.slice(1));
  const ids = { schema_version: 1, event_id, request_id: `r-${job_id}`, job_id };
  return { ...ids, event_type, occurred_at: timeOf(second), actor: 'a', payload };
}

/** An answer that was made at some second. */
function answer(method: string, path: string, json: JsonObject, second: number): Exchange {
  return {
    ...{ method, base: 'http://127.0.0.1:1', path, requestHeaders: {}, requestBody: undefined },
    status: method === 'GET' ? 200 : 202,
    headers: { 'content-type': 'application/json' },
    rawHeaders: [],
    text: JSON.stringify(json),
    json,
    startedAt: AT + second * 1000,
    endedAt: AT + second * 1000 + 10,
  };
}

const listOf = (all: readonly JsonObject[]): Exchange =>
  answer('GET', '/v1/events', { events: all, last_event_id: 'e3' }, 20);
const list = listOf(events);

/** What is found, as `severity check`, once the events are known. */
function found(...answers: Exchange[]): string[] {
  return foundIn(events, ...answers);
}

function foundIn(history: readonly JsonObject[], ...answers: Exchange[]): string[] {
  const findings = new Findings();
  const watch = new Watch(findings, { consumerBase: '/openclaw/v1', token: undefined, claims: levels }, noTraffic());
  for (const each of [...answers, listOf(history)]) watch.see(each);
  return findings.checks().flatMap((check) => findings.of(check).map(({ severity }) => `${severity} ${check}`));
}

const submitted = (more: JsonObject): Exchange =>
  answer('POST', '/v1/jobs', { ...taken, projection_status: 'current', projection_lag: lag(1), ...more }, 4);
const cancelled = (more: JsonObject, path = '/v1/jobs/cancel'): Exchange => {
  const body = { cancelled: true, outcome: 'cancelled', job: { ...job, ...more } };
  return answer('POST', path, { ...body, projection_status: 'current', projection_lag: lag(3) }, 5);
};

test('answers that are true: nothing is found', () => {
  assert.equal(found(submitted({}), cancelled({}), cancelled({}, '/v1/jobs/j/cancel')), []);
});

test('the answer of a submit is that of its job and its event', () => {
  const check = 'MUST enqueue.submit.event-correlates';
  assert.equal(found(submitted({ last_event_id: 'e2' })), [check]);
  assert.equal(found(submitted({ last_event_id: 'e9' })), [check]);
  assert.equal(found(submitted({ request_id: 'r-x' })), [check]);
  assert.equal(found(submitted({ job_id: 'other', request_id: 'r-other', last_event_id: 'e2', status: 'running' })), [
    check,
  ]);
  // What came later may have been seen already.
  assert.equal(found(submitted({ status: 'cancelled' })), []);
});

test('the answer of a trigger too, against its own check', () => {
  const trigger = { ...taken, job_type: 'dream.run', snapshot_status: 'current' };
  const check = 'MUST project.trigger.allowlisted';
  assert.equal(found(answer('POST', '/openclaw/v1/triggers/jobs', trigger, 4)), [check]);
});

test('the answer of a cancel shows the job as its events have it', () => {
  for (const more of [
    { attempt: 1 },
    { request_ids: ['r-j', 'r-x'] },
    { created_at: timeOf(2) },
    { status: 'failed' },
  ]) {
    assert.equal(found(cancelled(more)), ['MUST execute.cancel.queued'], JSON.stringify(more));
  }
  assert.equal(found(cancelled({ payload: { a: 2 } })), ['SHOULD execute.cancel.queued']);
  assert.equal(found(cancelled({ attempt: 1 }, '/v1/jobs/j/cancel')), ['MUST execute.cancel.path-form']);
});

test('what a view adds to an artifact is its own business; an artifact of which no event told is not', () => {
  const reference = { path: 'a.txt', sha256: 'a'.repeat(64), size: 1, written_at: timeOf(2) };
  const claim = { claim_token: 't', lease_epoch: 1, attempt: 1, lease_expires_at: timeOf(9) };
  const done = { claim_token: 't', lease_epoch: 1, result_status: 'succeeded', artifact_refs: { a: reference } };
  const history = [
    event('e1', 'job.accepted', 'j', taking({ a: 1 })),
    event('e2', 'job.claimed', 'j', claim),
    event('e3', 'job.completed', 'j', done),
  ];
  const ended = (ref: JsonObject, more: JsonObject = {}): string[] => {
    const shown = { ...job, status: 'completed', attempt: 1, lease_epoch: 1, artifact_refs: { a: ref }, ...more };
    const body = { cancelled: false, outcome: 'already_terminal_completed', job: shown };
    const late = answer(
      'POST',
      '/v1/jobs/cancel',
      { ...body, projection_status: 'current', projection_lag: lag(3) },
      5,
    );
    return foundIn(history, late);
  };
  assert.equal(ended({ ...reference, more: true }), []);
  assert.equal(ended({ ...reference, size: 2 }), ['MUST execute.cancel.queued']);
  assert.equal(ended(reference, { artifacts: { b: 'b.txt' } }), ['SHOULD execute.cancel.queued']);
});

test('counts never go back, and neither do heads', () => {
  const ready = (count: number, second: number): Exchange => {
    const body = { ready: true, ledger_replay_status: 'complete', projection_status: 'current' };
    return answer('GET', '/v1/ready', { ...body, projection_lag: lag(count) }, second);
  };
  assert.equal(found(ready(2, 4), ready(3, 5), ready(3, 6)), []);
  // Asked for before the other was there.
  assert.equal(found(ready(3, 5), ready(2, 5)), []);
  const late = ['SHOULD observe.events.count-matches-lag', 'SHOULD observe.status.head-equals-ledger-head'];
  assert.equal(found(ready(3, 5), ready(2, 6)), late);
});

test("the consumer's health counts what the events name, and is no older than they are", () => {
  const health = (more: JsonObject): Exchange => {
    const source = { ledger: 'ledger', last_event_id: 'e3' };
    const body = {
      status: 'ok',
      ready: true,
      snapshot_id: 's',
      generated_at: timeOf(3),
      source,
      snapshot_status: 'current',
    };
    return answer(
      'GET',
      '/openclaw/v1/health',
      { ...body, resource_counts: { runs: 2, jobs: 2, wiki: 0 }, ...more },
      6,
    );
  };
  assert.equal(found(health({})), []);
  const counts = ['MUST project.consumer.lists-equal-snapshot'];
  assert.equal(found(health({ resource_counts: { runs: 2, jobs: 3, wiki: 0 } })), counts);
  const moment = ['SHOULD project.consumer.snapshot-identity'];
  assert.equal(found(health({ generated_at: timeOf(0) })), moment);
  assert.equal(found(health({ generated_at: timeOf(3_600) })), moment);
});

test('a name twice in one object', () => {
  assert.is(repeatedMember('{"a":[{"b":1},{"b":2}],"c":{"a":"\\"b\\": {"}}'), undefined);
  assert.is(repeatedMember('{"a":1,"b":{"c":[],"c" :2}}'), '"c"');
  const twice = { ...list, text: list.text.replace('{', '{"events":0,') };
  assert.equal(found(twice), ['SHOULD observe.http.schema-all']);
});

test('what belongs to checks that were not asked for is told', () => {
  const findings = new Findings();
  findings.add('b.c', { severity: 'MUST', expected: 'this', observed: 'that' });
  findings.add('b.d', { severity: 'MUST', expected: 'this', observed: 'that' });
  const told = seenBeside(findings, (check) => check === 'b.d');
  assert.equal(told, ['seen, though b.c is not part of this run: expected this; observed that']);
});

test.run();
