import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../lib/base/clock.js';
import { AgentopsdError } from '../../lib/base/errors.js';
import { type Kernel, openKernel } from '../../lib/engine/kernel.js';
import { MemoryLedger } from '../support/memory-ledger.js';
import { accepted, cancelCommand, claimCommand, complete, submitCommand } from '../support/model.js';

const test = suite('kernel');
const clock: Clock = { wallMs: () => 1_000, monotonicMs: () => 0, after: () => () => undefined };

async function open(
  replayed: Parameters<typeof accepted>[0][] = [],
): Promise<{ kernel: Kernel; ledger: MemoryLedger }> {
  let ledger: MemoryLedger | undefined;
  const kernel = await openKernel({
    clock,
    openLedger: async (observer) => {
      ledger = new MemoryLedger(
        observer,
        replayed.map((type, at) => accepted(type, { seq: at + 1, job_id: `old_${at + 1}` })),
      );
      return ledger;
    },
  });
  assert.ok(ledger);
  return { kernel, ledger };
}

test('an answer comes after the events are durable, and not before readers see them', async () => {
  const { kernel, ledger } = await open();
  ledger.automatic = false;
  let answered = false;
  const submitted = kernel.execute(submitCommand()).then((outcome) => {
    answered = true;
    assert.is(kernel.state.job('job_1')?.status, 'queued');
    return outcome;
  });
  await new Promise(setImmediate);
  assert.equal([answered, kernel.state.jobCount], [false, 0]);
  ledger.flush();
  const outcome = await submitted;
  assert.equal([outcome.appended, outcome.deduplicated, outcome.job?.job_id], [1, false, 'job_1']);
});

test('sixty-four callers with one key make one job, and all wait for it', async () => {
  const { kernel, ledger } = await open();
  ledger.automatic = false;
  const callers = Array.from({ length: 64 }, (_, at) =>
    kernel.execute(
      submitCommand({ idempotency_key: 'k', job_id: undefined, generatedJobId: `job_${at}`, request_id: `req_${at}` }),
    ),
  );
  let early = 0;
  for (const caller of callers) void caller.then(() => early++);
  await new Promise(setImmediate);
  assert.is(early, 0, 'nobody hears of a job that a crash could take away');
  ledger.flush();
  const outcomes = await Promise.all(callers);
  assert.equal([...new Set(outcomes.map((outcome) => outcome.job?.job_id))], ['job_0']);
  assert.is(outcomes.filter((outcome) => outcome.appended === 1).length, 1);
  assert.is(ledger.events.length, 1);
});

test('decisions go on from decisions that are still on their way', async () => {
  const { kernel, ledger } = await open();
  ledger.automatic = false;
  const all = [kernel.execute(submitCommand()), kernel.execute(claimCommand()), kernel.execute(complete)];
  ledger.flush();
  const outcomes = await Promise.all(all);
  assert.is(outcomes[2]?.job?.status, 'completed');
  assert.equal(
    ledger.events.map((event) => event.seq),
    [1, 2, 3],
  );
});

test('a refusal is an error with its code and appends nothing', async () => {
  const { kernel, ledger } = await open();
  const error = await kernel.execute(cancelCommand()).then(
    () => undefined,
    (refused: unknown) => refused,
  );
  assert.instance(error, AgentopsdError);
  assert.is((error as AgentopsdError).code, 'unknown_job');
  assert.is(ledger.events.length, 0);
});

test('after a failed batch its decisions are forgotten, and the same key may be asked again', async () => {
  const { kernel, ledger } = await open();
  ledger.automatic = false;
  const lost = kernel.execute(submitCommand({ idempotency_key: 'k' })).catch((error: AgentopsdError) => error.code);
  const repeated = kernel.execute(submitCommand({ idempotency_key: 'k' })).catch((error: AgentopsdError) => error.code);
  ledger.failBatch(false);
  assert.equal(await Promise.all([lost, repeated]), ['outcome_unknown', 'outcome_unknown']);
  assert.is(kernel.state.jobCount, 0);
  const again = kernel.execute(submitCommand({ idempotency_key: 'k' }));
  ledger.flush();
  assert.is((await again).appended, 1);
  assert.equal(
    ledger.events.map((event) => event.seq),
    [1],
  );
});

