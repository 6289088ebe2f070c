import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive } from '../support/nasty-children.js';
import { Workshop } from '../support/workshop.js';

const attempt = suite('attempt');
let shop: Workshop | undefined;

async function open(...options: Parameters<typeof Workshop.open>): Promise<Workshop> {
  shop = await Workshop.open(...options);
  return shop.start();
}
attempt.after.each(async () => {
  await shop?.close();
  shop = undefined;
});

attempt('artifacts go into a heartbeat as they come', async () => {
  const shop = await open({
    queue: { lease_seconds: 60, heartbeat_seconds: 15 },
    module:
      'export default async (job, context) => { await context.artifact("notes/a.txt", "one"); await new Promise((r) => context.signal.addEventListener("abort", r)); };',
  });
  const id = await shop.submit();
  await shop.until(() => shop.job(id).artifacts?.['notes/a.txt'] !== undefined, 'the artifact is told');
  assert.is(shop.job(id).status, 'running');
  assert.is(await shop.read(shop.job(id).artifacts?.['notes/a.txt'] ?? ''), 'one');
  await shop.cancel(id);
  await shop.untilIdle();
});

attempt('what a module leaves behind does not reach the next job', async () => {
  const shop = await open({
    workers: 1,
    module: `export default (job, context) => {
      globalThis.seen = (globalThis.seen ?? 0) + 1;
      process.env.SEEN = (process.env.SEEN ?? '') + 'x';
      if (job.payload.leave) {
        setInterval(() => {}, 10);
        setTimeout(() => { throw new Error('too late to harm anybody'); }, 300);
        setTimeout(() => Promise.reject(new Error('nor this')), 310);
      }
      return { seen: globalThis.seen + process.env.SEEN.length };
    };`,
  });
  const seen = async (payload: { leave: boolean }) => {
    const id = await shop.submit(payload);
    await shop.untilStatus(id, 'completed');
    await shop.untilIdle();
    return (JSON.parse(await shop.read(shop.job(id).artifacts?.['result.json'] ?? '')) as { seen: number }).seen;
  };
  for (const leave of [false, true, true, false, false]) assert.is(await seen({ leave }), 2);
});

attempt('a command runs; its leftovers are gone when it has completed', async () => {
  const shop = await open({
    executors: {
      'eval.suite': {
        kind: 'command',
        command: [
          'sh',
          '-c',
          'cat; (setsid sleep 300 & echo; echo left $!); echo made > "$AGENTOPS_RUN_DIR/artifacts/note.txt"',
        ],
        env: [],
        timeout_seconds: 30,
        idle_seconds: 30,
      },
    },
  });
  const id = await shop.submit({ name: 'you' });
  await shop.untilStatus(id, 'completed');
  const output = await shop.read(shop.job(id).artifacts?.['output'] ?? '');
  assert.match(output, '{"name":"you"}');
  const pid = Number(/left (\d+)/.exec(output)?.[1]);
  assert.ok(pid > 1);
  assert.not(isAlive(pid), 'no process is left once the job is completed');
  assert.is(await shop.read(shop.job(id).artifacts?.['note.txt'] ?? ''), 'made\n');
});

attempt('what a handler prints goes to its output; progress stands in the lease file', async () => {
  const shop = await open({
    module: `export default async (job, context) => {
      console.log('from console'); console.error('from error'); process.stdout.write('raw\\n');
      context.progress({ done: 1, total: 2, text: 'half' });
      await context.artifact('a/b.txt', Buffer.from('data'));
      for (const name of ['../x', '/x', 'a//b', '', 'a\\u0000']) {
        let refused = false;
        try { await context.artifact(name, ''); } catch { refused = true; }
        if (!refused) throw new Error('taken: ' + name);
      }
    };`,
    workers: 1,
  });
  const id = await shop.submit();
  await shop.untilStatus(id, 'completed');
  await shop.untilIdle();
  assert.is(await shop.read(shop.job(id).artifacts?.['output'] ?? ''), 'from console\nfrom error\nraw\n');
  assert.is(await shop.read(shop.job(id).artifacts?.['a/b.txt'] ?? ''), 'data');
  assert.ok(shop.leaseWrites.some((lease) => lease.progress?.text === 'half'));
});

attempt('an edited module counts at the next job', async () => {
  const shop = await open({ module: 'export default () => ({ version: 1 });', workers: 1 });
  const versionOf = async () => {
    const id = await shop.submit();
    await shop.untilStatus(id, 'completed');
    await shop.untilIdle();
    return (JSON.parse(await shop.read(shop.job(id).artifacts?.['result.json'] ?? '')) as { version: number }).version;
  };
  assert.is(await versionOf(), 1);
  await shop.write('tools/handler.mjs', 'export default () => ({ version: 2 });');
  assert.is(await versionOf(), 2);
});

attempt('artifacts pass no limit, and the failure names it', async () => {
  const shop = await open({
    limits: { artifact_bytes: 1000 },
    module:
      'export default async (job, context) => { await context.artifact("a", "x".repeat(600)); await context.artifact("a", "x".repeat(900)); await context.artifact("b", "x".repeat(101)); };',
  });
  const id = await shop.submit();
  await shop.untilStatus(id, 'failed');
  assert.match(shop.job(id).failure?.message ?? '', /artifact b.*artifact_bytes/);
});

attempt('a run folder that is a link to elsewhere is refused, and nothing is written there', async () => {
  const shop = await open();
  await shop.link('.agents/runs', 'tools');
  const id = await shop.submit();
  await shop.untilStatus(id, 'failed');
  assert.match(shop.job(id).failure?.message ?? '', 'runs');
  assert.equal(await shop.list('tools'), ['handler.mjs']);
});

attempt.run();
