import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive } from '../support/nasty-children.js';
import { Workshop } from '../support/workshop.js';

const module = suite('module');
let shop: Workshop | undefined;

async function open(...options: Parameters<typeof Workshop.open>): Promise<Workshop> {
  shop = await Workshop.open(...options);
  return shop.start();
}
module.after.each(async () => {
  await shop?.close();
  shop = undefined;
});

async function pidFrom(shop: Workshop, id: string, attempt = 1): Promise<number> {
  let text = '';
  await shop.until(() => {
    shop.read(`.agents/runs/${id}/attempt-${attempt}/output.log`).then(
      (read) => {
        text = read;
      },
      () => {},
    );
    return /pid \d+\n/.test(text);
  }, 'it tells its pid');
  return Number(/pid (\d+)\n/.exec(text)?.[1]);
}

module('one large allocation over the limit costs the job its attempt, and nobody else anything', async () => {
  const shop = await open({
    workers: 2,
    limits: { memory_mb: 48 },
    module: `export default async (job) => {
      if (job.payload.how === 'wait') return new Promise((resolve) => setTimeout(resolve, 2000));
      if (job.attempt > 1) return { attempt: job.attempt };
      if (job.payload.how === 'array') return new Array(3e7).fill(1.5).length;
      return JSON.parse('[' + '{"a":[1,2,3]},'.repeat(3e6) + '1]').length;
    };`,
  });
  const bystander = await shop.submit({ how: 'wait' });
  const ids = [await shop.submit({ how: 'array' }), await shop.submit({ how: 'text' })];
  await shop.until(() => [bystander, ...ids].every((id) => shop.job(id).status === 'completed'), 'all completed');
  assert.is(shop.job(bystander).attempt, 1);
  for (const id of ids) assert.is(shop.job(id).attempt, 2);
  assert.ok(
    shop.log.some((line) => line.includes('limits.memory_mb, 48')),
    shop.log.join('\n'),
  );
  assert.match(await shop.read(`.agents/runs/${ids[0]}/attempt-1/output.log`), 'out of memory');
});

module(
  'one that never ends is ended at its timeout_seconds, which the failure names; its signal aborts first',
  async () => {
    const shop = await open({
      workers: 2,
      queue: { cancel_grace_seconds: 0.5 },
      executors: { 'eval.suite': { kind: 'module', module: 'tools/handler.mjs', timeout_seconds: 0.7 } },
      module: `export default (job, context) => new Promise((resolve) => {
      context.signal.addEventListener('abort', () => {
        context.log('asked to stop');
        if (job.payload.polite) resolve();
      });
    });`,
    });
    const polite = await shop.submit({ polite: true });
    const deaf = await shop.submit({ polite: false });
    await shop.untilStatus(polite, 'failed');
    await shop.untilStatus(deaf, 'failed');
    for (const id of [polite, deaf]) {
      assert.match(shop.job(id).failure?.message ?? '', /handler\.mjs ran longer than its timeout_seconds.*0\.7 s/);
      assert.is(shop.job(id).attempt, 1, 'what ran out of time is not tried again');
      assert.is(await shop.read(shop.job(id).artifacts?.['output'] ?? ''), 'asked to stop\n');
    }
  },
);

module('processes that it starts past its context end with the attempt too', async () => {
  const shop = await open({
    workers: 1,
    module: `import { spawn } from 'node:child_process';
    export default (job, context) => {
      const left = spawn('setsid', ['sleep', '300'], { detached: true, stdio: 'ignore' });
      left.unref();
      context.log('pid ' + left.pid);
    };`,
  });
  const id = await shop.submit();
  await shop.untilStatus(id, 'completed');
  assert.not(isAlive(await pidFrom(shop, id)));
});

module('a cancelled one is gone with its tools, whatever signals both ignore', async () => {
  const shop = await open({
    workers: 1,
    queue: { cancel_grace_seconds: 0.3 },
    module: `export default async (job, context) => {
      for (const signal of ['SIGINT', 'SIGTERM']) { process.removeAllListeners(signal); process.on(signal, () => {}); }
      await context.spawn('setsid', ['sh', '-c', 'trap "" INT TERM; echo pid $$; while :; do sleep 1; done']);
    };`,
  });
  const id = await shop.submit();
  const pid = await pidFrom(shop, id);
  const begun = performance.now();
  await shop.cancel(id);
  assert.is(shop.job(id).status, 'cancelled');
  await shop.untilIdle();
  assert.ok(performance.now() - begun < 5300);
  assert.not(isAlive(pid));
});

module('one that closes its channel, or dies by a signal, is a lost worker and is tried again', async () => {
  const shop = await open({
    workers: 2,
    module: `export default (job) => {
      if (job.attempt > 1) return;
      if (job.payload.how === 'disconnect') { process.disconnect(); return new Promise(() => {}); }
      if (job.payload.how === 'kill') { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); }
      process.send({ kind: 'nonsense' }); process.send('text'); process.send(null);
      process.exit(0);
    };`,
  });
  const ids = await Promise.all(['disconnect', 'kill', 'exit'].map((how) => shop.submit({ how })));
  await shop.until(() => ids.every((id) => shop.job(id).status === 'completed'), 'all completed');
  for (const id of ids) assert.is(shop.job(id).attempt, 2);
});

module('progress that is told without end is told on at a bearable pace, the last of it too', async () => {
  const shop = await open({
    workers: 1,
    queue: { lease_seconds: 60, heartbeat_seconds: 15 },
    module: `export default async (job, context) => {
      for (let done = 1; done <= 20000; done++) {
        context.progress({ done, total: 20000 });
        if (done % 2000 === 0) await new Promise((resolve) => setTimeout(resolve, 60));
      }
      await new Promise((resolve) => setTimeout(resolve, 1200));
      context.progress({ done: 7, text: 'last' });
    };`,
  });
  const id = await shop.submit();
  await shop.untilStatus(id, 'completed');
  const told = shop.leaseWrites.filter((lease) => lease.progress !== undefined).length;
  assert.ok(told >= 2 && told < 20, `${told} writes`);
  assert.ok(shop.leaseWrites.some((lease) => lease.progress?.text === 'last'));
});

module.run();