test('what a full disk refuses was never decided, and the same key is taken once there is room', async () => {
  const { kernel, ledger } = await open(['wiki.build']);
  ledger.full = true;
  for (const key of ['k', 'k', 'other']) {
    const refused = kernel.execute(submitCommand({ idempotency_key: key }));
    assert.is(await refused.catch((error: AgentopsdError) => error.code), 'writer_stopped');
  }
  ledger.full = false;
  assert.is((await kernel.execute(submitCommand({ idempotency_key: 'k' }))).appended, 1);
  assert.equal(
    ledger.events.map((event) => event.seq),
    [1, 2],
  );
});

test('what the ledger does not even take was never decided', async () => {
  const { kernel, ledger } = await open();
  const { append } = ledger;
  ledger.append = () => {
    throw new AgentopsdError('writer_stopped', 'the disk is full');
  };
  const refused = kernel.execute(submitCommand({ idempotency_key: 'k' })).catch((error: AgentopsdError) => error.code);
  assert.is(await refused, 'writer_stopped');
  ledger.append = append;
  const { appended, job } = await kernel.execute(submitCommand({ idempotency_key: 'k' }));
  assert.is(appended, 1);
  assert.is(job?.status, 'queued');
  assert.equal(
    ledger.events.map((event) => event.seq),
    [1],
  );
});

test('a replayed ledger is the state that decisions begin from', async () => {
  const { kernel, ledger } = await open(['wiki.build', 'rpi.run']);
  assert.is(kernel.state.jobCount, 2);
  await kernel.execute(submitCommand());
  assert.is(ledger.events.at(-1)?.event_id, 'evt_job.accepted_job_1_000003');
});

test('listeners hear each batch after it is folded, and a stop with its reason', async () => {
  const { kernel, ledger } = await open();
  const heard: string[] = [];
  const end = kernel.onChange((events) =>
    heard.push(...events.map((event) => `${event.event_type} ${kernel.state.job(event.job_id)?.status}`)),
  );
  kernel.onStopped((reason) => heard.push(reason));
  await kernel.execute(submitCommand());
  end();
  await kernel.execute(cancelCommand());
  ledger.failBatch(true);
  assert.equal(heard, ['job.accepted queued', 'the disk failed']);
});

test('a job handed in again after the writer stopped for good is not promised from memory', async () => {
  const { kernel, ledger } = await open();
  await kernel.execute(submitCommand({ idempotency_key: 'k' }));
  const again = () => kernel.execute(submitCommand({ idempotency_key: 'k' }));
  assert.is((await again()).deduplicated, true);
  ledger.failBatch(false);
  assert.is((await again()).deduplicated, true, 'a disk without room takes nothing back');
  ledger.failBatch(true);
  const refused = await again().catch((error: unknown) => error);
  assert.instance(refused, AgentopsdError);
  assert.is((refused as AgentopsdError).code, 'writer_stopped');
  assert.match((refused as AgentopsdError).message, 'the disk failed');
  assert.is(kernel.state.job('job_1')?.status, 'queued', 'reads go on');
});

test('views are told what surrounds the state', async () => {
  const { kernel } = await open();
  kernel.surround({ warnings: () => ['w'], noWorkerFor: (type) => `no ${type}` });
  kernel.tellProjectionFailure('p');
  const context = kernel.viewContext();
  assert.equal(
    [context.warnings(), context.noWorkerFor('rpi.run'), context.projectionFailure, context.wallMs],
    [['w'], 'no rpi.run', 'p', 1000],
  );
});

test.run();
