import { statSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RunRetention } from '../../lib/engine/run-retention.js';
import { Workshop } from '../support/workshop.js';

const retention = suite('run retention');

retention('over the limit the jobs that ended first lose their folder, nobody else', async () => {
  const shop = await Workshop.open({
    workers: 1,
    module:
      'export default (job, context) => { context.log("x".repeat(1000)); if (job.payload.hang) return new Promise(() => {}); };',
    queue: { cancel_grace_seconds: 0.1 },
  });
  try {
    shop.start();
    const ids: string[] = [];
    for (let at = 0; at < 4; at++) {
      const id = await shop.submit();
      await shop.untilStatus(id, 'completed');
      ids.push(id);
    }
    await shop.untilIdle();
    const running = await shop.submit({ hang: true });
    const log = path.join(shop.runDir(running), 'output.log');
    await shop.until(() => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 1000, 'it runs and has printed');
    await shop.write('.agents/runs/stranger', 'no job of ours');
    let runsBytes = 1_000_000;
    const tidy = new RunRetention({
      root: shop.root,
      state: shop.kernel.state,
      clock: shop.clock,
      logger: () => {},
      runsBytes: () => runsBytes,
      isHeldHere: (jobId) => shop.dispatcher.attempts().has(jobId),
    });
    assert.equal(await tidy.runOnce(), [], 'under the limit nothing goes');
    runsBytes = 3500;
    assert.equal(await tidy.runOnce(), ids.slice(0, 2));
    assert.equal(await shop.list('.agents/runs'), [...ids.slice(2), running, 'stranger'].sort());
    runsBytes = 0;
    assert.equal(await tidy.runOnce(), ids.slice(2));
    assert.equal(await shop.list('.agents/runs'), [running, 'stranger'].sort(), 'what runs keeps its folder');
  } finally {
    await shop.close();
  }
});

retention.run();
