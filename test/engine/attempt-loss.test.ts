import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TaskStarter } from '../../lib/engine/attempt-seams.js';
import { prepareRunFolder } from '../../lib/engine/run-folder.js';
import type { TaskEnd } from '../../lib/engine/thread-slot.js';
import { Workshop } from '../support/workshop.js';

const loss = suite('attempt: loss');
let shop: Workshop | undefined;

async function open(...options: Parameters<typeof Workshop.open>): Promise<Workshop> {
  shop = await Workshop.open(...options);
  return shop.start();
}
loss.after.each(async () => {
  await shop?.close();
  shop = undefined;
});

const untilAborted =
  'export default (job, context) => new Promise((resolve, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason)));';

/** Blocks its thread in the attempts that the payload names; spins in short waits so that a test can end it. */
const blocksIn = `export default (job) => {
  if (job.attempt > job.payload.attempts) return { attempt: job.attempt };
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
};`;

loss('heartbeats: the ledger alone never shows an expired lease, the lease file is renewed more often', async () => {
  const shop = await open({ module: untilAborted, queue: { lease_seconds: 1, heartbeat_seconds: 0.5 } });
  const id = await shop.submit();
  const ends: string[] = [];
  shop.kernel.onChange(() => ends.push(shop.kernel.state.job(id)?.lease_expires_at ?? ''));
  await shop.until(() => shop.typesOf(id).filter((type) => type === 'job.heartbeat').length >= 4, 'four heartbeats');
  assert.is(shop.job(id).status, 'running');
  assert.is(shop.job(id).attempt, 1);
  const claim = shop.eventsOf(id).filter((event) => event.event_type !== 'job.accepted');
  for (const [at, event] of claim.entries()) {
    const next = claim[at + 1];
    if (next === undefined) break;
    const end = (event.payload as { lease_expires_at: string }).lease_expires_at;
    assert.ok(Date.parse(next.occurred_at) < Date.parse(end), `renewed before ${end}`);
    assert.ok(Date.parse((next.payload as { lease_expires_at: string }).lease_expires_at) > Date.parse(end));
  }
  assert.ok(shop.leaseWrites.length > claim.length, 'the file more often than the ledger');
  await shop.cancel(id);
  await shop.untilIdle();
});

loss('a blocked thread loses its lease, is ended, and the job is tried again with the next epoch', async () => {
  const shop = await open({
    module: blocksIn,
    queue: { lease_seconds: 1, heartbeat_seconds: 0.25, cancel_grace_seconds: 0.2 },
  });
  const id = await shop.submit({ attempts: 1 });
  await shop.untilStatus(id, 'completed');
  await shop.untilIdle();
  const job = shop.job(id);
  assert.is(job.attempt, 2);
  assert.is(job.lease_epoch, 2);
  const types = shop.typesOf(id).filter((type) => type !== 'job.heartbeat');
  assert.equal(types, ['job.accepted', 'job.claimed', 'job.lease_expired', 'job.claimed', 'job.completed']);
});

loss('a job whose worker is lost at every attempt fails with retry_exhausted', async () => {
  const shop = await open({ module: 'export default () => process.exit(3);' });
  const id = await shop.submit();
  await shop.untilStatus(id, 'failed');
  assert.is(shop.job(id).failure?.code, 'retry_exhausted');
  assert.is(shop.job(id).attempt, 3);
  assert.is(shop.typesOf(id).filter((type) => type === 'job.claimed').length, 3);
});

loss('exit, uncaught errors, rejections and memory without end cost their thread alone', async () => {
  const shop = await open({
    workers: 2,
    limits: { memory_mb: 48 },
    module: `export default (job, context) => {
      if (job.attempt > 1) return { attempt: job.attempt };
      switch (job.payload.how) {
        case 'exit': process.exit(0);
        case 'uncaught': setTimeout(() => { throw new Error('from a timer'); }, 1); return new Promise(() => {});
        case 'rejection': Promise.reject(new Error('nobody listens')); return new Promise(() => {});
        case 'memory': { const all = []; for (;;) all.push(new Array(10000).fill(all.length)); }
        default: return new Promise((resolve) => setTimeout(resolve, 1500));
      }
    };`,
  });
  const bystander = await shop.submit({ how: 'slow' });
  const ids = await Promise.all(['exit', 'uncaught', 'rejection', 'memory'].map((how) => shop.submit({ how })));
  await shop.until(() => [bystander, ...ids].every((id) => shop.job(id).status === 'completed'), 'all completed');
  assert.is(shop.job(bystander).attempt, 1);
  for (const id of ids) assert.is(shop.job(id).attempt, 2, `${JSON.stringify(shop.job(id).payload)} was tried again`);
});

