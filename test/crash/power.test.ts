/**
 * Losses of power: a library that is preloaded into the daemon writes down what was synced; after the kill the rest is
 * taken away, all of it or at random, and the next daemon starts on what is left. `CRASH_ROUNDS=200 node
 * dist/test/crash/power.test.js` goes on for longer, and `CRASH_SEED` chooses other losses.
 */
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { auditLedger } from '../support/crash-audit.js';
import { Chance, rounds } from '../support/crash-chance.js';
import { CrashLoad } from '../support/crash-load.js';
import { compileShim, PowerCut, survivals } from '../support/crash-power.js';
import { CrashRoom, type Launch } from '../support/crash-room.js';
import { skip } from '../support/skip.js';

const test = suite('losses of power');
const LOAD_MS = 300;
const START_MS = 500;
const SYNC_DELAY_US = '8000';

let tools: string;
let shim: string | undefined;
let why = '';
test.before(async () => {
  tools = await mkdtemp(join(tmpdir(), 'agentopsd-'));
  shim = compileShim(tools, (reason) => {
    why = reason;
  });
});
test.after(() => rm(tools, { recursive: true, force: true }));

/** A daemon under the shim, and the state of the disk before it. */
function powered(room: CrashRoom, more: Record<string, string> = {}): { launch: Launch; log: string; cut: PowerCut } {
  const log = join(tools, 'power.log');
  rmSync(log, { force: true });
  const env = {
    LD_PRELOAD: shim ?? '',
    CRASH_POWER_LOG: log,
    CRASH_POWER_SYNC_DELAY_US: SYNC_DELAY_US,
    // Calls that go through a ring of the kernel would pass the shim by.
    UV_USE_IO_URING: '0',
    ...more,
  };
  return { launch: { words: ['--workers', '1'], env }, log, cut: new PowerCut(room.cli.folder) };
}

test('the shim sees every call that changes a file', async () => {
  if (shim === undefined) return skip(why);
  const room = await CrashRoom.open();
  try {
    const { launch, log, cut } = powered(room);
    const daemon = await room.start(launch);
    const load = new CrashLoad(new Chance());
    const lanes = load.begin(daemon);
    await until(() => load.promised >= 200);
    await lanes.stop();
    await daemon.end();
    assert.equal(cut.differences(log), []);
  } finally {
    await room.close();
  }
});

test('what was acknowledged survives, whatever the disk did with the rest', async () => {
  if (shim === undefined) return skip(why);
  const chance = new Chance();
  const load = new CrashLoad(chance);
  const room = await CrashRoom.open();
  const lost = { names: 0, bytes: 0, cuts: 0 };
  try {
    for (let round = 1; round <= rounds(10); round++) {
      const { launch, log, cut } = powered(room);
      const daemon = room.launch(launch);
      const what = `round ${round}, seed ${chance.seed}`;
      if (round % 3 === 1) await elapse(chance.below(START_MS));
      else {
        await daemon.ready;
        const ready = await daemon.tellsReady();
        assert.is(ready.ready, true, `${what}: ${JSON.stringify(ready)}`);
        await load.check(daemon, room.ledger);
        const lanes = load.begin(daemon);
        await elapse(chance.below(LOAD_MS));
        await daemon.end('SIGKILL');
        await lanes.ended;
      }
      await daemon.end('SIGKILL');
      if (!existsSync(log)) continue;
      const survival = chance.pick(survivals);
      const { names, bytes } = cut.lose(log, survival, chance);
      lost.names += names;
      lost.bytes += bytes;
      lost.cuts += 1;
    }
    const daemon = await room.start();
    const ready = await daemon.tellsReady();
    assert.is(ready.ready, true, `seed ${chance.seed}: ${JSON.stringify(ready)}`);
    await load.check(daemon, room.ledger);
    await load.askAgain(daemon, 64);
    await load.check(daemon, room.ledger);
    await daemon.end();
    assert.is((await room.cli.run(['verify'])).status, 0);
    assert.equal(load.refusals, []);
    assert.ok(load.promised > 200 && lost.names > 0 && lost.bytes > 0, JSON.stringify(lost));
    console.log(
      `${lost.cuts} losses of power took ${lost.bytes} bytes and ${lost.names} changes of names; ` +
        `${load.promised} jobs acknowledged, all there; ${load.inDoubt} in doubt; seed ${chance.seed}`,
    );
  } finally {
    await room.close();
  }
});

for (const deaf of ['files', 'folders']) {
  test(`a daemon that forgot to sync its ${deaf} would be found out`, async () => {
    if (shim === undefined) return skip(why);
    const room = await CrashRoom.open();
    try {
      const { launch, log, cut } = powered(room, { CRASH_POWER_DEAF: deaf });
      const daemon = await room.start(launch);
      const load = new CrashLoad(new Chance());
      const lanes = load.begin(daemon);
      await until(() => load.promised >= 20);
      await daemon.end('SIGKILL');
      await lanes.ended;
      cut.lose(log, 'none', new Chance());
      // Lost jobs, or a segment without its header.
      assert.throws(() => load.holds(existsSync(room.ledger) ? auditLedger(room.ledger) : []));
    } finally {
      await room.close();
    }
  });
}

function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error('the load never got that far');
    await elapse(5);
  }
}

test.run();
