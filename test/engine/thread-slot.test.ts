import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const folder = mkdtempSync(join(tmpdir(), 'agentopsd-slot-'));
  const file = join(folder, 'count');
  const clock = createNodeClock();
  const slot = new ThreadSlot({ entry, clock, environment: { COUNT_FILE: file }, threadStartMs: 20_000 });
  for (const why of ['cancelled', 'lease_lost']) {
    const task = slot.start({} as TaskBody, MEMORY_MB, () => {});
    await until('it counts', () => task.beats() > 1_000, 20_000);
    task.stop(why);
    task.terminate(why);
    assert.equal(await task.ended, { kind: 'lost', why });
    const counted = readFileSync(file, 'utf8');
    await later(20);
    assert.is(readFileSync(file, 'utf8'), counted, 'nothing counts any more');
  }
  await slot.close();
  rmSync(folder, { recursive: true });
});

slots.run();
