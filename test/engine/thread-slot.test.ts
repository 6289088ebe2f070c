import { setTimeout as later } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type TaskBody, ThreadSlot } from '../../lib/engine/thread-slot.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { until } from '../support/ledger-place.js';

const slots = suite('thread slot');
const MEMORY_MB = 64;
const entry = new URL('../support/fixtures/counting-entry.js', import.meta.url);

slots('a thread that hears nothing is gone when its slot is free', async () => {
  const slot = new ThreadSlot({ entry, clock: createNodeClock(), environment: {}, threadStartMs: 20_000 });
  for (const why of ['cancelled', 'lease_lost']) {
    const task = slot.start({} as TaskBody, MEMORY_MB, () => {});
    await until('it counts', () => task.beats() > 1_000, 20_000);
    task.stop(why);
    task.terminate(why);
    assert.equal(await task.ended, { kind: 'lost', why });
    const beats = task.beats();
    await later(20);
    assert.is(task.beats(), beats, 'nothing counts any more');
  }
  await slot.close();
});

slots.run();
