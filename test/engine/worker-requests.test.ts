import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { limits } from '../../lib/base/limits.js';
import { Kernel } from '../../lib/engine/kernel.js';
import { answerWorker, type WorkerRequest, type WorkerRequestSeams } from '../../lib/engine/worker-requests.js';
import type { SubmitCommand } from '../../lib/model/command.js';
import type { JobEnvelope } from '../../lib/model/worker-protocol.js';
import { createNodeClock, createNodeRandom } from '../../lib/storage/node-clock.js';
import { MemoryLedger } from '../support/memory-ledger.js';
import { cancelCommand, claimCommand, expireLease, submitCommand } from '../support/model.js';

interface Room {
  kernel: Kernel;
  ledger: MemoryLedger;
  stopping: boolean;
  seams: WorkerRequestSeams;
}
const test = suite<Room>('what workers ask');

test.before.each(async (room) => {
  room.kernel = new Kernel(createNodeClock());
  room.ledger = new MemoryLedger(room.kernel.observer);
  room.kernel.attach(room.ledger);
  room.stopping = false;
  room.seams = {
    kernel: room.kernel,
    clock: createNodeClock(),
    random: createNodeRandom(),
    maxAttempts: () => 2,
    actor: 'worker-7',
    lease: { job_id: 'job_1', claim_token: 'token_1', lease_epoch: 1 },
    isStopping: () => room.stopping,
  };
  await room.kernel.execute(submitCommand({ job_type: 'factory.admission' }));
  await room.kernel.execute(claimCommand());
});

const decided = (payload: JsonObject = { allowed: true }): WorkerRequest => ({
  kind: 'record_event',
  ask: 3,
  event_type: 'factory.admission_decided',
  payload,
});
const child = (more: Partial<JobEnvelope> = {}): WorkerRequest => ({
  kind: 'submit_job',
  ask: 4,
  envelope: { job_type: 'rpi.run', idempotency_key: 'child-of-job_1', payload: { goal: 'it' }, ...more },
});
const typesIn = (room: Room) => room.ledger.events.map(({ event_type }) => event_type);

test('an event is recorded in the name of the worker, once', async (room) => {
  const answers = await Promise.all([answerWorker(decided(), room.seams), answerWorker(decided(), room.seams)]);
  const [event] = room.ledger.events.filter(({ event_type }) => event_type.startsWith('factory.'));
  assert.equal(answers, [
    { kind: 'event_recorded', ask: 3, event_id: event?.event_id },
    { kind: 'event_recorded', ask: 3, event_id: event?.event_id },
  ]);
  assert.is(event?.actor, 'worker-7');
  assert.equal(event?.payload, { allowed: true, claim_token: 'token_1', lease_epoch: 1 });
  assert.equal(typesIn(room), ['job.accepted', 'job.claimed', 'factory.admission_decided']);
});

test('a second attempt gets the event of the first one', async (room) => {
  const first = await answerWorker(decided(), room.seams);
  await room.kernel.execute(expireLease);
  assert.is((await answerWorker(decided(), room.seams)).kind, 'refused');
  await room.kernel.execute(claimCommand({ claim_token: 'token_2' }));
  const lease = { job_id: 'job_1', claim_token: 'token_2', lease_epoch: 2 };
  assert.equal(await answerWorker(decided({ allowed: false }), { ...room.seams, lease }), first);
});

test('what an earlier attempt recorded can be asked for, whatever was decided since', async (room) => {
  const ask: WorkerRequest = { kind: 'ask_recorded_event', ask: 5, event_type: 'factory.admission_decided' };
  assert.equal(await answerWorker(ask, room.seams), { kind: 'recorded_event', ask: 5 });
  await answerWorker(decided({ allowed: true, why: ['ä'] }), room.seams);
  await answerWorker(child(), room.seams);
  await answerWorker(decided({ allowed: false }), room.seams);
  const answer = { kind: 'recorded_event', ask: 5, payload: { allowed: true, why: ['ä'] } };
  assert.equal(await answerWorker(ask, room.seams), answer);
});

