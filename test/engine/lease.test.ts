import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AttemptSeams } from '../../lib/engine/attempt-seams.js';
import { openKernel } from '../../lib/engine/kernel.js';
import { Lease } from '../../lib/engine/lease.js';
import { defaultConfiguration } from '../../lib/model/configuration.js';
import { MemoryLedger } from '../support/memory-ledger.js';
import { claimCommand, submitCommand } from '../support/model.js';
import { seededRandom, TestClock } from '../support/test-clock.js';

const leases = suite('lease');
const LEASE_MS = 60_000;

async function held(): Promise<{ lease: Lease; clock: TestClock }> {
  const clock = new TestClock();
  const kernel = await openKernel({ clock, openLedger: async (observer) => new MemoryLedger(observer) });
  await kernel.execute(submitCommand());
  const { job } = await kernel.execute(claimCommand());
  if (job === undefined) throw new Error('the job is there');
  const seams: AttemptSeams = {
    kernel,
    clock,
    random: seededRandom(1),
    leases: { write: async () => {}, remove: async () => {} },
    processes: { moment: () => undefined, end: async () => ({ ended: [], remaining: [] }) },
    logger: () => {},
    configuration: defaultConfiguration,
    root: '/r',
  };
  const terms = { marker: 'm', children: [], startedAfter: undefined, actor: 'worker-1', leaseMs: LEASE_MS };
  const endsAtMonotonicMs = clock.monotonicMs() + LEASE_MS;
  return { lease: new Lease(seams, job, { ...terms, heartbeatMs: 15_000, endsAtMonotonicMs }), clock };
}

leases('the wall clock, wherever it is set, neither ends a lease nor prolongs it', async () => {
  for (const stepMs of [-86_400_000, 86_400_000]) {
    const { lease, clock } = await held();
    clock.setWall(clock.wallMs() + stepMs);
    clock.advance(LEASE_MS - 1);
    assert.ok(lease.renew(0), `${stepMs} ms: it has not run out`);
    clock.advance(1);
    assert.not(lease.renew(0), `${stepMs} ms: without a sign of life it has`);
  }
});

leases.run();
