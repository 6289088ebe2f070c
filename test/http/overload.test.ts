import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { type Kernel, openKernel } from '../../lib/engine/kernel.js';
import type { Disk, DiskFile } from '../../lib/storage/disk.js';
import { openFileLedger } from '../../lib/storage/file-ledger.js';
import { noLock } from '../../lib/storage/lock.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { type Served, serve } from '../support/http-kernel.js';
import { type LedgerPlace, makeLedgerPlace, strangers, until } from '../support/ledger-place.js';

const overload = suite('more than the disk takes');
let place: LedgerPlace;
let served: Served;
let kernel: Kernel;
let disk: StuckDisk;
let closeLedger: () => Promise<void>;

/** The real disk, whose syncs wait while it is stuck. */
class StuckDisk {
  #freed: Promise<void> | undefined;
  #free: () => void = () => {};
  waiting = 0;

  stick(): void {
    this.#freed = new Promise((resolve) => {
      this.#free = resolve;
    });
  }

  free(): void {
    this.#freed = undefined;
    this.#free();
  }

  over(real: Disk): Disk {
    return { ...real, open: async (...how) => this.#slowed(await real.open(...how)) };
  }

  #slowed(file: DiskFile): DiskFile {
    const datasync = async (): Promise<void> => {
      this.waiting++;
      await this.#freed;
      this.waiting--;
      await file.datasync();
    };
    return new Proxy(file, {
      get: (target, name) => {
        if (name === 'datasync') return datasync;
        const member = Reflect.get(target, name, target) as unknown;
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }
}

overload.before.each(async () => {
  place = await makeLedgerPlace();
  disk = new StuckDisk();
  const clock = createNodeClock();
  kernel = await openKernel({
    clock,
    openLedger: async (observer) => {
      const { ledger } = await openFileLedger({
        disk: disk.over(createNodeDisk()),
        clock,
        random: createNodeRandom(),
        root: place.root,
        home: place.home,
        observer,
        lock: noLock,
        facts: strangers(),
      });
      closeLedger = () => ledger.close();
      return ledger;
    },
  });
  served = await serve({ dependencies: { kernel } });
});
overload.after.each(async () => {
  disk.free();
  await served.close();
  await closeLedger();
  await place.remove();
});

/** Tens of megabytes pass through this one process, which is client and server at once. */
const DEADLINE_MS = 60_000;

const submit = (name: string, payload: object = {}) =>
  served.mutate('/v1/jobs', { job_type: 'eval.suite', job_id: name, payload }, { deadlineMs: DEADLINE_MS });

overload('callers wait up to the limit, then new ones are told at once when to come again', async () => {
  assert.is((await submit('before')).status, 202);
  disk.stick();
  const first = submit('first');
  await until('its batch is on the way', () => disk.waiting === 1);
  const second = submit('second');
  const begunMs = performance.now();
  let refused = await served.mutate('/v1/jobs', { job_type: 'no.such.type' });
  assert.is(refused.status, 400, 'before the limit nothing is refused for the disk');
  while (refused.status !== 503) {
    refused = await served.mutate('/v1/jobs', { job_type: 'no.such.type' });
    assert.is((await served.ask('GET', '/v1/health')).status, 200, 'health is answered throughout');
  }
  assert.ok(performance.now() - begunMs > limits.acknowledgeMs * 0.9, 'not before the limit');
  assert.is(refused.headers['retry-after'], String(limits.retryAfterSeconds));
  assert.is(refused.headers['agentopsd-error'], 'overloaded');
  assert.match(String(refused.body['error']), /the disk does not keep up: what came 2\.\d s ago is not written yet/);
  assert.is((await served.ask('GET', '/v1/status')).status, 200);
  const cancelled = served.mutate('/v1/jobs/before/cancel');
  disk.free();
  assert.equal([(await first).status, (await second).status, (await cancelled).status], [202, 202, 202]);
  assert.is((await submit('after')).status, 202, 'and it goes on by itself');
});

overload('who was let in before the disk stuck is told after a while that nobody knows', async () => {
  disk.stick();
  const first = submit('first');
  await until('its batch is on the way', () => disk.waiting === 1);
  const second = submit('second');
  served.clock.monotonicAheadMs = limits.outcomeMs - 5_000;
  const early = await Promise.race([first, second, new Promise((resume) => setTimeout(resume, 1_500, 'nobody'))]);
  assert.is(early, 'nobody', 'not before the limit');
  served.clock.monotonicAheadMs = limits.outcomeMs;
  for (const { status, headers, body } of await Promise.all([first, second])) {
    assert.is(status, 503);
    assert.is(headers['agentopsd-error'], 'outcome_unknown');
    assert.is(headers['retry-after'], String(limits.retryAfterSeconds));
    assert.match(String(body['error']), /^the disk did not answer within 20 s: .*; ask again with the same key$/);
  }
  disk.free();
  await until('both are written all the same', () => kernel.state.job('second') !== undefined);
  assert.is((await submit('first')).status, 202, 'who asks again meets the job');
  assert.is(kernel.state.eventCount, 2);
});

overload('what waits takes bounded memory', async () => {
  disk.stick();
  const half = 'x'.repeat(limits.requestBodyBytes / 2);
  const fitting = Math.floor(limits.heldBodyBytes / (limits.requestBodyBytes / 2)) - 1;
  // One of the last may come before one of the first: who finds no room is not told by the order of asking.
  let refusals = 0;
  const asked = Array.from({ length: fitting + 8 }, async (_, at) => {
    const answer = await submit(`large-${at}`, { suite: half });
    if (answer.status === 503) refusals += 1;
    return answer;
  });
  await until('some find no room', () => refusals > 0, DEADLINE_MS / 2);
  disk.free();
  for (const { status, headers, body } of await Promise.all(asked)) {
    if (status === 202) continue;
    assert.is(headers['agentopsd-error'], 'overloaded');
    assert.match(String(body['error']), /^(more than 67108864 bytes of requests wait|the disk does not keep up)/);
  }
  assert.is((await submit('after')).status, 202, 'and their room is free again');
});

overload.run();
