import { promises as fs } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Workshop } from '../support/workshop.js';

const thousand = suite('a thousand jobs');
const JOBS = 1000;
const WORKERS = 4;

thousand('run exactly once each, in order, on all workers', async () => {
  const shop = await Workshop.open({
    workers: WORKERS,
    queue: { lease_seconds: 60, heartbeat_seconds: 15 },
    executors: {
      'eval.suite': {
        kind: 'command',
        command: ['sh', '-c', 'echo "$AGENTOPS_JOB_ID" >> runs'],
        env: [],
        timeout_seconds: 60,
        idle_seconds: 60,
      },
      'dream.run': { kind: 'off', why: 'configured' },
    },
  });
  try {
    const stuck = await shop.submit({}, 'dream.run');
    const ids = await Promise.all(Array.from({ length: JOBS }, () => shop.submit()));
    shop.start();
    await shop.until(() => ids.every((id) => shop.job(id).status === 'completed'), 'all completed', 100_000);
    await shop.untilIdle();
    const runs = (await fs.readFile(path.join(shop.root, 'runs'), 'utf8')).trim().split('\n');
    assert.is(runs.length, JOBS);
    assert.equal([...runs].sort(), [...ids].sort(), 'each once');
    const claims = shop.ledger.events.filter((event) => event.event_type === 'job.claimed');
    assert.equal(
      claims.map((event) => event.job_id),
      ids,
      'claimed in the order in which they were accepted',
    );
    const byWorker = new Map<string, number>();
    for (const { actor } of claims) byWorker.set(actor, (byWorker.get(actor) ?? 0) + 1);
    assert.is(byWorker.size, WORKERS);
    for (const count of byWorker.values()) assert.ok(count > JOBS / WORKERS / 2, `spread: ${[...byWorker]}`);
    assert.is(shop.job(stuck).status, 'queued');
    assert.is(shop.leases.size, 0);
  } finally {
    await shop.close();
  }
});

thousand.run();