loss('a result that the ledger can not take now is told again, and the work is not done twice', async () => {
  const shop = await open({
    module: 'export default (job, context) => new Promise((resolve) => setTimeout(resolve, 100));',
  });
  const id = await shop.submit();
  await shop.until(() => shop.dispatcher.attempts().get(id)?.hasBegun === true, 'it runs');
  shop.ledger.automatic = false;
  const taken = shop.ledger.events.length;
  await shop.until(() => shop.ledger.waitingCount() > 0, 'the result is on its way');
  shop.ledger.failBatch(false);
  assert.is(shop.ledger.events.length, taken);
  shop.ledger.automatic = true;
  await shop.untilStatus(id, 'completed');
  assert.is(shop.job(id).attempt, 1);
});

loss(
  'a disk without room for the run folder costs no attempt: the job waits for room, and its lease lives',
  async () => {
    let room = false;
    const shop = await open({
      queue: { lease_seconds: 1, heartbeat_seconds: 0.25 },
      makeRunFolder: async (...place) => {
        if (room) return prepareRunFolder(...place);
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      },
    });
    const id = await shop.submit();
    const heartbeats = () => shop.typesOf(id).filter((type) => type === 'job.heartbeat').length;
    await shop.until(() => heartbeats() >= 5, 'longer than its lease');
    assert.is(shop.job(id).status, 'running');
    const other = await shop.submit();
    await shop.until(() => shop.job(other).status === 'running', 'it waits too');
    await shop.cancel(other);
    room = true;
    await shop.untilStatus(id, 'completed');
    assert.is(shop.job(id).attempt, 1);
    await shop.untilIdle();
    assert.is(shop.job(other).status, 'cancelled');
  },
);

loss('a worker file that can not load is told, and loses no job', async () => {
  const shop = await open({ workers: 1, entry: new URL('file:///nowhere/entry.js'), threadStartMs: 3000 });
  assert.match((await shop.pool.probe()) ?? '', /nowhere|Cannot find/);
  const id = await shop.submit();
  await shop.untilStatus(id, 'failed');
  assert.is(shop.job(id).failure?.code, 'retry_exhausted');
});

loss('a thread that takes long to start, and processes that take long to end, cost no lease', async () => {
  let beats = 0;
  let finish: (end: TaskEnd) => void = () => {};
  const ended = new Promise<TaskEnd>((resolve) => {
    finish = resolve;
  });
  const slot: TaskStarter = {
    name: 'worker-1',
    start: (_body, _memoryMb, onMessage) => {
      onMessage({ kind: 'child', pid: 999_999_999, started: '1' });
      return { beats: () => beats, stop: () => {}, post: () => {}, terminate: () => {}, ended };
    },
  };
  let sweep: () => void = () => {};
  const swept = new Promise<void>((resolve) => {
    sweep = resolve;
  });
  const processes = { moment: () => undefined, end: () => swept.then(() => ({ ended: [], remaining: [] })) };
  const shop = await open({
    workers: 1,
    slots: [slot],
    processes,
    queue: { lease_seconds: 1, heartbeat_seconds: 0.25 },
  });
  const id = await shop.submit();
  const heartbeats = () => shop.typesOf(id).filter((type) => type === 'job.heartbeat').length;
  await shop.until(() => heartbeats() > 5, 'it lives while the thread starts');
  beats = 1;
  finish({ kind: 'result', result: { kind: 'completed', artifacts: {}, artifact_refs: {} } });
  const before = heartbeats();
  await shop.until(() => heartbeats() > before + 5, 'it lives while its processes are ended');
  sweep();
  await shop.untilStatus(id, 'completed');
  assert.is(shop.job(id).attempt, 1);
});

loss.run();
