/** When the files of the read models are written: soon after a change, but only a small part of the time. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger } from '../../lib/base/log.js';
import type { Kernel } from '../../lib/engine/kernel.js';
import { ProjectionFiles } from '../../lib/engine/projection-files.js';
import type { Job } from '../../lib/model/job.js';
import { State } from '../../lib/model/state.js';
import { until } from '../support/ledger-place.js';
import { seededRandom, TestClock } from '../support/test-clock.js';

const test = suite<{ root: string }>('projection files');

/** A writing takes at most a fiftieth of the time. */
const PARTS = 50;
const SETTLE_MS = 500;

test.before.each(async (context) => {
  context.root = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
});
test.after.each(async ({ root }) => rm(root, { recursive: true, force: true }));

/** Files over a state of so many jobs, the writing of which takes a while by the clock of the test. */
function filesIn(root: string) {
  const clock = new TestClock();
  const lists = { jobs: 1, takesMs: 0 };
  let begun = 0;
  let written = 0;
  class Lists extends State {
    override get jobCount(): number {
      return lists.jobs;
    }
    override jobsNow(): Iterable<Job> {
      clock.advance(lists.takesMs);
      return [];
    }
  }
  const state = new Lists();
  const health = { status: 'complete', damage: [], reasons: [], corruptRecords: 0 };
  const kernel = {
    state,
    viewContext: () => ({
      wallMs: clock.wallMs(),
      rebuiltAt: '2026-01-01T00:00:00.000Z',
      health,
      warnings: () => [],
      noWorkerFor: () => undefined,
    }),
    tellProjectionFailure: (reason: string | undefined) => {
      assert.is(reason, undefined);
      written++;
    },
  } as unknown as Kernel;
  const files = new ProjectionFiles({
    root,
    kernel,
    clock,
    random: seededRandom(1),
    /** Asked for where a writing begins. */
    get logger() {
      begun++;
      return silentLogger;
    },
  });
  return {
    files,
    lists,
    /** Lets time pass. @returns how often the files were written meanwhile */
    async passed(ms: number): Promise<number> {
      const before = begun;
      clock.advance(ms);
      await until('what was begun is written', () => written === begun);
      await turn();
      return begun - before;
    },
    begun: () => begun,
  };
}

test('a while after a change, and no more than a part of the time', async ({ root }) => {
  const { files, lists, passed } = filesIn(root);
  lists.jobs = 10_000;
  lists.takesMs = 100;
  files.start();
  assert.is(await passed(SETTLE_MS - 1), 0);
  assert.is(await passed(1), 1);
  files.onChange();
  assert.is(await passed(PARTS * 100 - 1), 0);
  files.onChange();
  assert.is(await passed(SETTLE_MS), 1);
  assert.is(await passed(PARTS * 100), 0, 'nothing changed since');
  await files.stop();
});

test('lists that grew since the last writing take longer: they wait as long as is due to them', async ({ root }) => {
  const { files, lists, passed } = filesIn(root);
  lists.jobs = 10_000;
  lists.takesMs = 100;
  files.start();
  assert.is(await passed(SETTLE_MS), 1);
  lists.jobs = 100_000;
  files.onChange();
  assert.is(await passed(PARTS * 100), 0);
  assert.is(await passed(PARTS * 900 - 1), 0);
  assert.is(await passed(SETTLE_MS), 1);
  await files.stop();
});

test('of few jobs the time says nothing of more of them', async ({ root }) => {
  const { files, lists, passed } = filesIn(root);
  lists.takesMs = 5;
  files.start();
  assert.is(await passed(SETTLE_MS), 1);
  lists.jobs = 900;
  files.onChange();
  assert.is(await passed(SETTLE_MS), 1);
  await files.stop();
});

test('a stop writes what changed, unless it would take long', async ({ root }) => {
  const { files, lists, passed, begun } = filesIn(root);
  lists.jobs = 10_000;
  lists.takesMs = 100;
  files.start();
  await passed(SETTLE_MS);
  files.onChange();
  await files.stop();
  assert.is(begun(), 2);

  const other = filesIn(root);
  other.lists.jobs = 10_000;
  other.lists.takesMs = 100;
  other.files.start();
  await other.passed(SETTLE_MS);
  other.lists.jobs = 110_000;
  other.files.onChange();
  await other.files.stop();
  assert.is(other.begun(), 1, 'eleven times as many jobs would take more than a second');
});

test.run();
