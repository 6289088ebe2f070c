import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Leased, LeaseKeeper } from '../../lib/engine/lease-keeper.js';

const keeper = suite('lease keeper');

class Bench {
  wallMs = 1_000_000;
  monotonicMs = 5_000;
  readonly log: string[] = [];
  live = true;
  readonly attempts: (Leased & { stopReason: string | undefined })[] = [];
  readonly keeper = new LeaseKeeper({
    clock: { wallMs: () => this.wallMs, monotonicMs: () => this.monotonicMs, after: () => () => {} },
    logger: () => {},
    attempts: () => this.attempts,
    graceMs: () => 5000,
    recheck: async () => {
      this.log.push('recheck');
    },
  });

  attempt(jobId: string, live: () => boolean): void {
    this.attempts.push({
      jobId,
      stopReason: undefined,
      lease: {
        renew: (beats) => {
          this.log.push(`renew ${jobId} ${beats}`);
          return live();
        },
        rearm: () => this.log.push(`rearm ${jobId}`),
      },
      beats: () => 7,
      lose: (graceMs) => this.log.push(`lose ${jobId} ${graceMs}`),
    });
  }
  pass(wallMs: number, monotonicMs = wallMs): void {
    this.wallMs += wallMs;
    this.monotonicMs += monotonicMs;
  }
}

keeper('renews what lives and loses what does not', async () => {
  const bench = new Bench();
  bench.attempt('a', () => true);
  bench.attempt('b', () => false);
  bench.pass(250);
  await bench.keeper.runOnce();
  assert.equal(bench.log, ['renew a 7', 'renew b 7', 'lose b 5000']);
});

keeper('after a suspend it verifies the owner and arms every lease anew, before anything is judged', async () => {
  const bench = new Bench();
  bench.attempt('a', () => true);
  bench.pass(3_600_000, 250);
  await bench.keeper.runOnce();
  assert.equal(bench.log, ['recheck', 'rearm a', 'renew a 7']);
  bench.log.length = 0;
  bench.pass(250);
  await bench.keeper.runOnce();
  assert.equal(bench.log, ['renew a 7'], 'once is enough');
});

keeper('the same when the wall clock is set back, and when the daemon stood still', async () => {
  const back = new Bench();
  back.pass(-60_000, 250);
  await back.keeper.runOnce();
  assert.equal(back.log, ['recheck']);
  const stopped = new Bench();
  stopped.attempt('a', () => true);
  stopped.pass(30_000);
  await stopped.keeper.runOnce();
  assert.equal(stopped.log, ['recheck', 'rearm a', 'renew a 7']);
});

keeper('leaves alone what is to stop, and what has no lease yet', async () => {
  const bench = new Bench();
  bench.attempt('a', () => false);
  const [attempt] = bench.attempts;
  if (attempt === undefined) throw new Error('no attempt');
  attempt.stopReason = 'cancelled';
  bench.attempts.push({ ...attempt, stopReason: undefined, lease: undefined });
  bench.pass(250);
  await bench.keeper.runOnce();
  assert.equal(bench.log, []);
});

keeper.run();
