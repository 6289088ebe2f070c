import { promises as fs } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Workshop } from '../support/workshop.js';

const hopping = suite('processes that pass themselves on');

/** Each lives for a few milliseconds, starts the next one in a session of its own, and is gone. */
const hop = `trap "" INT TERM
echo x >> "hops-$AGENTOPS_JOB_ID"
setsid sh "$0" </dev/null >/dev/null 2>&1 &
exit 0
`;

hopping('are gone when the job has ended, cancelled or not', async () => {
  const command = ['sh', '-c', 'sh tools/hop.sh & while ! [ -e go ]; do sleep 0.05; done'];
  const shop = await Workshop.open({
    workers: 3,
    queue: { lease_seconds: 60, heartbeat_seconds: 15, cancel_grace_seconds: 0.3 },
    executors: { 'eval.suite': { kind: 'command', command, env: [], timeout_seconds: 60, idle_seconds: 60 } },
  });
  try {
    await shop.write('tools/hop.sh', hop);
    const ids = [await shop.submit(), await shop.submit(), await shop.submit()];
    shop.start();
    const hopsOf = async (id: string): Promise<number> =>
      (await fs.readFile(path.join(shop.root, `hops-${id}`), 'utf8').catch(() => '')).length;
    for (const id of ids) while ((await hopsOf(id)) < 20) await new Promise((resolve) => setTimeout(resolve, 20));
    await shop.cancel(ids[0] ?? '');
    await shop.write('go', '');
    await shop.untilIdle();
    const before = await Promise.all(ids.map(hopsOf));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(await Promise.all(ids.map(hopsOf)), before);
    assert.equal(
      ids.map((id) => shop.job(id).status),
      ['cancelled', 'completed', 'completed'],
    );
  } finally {
    // A chain that got away finds nothing to go on with.
    await fs.rm(path.join(shop.root, 'tools'), { recursive: true, force: true });
    await shop.close();
  }
});

hopping.run();
