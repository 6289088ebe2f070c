import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive } from '../support/nasty-children.js';
import { Workshop } from '../support/workshop.js';

const stop = suite('attempt: stop');
let shop: Workshop | undefined;

async function open(...options: Parameters<typeof Workshop.open>): Promise<Workshop> {
  shop = await Workshop.open(...options);
  return shop.start();
}
stop.after.each(async () => {
  await shop?.close();
  shop = undefined;
});

const untilAborted =
  'export default (job, context) => new Promise((resolve, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason)));';

stop(
  'a cancelled job is cancelled at once; its handler gets the signal, and its late end changes nothing',
  async () => {
    const shop = await open({
      module:
        'export default (job, context) => new Promise((resolve) => context.signal.addEventListener("abort", () => resolve({ late: true })));',
    });
    const id = await shop.submit();
    await shop.untilStatus(id, 'running');
    await shop.until(() => shop.leases.has(id), 'it has begun');
    await shop.cancel(id);
    assert.is(shop.job(id).status, 'cancelled');
    await shop.untilIdle();
    assert.equal(shop.typesOf(id), ['job.accepted', 'job.claimed', 'job.cancelled']);
    assert.is(shop.leases.size, 0);
  },
);

stop('a handler that ignores the signal is ended after the grace, and the slot works on', async () => {
  const shop = await open({
    workers: 1,
    module: 'export default (job) => job.payload.hang ? new Promise(() => {}) : undefined;',
    queue: { cancel_grace_seconds: 0.3 },
  });
  const id = await shop.submit({ hang: true });
  await shop.until(() => shop.dispatcher.attempts().get(id)?.hasBegun === true, 'it runs');
  const begun = performance.now();
  await shop.cancel(id);
  await shop.untilIdle();
  assert.ok(performance.now() - begun < 5300, 'grace and five seconds');
  const next = await shop.submit();
  await shop.untilStatus(next, 'completed');
});

stop('a job that is cancelled while its claim is on its way never begins', async () => {
  const shop = await open();
  shop.ledger.automatic = false;
  const submitted = shop.submit();
  shop.ledger.flush();
  const id = await submitted;
  await shop.until(() => shop.dispatcher.attempts().has(id), 'the claim is on its way');
  const cancelled = shop.cancel(id);
  shop.ledger.flush();
  await cancelled;
  shop.ledger.automatic = true;
  await shop.untilIdle();
  assert.is(shop.job(id).status, 'cancelled');
  assert.is(shop.leaseWrites.length, 0);
});

stop(
  'a cancelled command that ignores every polite signal is gone within the bound, tools in other sessions too',
  async () => {
    const shop = await open({
      queue: { cancel_grace_seconds: 0.3 },
      executors: {
        'eval.suite': {
          kind: 'command',
          command: [
            'sh',
            '-c',
            'trap "" INT TERM; setsid sh -c \'trap "" INT TERM; echo tool $$; while :; do sleep 1; done\' & echo self $$; while :; do sleep 1; done',
          ],
          env: [],
          timeout_seconds: 60,
          idle_seconds: 60,
        },
      },
    });
    const id = await shop.submit();
    const log = `.agents/runs/${id}/attempt-1/output.log`;
    let output = '';
    await shop.until(() => {
      shop.read(log).then(
        (text) => {
          output = text;
        },
        () => {},
      );
      return /tool \d+/.test(output) && /self \d+/.test(output);
    }, 'both run');
    const pids = [...output.matchAll(/(?:tool|self) (\d+)/g)].map((match) => Number(match[1]));
    const begun = performance.now();
    await shop.cancel(id);
    await shop.untilIdle();
    assert.ok(performance.now() - begun < 5300);
    for (const pid of pids) assert.not(isAlive(pid));
  },
);

stop('a cancelled handler that is blocked in a program of its own is ended with that program', async () => {
  const shop = await open({
    workers: 1,
    queue: { cancel_grace_seconds: 0.3 },
    module: `import { execFileSync } from 'node:child_process';
    export default (job, context) => { if (job.payload.block) { context.log('begun'); execFileSync('sleep', ['300']); } };`,
  });
  const id = await shop.submit({ block: true });
  let output = '';
  await shop.until(() => {
    shop.read(`.agents/runs/${id}/attempt-1/output.log`).then(
      (text) => {
        output = text;
      },
      () => {},
    );
    return output === 'begun\n';
  }, 'it has begun');
  const begun = performance.now();
  await shop.cancel(id);
  await shop.untilIdle();
  assert.ok(performance.now() - begun < 5300);
  await shop.untilStatus(await shop.submit({ block: false }), 'completed');
});

stop('once the writer has stopped the work ends, and nothing is told', async () => {
  const shop = await open({ module: untilAborted });
  const id = await shop.submit();
  await shop.until(() => shop.dispatcher.attempts().get(id)?.hasBegun === true, 'it runs');
  shop.ledger.condition = { ...shop.ledger.condition, writable: false };
  const before = shop.ledger.lastSeq();
  await shop.dispatcher.stopAll('writer_stopped', 200);
  assert.is(shop.dispatcher.attempts().size, 0);
  assert.is(shop.ledger.lastSeq(), before);
});

stop.run();
