import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { timestamp } from '../../lib/base/clock.js';
import { processMoment } from '../../lib/engine/processes.js';
import { Reaper } from '../../lib/engine/reaper.js';
import { isAlive, Nursery } from '../support/nasty-children.js';
import { Workshop } from '../support/workshop.js';

const reaper = suite('reaper');
const MARKER = 'reaper-test-marker-0123456789';
let shop: Workshop;
let nursery: Nursery;

reaper.before.each(async () => {
  shop = await Workshop.open({ workers: 0 });
  nursery = new Nursery();
});
reaper.after.each(async () => {
  nursery.end();
  await shop.close();
});

/** A job under a lease of a daemon that is no more. */
async function leased(leaseMs: number): Promise<string> {
  const id = await shop.submit();
  const now = shop.clock.wallMs();
  await shop.kernel.execute({
    kind: 'claim',
    job_id: id,
    claim_token: `token-${id}`,
    lease_expires_at: timestamp(now + leaseMs),
    actor: 'worker-1',
    occurredAt: timestamp(now),
  });
  return id;
}

reaper('at the start: processes first, then the lease at once, whatever time it has left', async () => {
  const started_after = processMoment();
  const id = await leased(60_000);
  const child = await nursery.start('trap "" INT TERM; echo $$; while :; do sleep 1; done', MARKER, 1);
  const job = shop.job(id);
  shop.leases.set(id, {
    job_id: id,
    job_type: job.job_type,
    attempt: 1,
    claim_token: job.claim_token ?? '',
    lease_epoch: 1,
    lease_expires_at: job.lease_expires_at ?? '',
    marker: MARKER,
    children: [{ pid: child.pid, started: child.started }],
    started_after,
  });
  let aliveAtExpiry: boolean | undefined;
  shop.kernel.onChange((events) => {
    if (events.some((event) => event.event_type === 'job.lease_expired')) aliveAtExpiry = isAlive(child.pid);
  });
  await shop.reaper.reconcile();
  assert.is(aliveAtExpiry, false, 'nothing ran any more when the lease was expired');
  assert.is(shop.job(id).status, 'retry_waiting');
  assert.is(shop.leases.size, 0);
});

reaper('a job with a process that can not be ended does not run again beside it', async () => {
  const id = await leased(-1);
  const job = shop.job(id);
  const record = {
    job_id: id,
    job_type: job.job_type,
    attempt: 1,
    claim_token: job.claim_token ?? '',
    lease_epoch: 1,
    lease_expires_at: job.lease_expires_at ?? '',
    marker: MARKER,
    children: [],
  };
  let remaining = [4242];
  const forgotten: string[] = [];
  const stubborn = new Reaper({
    kernel: shop.kernel,
    clock: shop.clock,
    logger: () => {},
    processes: { moment: () => undefined, end: async () => ({ ended: [], remaining }) },
    recorded: async () => [record],
    forget: async (jobId) => {
      forgotten.push(jobId);
    },
    isHeldHere: () => false,
  });
  await stubborn.reconcile();
  await stubborn.runOnce();
  assert.not(shop.typesOf(id).includes('job.lease_expired'));
  assert.equal(forgotten, [], 'who is to be ended is remembered');
  remaining = [];
  await stubborn.runOnce();
  assert.is(shop.job(id).status, 'retry_waiting');
  assert.ok(shop.typesOf(id).includes('job.lease_expired'));
  assert.equal(forgotten, [id]);
});

reaper('later on: only leases that have run out', async () => {
  const long = await leased(60_000);
  const short = await leased(-1);
  await shop.reaper.runOnce();
  assert.is(shop.job(long).status, 'running');
  assert.is(shop.job(short).status, 'retry_waiting');
});

reaper('attempts used up fail the job', async () => {
  shop.configuration = { ...shop.configuration, queue: { ...shop.configuration.queue, max_attempts: 1 } };
  const id = await leased(60_000);
  await shop.reaper.reconcile();
  assert.is(shop.job(id).status, 'failed');
  assert.is(shop.job(id).failure?.code, 'retry_exhausted');
});

reaper('expires nothing that stands before damage, and nothing without a writer', async () => {
  const id = await leased(60_000);
  shop.ledger.condition = { ...shop.ledger.condition, claimsHeldThroughSeq: shop.ledger.lastSeq() };
  await shop.reaper.reconcile();
  assert.is(shop.job(id).status, 'running');
  shop.ledger.condition = { ...shop.ledger.condition, claimsHeldThroughSeq: 0, writable: false };
  await shop.reaper.reconcile();
  assert.is(shop.job(id).status, 'running');
});

reaper.run();