test('the orders of other jobs that have not ended, and nothing else of them', async (room) => {
  const work_order = { id: 'o', paths: ['src'], goal: 'not told' };
  const submit = (job_id: string, more: Partial<SubmitCommand>) =>
    room.kernel.execute(submitCommand({ job_id, ...more }));
  await submit('running', { job_type: 'rpi.run', payload: { work_order } });
  await room.kernel.execute(claimCommand({ job_id: 'running', claim_token: 'token_2' }));
  await submit('queued', { job_type: 'factory.admission', payload: { work_order: 'o.json', handoff: {} } });
  await submit('without', { job_type: 'rpi.run', payload: { work_order: null } });
  await submit('of another type', { job_type: 'eval.suite', payload: { work_order } });
  await submit('cancelled', { job_type: 'rpi.run', payload: { work_order } });
  await room.kernel.execute(cancelCommand({ job_id: 'cancelled' }));
  const answer = await answerWorker({ kind: 'ask_open_orders', ask: 6 }, room.seams);
  const told = { earlier: false, handsOn: false };
  assert.equal(answer, {
    kind: 'open_orders',
    ask: 6,
    orders: [
      { ...told, job_id: 'running', job_type: 'rpi.run', work_order: { id: 'o', paths: ['src'] } },
      { ...told, job_id: 'queued', job_type: 'factory.admission', handsOn: true, work_order: 'o.json' },
    ],
  });
  const lease = { job_id: 'queued', claim_token: 'token_3', lease_epoch: 1 };
  const seen = await answerWorker({ kind: 'ask_open_orders', ask: 7 }, { ...room.seams, lease });
  assert.equal(seen.kind === 'open_orders' && seen.orders.map(({ job_id, earlier }) => [job_id, earlier]), [
    ['running', true],
  ]);
});

test('nothing is answered before it is durable', async (room) => {
  room.ledger.automatic = false;
  let answered = 0;
  const asked = [decided(), decided(), child(), child()].map(async (request) => {
    await answerWorker(request, room.seams);
    answered += 1;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(answered, 0);
  room.ledger.flush();
  await Promise.all(asked);
  assert.equal(typesIn(room).slice(2), ['factory.admission_decided', 'job.accepted']);
});

test('a payload that no line can hold is refused by name', async (room) => {
  const long = { text: 'x'.repeat(limits.recordedPayloadBytes) };
  const wrong: JsonObject[] = [{ count: Number.NaN }, { text: '\ud800' }, long];
  for (const payload of wrong) {
    const answer = await answerWorker(decided(payload), room.seams);
    assert.is(answer.kind, 'refused');
    if (answer.kind === 'refused') assert.match(answer.failure.message ?? '', /factory\.admission_decided/);
  }
  const fitting = limits.recordedPayloadBytes - JSON.stringify({ text: '' }).length;
  assert.is((await answerWorker(decided({ text: 'x'.repeat(fitting) }), room.seams)).kind, 'event_recorded');
});

test('a job is submitted once under its key, as any caller submits it', async (room) => {
  const first = await answerWorker(child(), room.seams);
  assert.is(first.kind, 'job_submitted');
  assert.equal(await answerWorker(child(), room.seams), first);
  const other = await answerWorker(child({ payload: { goal: 'another' } }), room.seams);
  assert.equal(other, { ...first, conflict: 'payload' });
  const accepted = room.ledger.events.at(-1);
  assert.is(accepted?.actor, 'worker-7');
  assert.is(accepted?.payload?.['max_attempts'], 2);
  assert.is(typesIn(room).length, 3);
});

test('a wrong envelope is refused with the words that every way in uses', async (room) => {
  const wrong: [Partial<Record<keyof JobEnvelope, unknown>>, RegExp][] = [
    [{ job_type: 'rpi.rum' }, /did you mean rpi\.run/],
    [{ payload: { goal: 7 } }, /payload\.goal must be/],
    [{ idempotency_key: 'k'.repeat(300) }, /idempotency_key/],
    [{ payload: { goal: 'x'.repeat(limits.requestBodyBytes) } }, /bytes long/],
  ];
  for (const [more, words] of wrong) {
    const answer = await answerWorker(child(more as Partial<JobEnvelope>), room.seams);
    assert.ok(answer.kind === 'refused' && answer.failure.code === 'request_rejected');
    if (answer.kind === 'refused') assert.match(answer.failure.message ?? '', words);
  }
  assert.is(typesIn(room).length, 2);
});

test('a cancelled job records nothing and has no children', async (room) => {
  await room.kernel.execute(cancelCommand());
  for (const request of [decided(), child()]) assert.is((await answerWorker(request, room.seams)).kind, 'refused');
  assert.equal(typesIn(room), ['job.accepted', 'job.claimed', 'job.cancelled']);
});

test('on a full disk it waits for room, and gives up when the attempt is to stop', async (room) => {
  const awake = setInterval(() => {}, 60_000);
  room.ledger.full = true;
  const asked = answerWorker(child(), room.seams);
  await new Promise((resolve) => setImmediate(resolve));
  room.ledger.full = false;
  assert.is((await asked).kind, 'job_submitted');
  room.ledger.full = true;
  const given = answerWorker(decided(), room.seams);
  room.stopping = true;
  assert.is((await given).kind, 'refused');
  clearInterval(awake);
});

test.run();
