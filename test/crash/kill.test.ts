/**
 * kill -9 under load, again and again. `CRASH_ROUNDS=200 node dist/test/crash/kill.test.js` goes on for longer, and
 * `CRASH_SEED` chooses other moments.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { auditLedger } from '../support/crash-audit.js';
import { Chance, rounds } from '../support/crash-chance.js';
import { CrashLoad, endsOf } from '../support/crash-load.js';
import { CrashRoom } from '../support/crash-room.js';

const test = suite('kill -9 under load');
const LOAD_MS = 300;
const START_MS = 400;

test('every 202 holds, each key is one job, and the next start is ready at once', async () => {
  const chance = new Chance();
  const load = new CrashLoad(chance);
  const room = await CrashRoom.open();
  const starts: number[] = [];
  try {
    for (let round = 1; round <= rounds(10); round++) {
      const daemon = room.launch({ words: ['--workers', '1'] });
      if (round % 4 === 0) {
        // In the middle of its own recovery.
        await elapse(chance.below(START_MS));
        await daemon.end('SIGKILL');
        continue;
      }
      starts.push(await daemon.ready);
      const ready = await daemon.tellsReady();
      assert.is(ready.ready, true, `round ${round}, seed ${chance.seed}: ${JSON.stringify(ready)}`);
      assert.is(ready.ledger_replay_status, 'complete');
      await load.check(daemon, room.ledger);
      await load.askAgain(daemon, 32);
      const lanes = load.begin(daemon);
      await elapse(chance.below(LOAD_MS));
      await daemon.end('SIGKILL');
      await lanes.ended;
    }
    const daemon = await room.start({ words: ['--workers', '1'] });
    await load.check(daemon, room.ledger);
    await load.askAgain(daemon, 64);
    await load.check(daemon, room.ledger);
    assert.is(await daemon.end(), 0);
    const verified = await room.cli.run(['verify']);
    assert.is(verified.status, 0, verified.stdout);
    const events = auditLedger(room.ledger);
    load.holds(events);
    assert.equal(load.refusals, []);
    assert.ok(load.promised > 500, `${load.promised} jobs are too few for a load`);
    const fresh = starts.shift() ?? 0;
    starts.sort((a, b) => a - b);
    const shown = (at: number): string => `${Math.round(starts[Math.floor(at * (starts.length - 1))] ?? 0)} ms`;
    console.log(
      `${starts.length} starts after kills, ${load.promised} jobs acknowledged, ${load.inDoubt} in doubt, ` +
        `${events.length} events, ${endsOf(events)} ends; ready after ${shown(0)} to ${shown(1)}, median ${shown(0.5)}, ` +
        `the very first time after ${Math.round(fresh)} ms; seed ${chance.seed}`,
    );
    // A busy machine makes every start slow, the very first one too; a wait for a lock only those behind a kill.
    assert.ok((starts[0] ?? 0) < Math.max(1_000, 2 * fresh), 'ready within a second');
  } finally {
    await room.close();
  }
});

function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test.run();
