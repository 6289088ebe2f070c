import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JobType } from '../../lib/model/event.js';
import { Workshop } from '../support/workshop.js';

const dispatcher = suite('dispatcher');
let shop: Workshop | undefined;

async function open(...options: Parameters<typeof Workshop.open>): Promise<Workshop> {
  shop = await Workshop.open(...options);
  return shop;
}
dispatcher.after.each(async () => {
  await shop?.close();
  shop = undefined;
});

dispatcher('runs a job from the claim to its result', async () => {
  const shop = await open({
    module: 'export default (job, context) => { context.log("hello " + job.payload.name); return { ok: true }; };',
  });
  shop.start();
  const id = await shop.submit({ name: 'you' });
  await shop.untilStatus(id, 'completed');
  await shop.untilIdle();
  assert.equal(shop.typesOf(id), ['job.accepted', 'job.claimed', 'job.completed']);
  const job = shop.job(id);
  assert.is(job.artifacts?.['output'], `.agents/runs/${id}/attempt-1/output.log`);
  assert.is(await shop.read(job.artifacts?.['output'] ?? ''), 'hello you\n');
  assert.equal(JSON.parse(await shop.read(job.artifacts?.['result.json'] ?? '')), { ok: true });
  assert.is(
    job.artifact_refs?.['result.json']?.size,
    Buffer.byteLength(await shop.read(job.artifacts?.['result.json'] ?? '')),
  );
  assert.match(job.artifact_refs?.['result.json']?.sha256 ?? '', /^[0-9a-f]{64}$/);
  assert.is(shop.leases.size, 0, 'the lease file is gone');
  assert.is(shop.leaseWrites[0]?.claim_token, shop.eventsOf(id)[1]?.payload?.['claim_token']);
});

dispatcher('runs 30 jobs exactly once each, spread over the workers', async () => {
  const shop = await open({ workers: 3 });
  const ids = await Promise.all(Array.from({ length: 30 }, () => shop.submit()));
  shop.start();
  await shop.until(() => ids.every((id) => shop.job(id).status === 'completed'), 'all completed');
  await shop.untilIdle();
  const claims = shop.ledger.events.filter((event) => event.event_type === 'job.claimed');
  assert.is(claims.length, 30);
  assert.is(new Set(claims.map((event) => event.job_id)).size, 30);
  const byWorker = new Map<string, number>();
  for (const { actor } of claims) byWorker.set(actor, (byWorker.get(actor) ?? 0) + 1);
  assert.equal([...byWorker.keys()].sort(), ['worker-1', 'worker-2', 'worker-3']);
  for (const count of byWorker.values()) assert.ok(count > 3, `spread: ${[...byWorker]}`);
});

dispatcher('claims first in, first out, and a type that nobody takes holds no other up', async () => {
  const executors = {
    'dream.run': { kind: 'off', why: 'configured' },
    'rpi.run': { kind: 'agent', agent: 'other' },
  } as const;
  const shop = await open({ workers: 1, executors });
  const stuck = await shop.submit({}, 'dream.run');
  const unknown = await shop.submit({}, 'rpi.run');
  const ids = [await shop.submit(), await shop.submit(), await shop.submit()];
  shop.start();
  await shop.until(() => ids.every((id) => shop.job(id).status === 'completed'), 'all completed');
  const claimed = shop.ledger.events.filter((event) => event.event_type === 'job.claimed').map((event) => event.job_id);
  assert.equal(claimed, ids);
  assert.is(shop.job(stuck).status, 'queued');
  assert.is(shop.job(unknown).status, 'queued');
});

dispatcher('runs as many jobs at a time as there are workers, and no more', async () => {
  const shop = await open({
    workers: 2,
    module:
      'export default (job, context) => new Promise((resolve) => context.signal.addEventListener("abort", resolve));',
  });
  const ids = await Promise.all(Array.from({ length: 4 }, () => shop.submit()));
  shop.start();
  const running = () => ids.filter((id) => shop.job(id).status === 'running');
  await shop.until(() => running().length === 2, 'two run');
  assert.is(shop.dispatcher.attempts().size, 2);
  await shop.cancel(running()[0] as string);
  await shop.until(() => running().length === 2 && shop.dispatcher.attempts().size === 2, 'the next one runs');
  assert.is(ids.filter((id) => shop.job(id).status === 'queued').length, 1);
});

dispatcher('claims nothing without workers, nothing held back, and nothing once the writer has stopped', async () => {
  const none = await open({ workers: 0 });
  const waiting = await none.submit();
  none.start();
  none.dispatcher.runOnce();
  assert.is(none.job(waiting).status, 'queued');
  await none.close();

  const shop = await open({ workers: 1 });
  const held = await shop.submit();
  shop.ledger.condition = { ...shop.ledger.condition, claimsHeldThroughSeq: shop.ledger.lastSeq() };
  const free = await shop.submit();
  shop.start();
  await shop.untilStatus(free, 'completed');
  await shop.untilIdle();
  assert.is(shop.job(held).status, 'queued');
  shop.ledger.condition = { ...shop.ledger.condition, claimsHeldThroughSeq: 0, writable: false };
  shop.dispatcher.runOnce();
  assert.is(shop.dispatcher.attempts().size, 0);
});

dispatcher('fails a job whose handler throws, with the message, and no retry', async () => {
  const shop = await open({
    module: `export default (job) => {
      if (job.payload.how === 'coded') throw Object.assign(new Error('x'), { failure: { code: 'session_pending', message: 'come back', retryable: true } });
      if (job.payload.how === 'map') return new Map();
      if (job.payload.how === 'string') throw 'just text';
      throw new TypeError('broken');
    };`,
  });
  shop.start();
  const failureOf = async (how: string) => {
    const id = await shop.submit({ how });
    await shop.untilStatus(id, 'failed');
    assert.is(shop.job(id).attempt, 1);
    assert.is(shop.job(id).artifacts?.['output'], `.agents/runs/${id}/attempt-1/output.log`);
    return shop.job(id).failure;
  };
  assert.equal(await failureOf('throw'), { code: 'request_rejected', message: 'TypeError: broken', retryable: false });
  assert.equal(await failureOf('coded'), { code: 'session_pending', message: 'come back', retryable: true });
  assert.equal(await failureOf('string'), { code: 'request_rejected', message: 'just text', retryable: false });
  assert.match((await failureOf('map'))?.message ?? '', 'plain JSON data');
});

dispatcher('a module that is not there, or exports nothing, fails the job and names the file', async () => {
  const shop = await open({
    module: 'export const other = 1;',
    executors: { 'eval.skill-delta': { kind: 'module', module: 'tools/absent.mjs', timeout_seconds: 60 } },
  });
  shop.start();
  const jobs: [JobType, RegExp][] = [
    ['eval.suite', /default export/],
    ['eval.skill-delta', /absent\.mjs/],
  ];
  for (const [jobType, expected] of jobs) {
    const id = await shop.submit({}, jobType);
    await shop.untilStatus(id, 'failed');
    assert.is(shop.job(id).failure?.code, 'provider_unreachable');
    assert.match(shop.job(id).failure?.message ?? '', expected);
  }
});

dispatcher.run();
