/** Some of the series: each is found by the check that it is a matter of, and nothing is found where all is well. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inLanes } from '../../spec/conformance/waiting.js';
import { allSpoilings } from './spoilings/all.js';
import { type Judged, judgeSpoiling } from './spoilings/judge.js';
import { nameOf, type Spoiling } from './spoilings/spoiling.js';

const test = suite('conformance, spoilings');
const LANES = 4;

/** By name: the check that has to complain. */
const chosen: Readonly<Record<string, string>> = {
  'GET /v1/health | now | as in mail': 'observe.health.clock',
  'GET /v1/ready | projection_status | another word of its list': 'observe.status.agrees-with-ready',
  'GET /v1/status | queue.jobs[one].attempt | one more': 'execute.state.replay-oracle',
  'GET /v1/status | the text | a member twice': 'observe.http.schema-all',
  'GET /v1/health | the answer | the one before, each third time': 'observe.health.clock',
  'GET /v1/events | limit | one more': 'observe.events.limit',
  'GET /v1/events | corrupt | one that nobody counts': 'observe.events.count-matches-lag',
  'GET /v1/events | events[claimed].payload.attempt | as a text': 'execute.claim.lease-fields',
  'a bad limit | status code | 200': 'observe.events.limit-invalid',
  'POST /v1/jobs | status | another word of its list': 'enqueue.submit.accepted',
  'POST /v1/jobs | token | added': 'enqueue.auth.missing',
  'POST /v1/jobs | idempotency_key | another each time': 'enqueue.idem.key',
  'POST /v1/jobs | payload | one value more': 'enqueue.submit.event-correlates',
  'POST /v1/jobs/cancel | job.attempt | one more': 'execute.cancel.queued',
  'GET /openclaw/v1/health | snapshot_id | another text': 'project.consumer.snapshot-identity',
};
/** What needs the least time of the two lower levels; `url.test.ts` has all of it. */
const well = ['observe.*', 'enqueue.auth.*', 'enqueue.submit.a*', 'enqueue.idem.key*', 'enqueue.validate.w*'];

let judged: readonly Judged[] = [];

test.before(async () => {
  const nothing = named('* | nothing | as it is');
  const alone = Object.entries(chosen).map(([name, check]) => ({ spoiling: named(name), only: [check] }));
  judged = await inLanes([{ spoiling: nothing, only: well }, ...alone], LANES, ({ spoiling, only }) =>
    judgeSpoiling(spoiling, only),
  );
});

function named(name: string): Spoiling {
  const found = allSpoilings.find((each) => nameOf(each) === name);
  if (found === undefined) throw new Error(`no spoiling is called ${name}`);
  return found;
}

test('nothing spoiled: nobody complains', () => {
  const [first] = judged;
  assert.equal(first?.complaints, []);
});

for (const [name, check] of Object.entries(chosen)) {
  test(`${name}: ${check}`, () => {
    const found = judged.find((each) => each.name === name);
    assert.ok((found?.made ?? 0) > 0, 'it was never made');
    const complaining = found?.complaints.map((complaint) => complaint.split(' ')[1]);
    assert.ok(complaining?.includes(check), `only ${found?.complaints.join(', ') ?? 'nobody'}: ${found?.told}`);
  });
}

test('each spoiling has a name of its own, and says whom it concerns', () => {
  const names = allSpoilings.map(nameOf);
  assert.is(new Set(names).size, names.length);
  assert.ok(names.length > 1000, String(names.length));
  for (const each of allSpoilings) assert.ok(each.probe.length > 0, nameOf(each));
});

test.run();
