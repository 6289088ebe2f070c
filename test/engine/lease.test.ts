import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import type { AttemptSeams } from '../../lib/engine/attempt-seams.js';
import { type Kernel, openKernel } from '../../lib/engine/kernel.js';
import { Lease } from '../../lib/engine/lease.js';
import { defaultConfiguration } from '../../lib/model/configuration.js';
import type { WorkerResult } from '../../lib/model/worker-protocol.js';
import { MemoryLedger } from '../support/memory-ledger.js';
import { cancelCommand, claimCommand, submitCommand } from '../support/model.js';
import { seededRandom, TestClock } from '../support/test-clock.js';

const leases = suite('lease');
const LEASE_MS = 60_000;
const HEARTBEAT_MS = 15_000;
const completed = { kind: 'completed', artifacts: undefined, artifact_refs: undefined } as unknown as WorkerResult;
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resume) => setImmediate(resume));
};
const heartbeats = (kernel: Kernel): number => kernel.state.lastSeq - 2;

/** `fails`: what every command gets instead, while it is there. */
async function held(): Promise<{
  lease: Lease;
  clock: TestClock;
  kernel: Kernel;
  trouble: { fails?: AgentopsdError };
}> {
  const clock = new TestClock();
  const kernel = await openKernel({ clock, openLedger: async (observer) => new MemoryLedger(observer) });
  await kernel.execute(submitCommand());
  const { job } = await kernel.execute(claimCommand());
  if (job === undefined) throw new Error('the job is there');
  const trouble: { fails?: AgentopsdError } = {};
  const execute: Kernel['execute'] = (command) =>
    trouble.fails === undefined ? kernel.execute(command) : Promise.reject(trouble.fails);
  const seams: AttemptSeams = {
    kernel: Object.assign(Object.create(kernel) as Kernel, { execute }),
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
  const lease = new Lease(seams, job, { ...terms, heartbeatMs: HEARTBEAT_MS, endsAtMonotonicMs });
  return { lease, clock, kernel, trouble };
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

leases(
  'a sign of life a heartbeat later is told to the ledger, and the lease counts from when it was seen',
  async () => {
    const { lease, clock, kernel } = await held();
    clock.advance(HEARTBEAT_MS - 1);
    lease.renew(1);
    await turns();
    assert.is(heartbeats(kernel), 0, 'not yet due');
    clock.advance(1);
    lease.renew(2);
    // The answer takes its time: what counts is when the sign of life was seen.
    clock.advance(LEASE_MS - 1);
    await turns();
    assert.is(heartbeats(kernel), 1);
    assert.ok(lease.renew(2));
    clock.advance(1);
    assert.not(lease.renew(2));
  },
);

leases('a heartbeat that the ledger does not take prolongs nothing', async () => {
  const { lease, clock, trouble } = await held();
  trouble.fails = new AgentopsdError('writer_stopped', 'nothing is written');
  clock.advance(HEARTBEAT_MS);
  lease.renew(1);
  await turns();
  clock.advance(LEASE_MS - HEARTBEAT_MS - 1);
  assert.ok(lease.renew(1));
  clock.advance(1);
  assert.not(lease.renew(1));
});

leases('where the clocks jumped the lease counts from now, whether the ledger takes that or not', async () => {
  for (const fails of [undefined, new AgentopsdError('writer_stopped', 'the disk is full')]) {
    const { lease, clock, trouble } = await held();
    if (fails !== undefined) trouble.fails = fails;
    clock.advance(LEASE_MS + 5_000);
    lease.rearm();
    await turns();
    clock.advance(LEASE_MS - 1);
    assert.ok(lease.renew(0));
    clock.advance(1);
    assert.not(lease.renew(0));
  }
});

leases('a result that the ledger can not take for now is told again, until the lease runs out', async () => {
  for (const room of [true, false]) {
    const { lease, clock, kernel, trouble } = await held();
    trouble.fails = new AgentopsdError('writer_stopped', 'the disk is full');
    let ended: unknown;
    const settled = lease.settle(completed).then(
      () => {
        ended = 'told';
      },
      (error: unknown) => {
        ended = (error as AgentopsdError).code;
      },
    );
    await turns();
    clock.advance(LEASE_MS - 1_000);
    await turns();
    assert.is(ended, undefined, 'it is told again');
    if (room) delete trouble.fails;
    for (let again = 0; again < 4; again++) {
      clock.advance(500);
      await turns();
    }
    await settled;
    assert.is(ended, room ? 'told' : 'writer_stopped');
    assert.is([...kernel.state.jobs()][0]?.status, room ? 'completed' : 'running');
  }
});

leases('a result is told once, and one that comes too late is no error', async () => {
  const { lease, kernel } = await held();
  await Promise.all([lease.settle(completed), lease.settle(completed), lease.expire()]);
  assert.is(kernel.state.lastSeq, 3);
  const other = await held();
  const [job] = [...other.kernel.state.jobs()];
  await other.kernel.execute(cancelCommand(job === undefined ? {} : { job_id: job.job_id }));
  const { lastSeq } = other.kernel.state;
  await other.lease.settle(completed);
  assert.is(other.kernel.state.lastSeq, lastSeq);
});

leases.run();
