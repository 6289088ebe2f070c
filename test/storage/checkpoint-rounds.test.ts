/**
 * The checkpoint that an opening leaves which took in much: who is killed again and again does not take it in each time.
 * And which ones are not worth it.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { CheckpointRounds } from '../../lib/storage/checkpoint-rounds.js';
import type { Checkpoints } from '../../lib/storage/checkpoints.js';
import type { Condition } from '../../lib/storage/condition.js';
import type { FileLedgerOptions } from '../../lib/storage/file-ledger.js';
import type { History } from '../../lib/storage/history.js';
import type { LiveSegment } from '../../lib/storage/live-segment.js';
import type { ReplayPlan } from '../../lib/storage/replay.js';
import { lifeOfJobs } from '../bench/ledger-generator.js';
import { bytesOf, folding } from '../support/folding-observer.js';
import { type LedgerPlace, makeLedgerPlace, until } from '../support/ledger-place.js';
import { TestClock } from '../support/test-clock.js';

const test = suite<{ place: LedgerPlace }>('checkpoint behind an opening');
const life = [...lifeOfJobs(1_000)];
const TAKEN_IN = 300;

async function open(place: LedgerPlace, more: Partial<FileLedgerOptions> = {}) {
  const observer = folding();
  const { ledger } = await place.open({ clock: new TestClock(), ...more, observer });
  return { ledger, observer };
}

const folderOf = (place: LedgerPlace): string => join(place.home.folder, 'checkpoints');

const names = async (place: LedgerPlace): Promise<string[]> =>
  (await readdir(folderOf(place)).catch(() => [])).filter((name) => !name.startsWith('.'));

test.before.each(async (context) => {
  context.place = await makeLedgerPlace();
  const { ledger } = await open(context.place);
  await ledger.append(life.slice(0, TAKEN_IN));
  await ledger.close();
  await rm(folderOf(context.place), { recursive: true });
});
test.after.each(async ({ place }) => place.remove());

test('limits.checkpointAfterEvents, limits.checkpointDelayMs: it is left a while behind the opening', async ({
  place,
}) => {
  const clock = new TestClock();
  const first = await open(place, { clock, checkpointAfterEvents: TAKEN_IN });
  assert.is(first.observer.replayed, TAKEN_IN);
  clock.advance(limits.checkpointDelayMs - 1);
  const opened = bytesOf(first.observer.state);
  // Each takes a sync: time enough for a checkpoint that was begun too soon.
  for (const event of life.slice(TAKEN_IN, TAKEN_IN + 10)) await first.ledger.append([event]);
  assert.equal(await names(place), [], 'whoever waited for the opening comes first');
  clock.advance(1);
  let there: string[] = [];
  const look = setInterval(() => void names(place).then((found) => (there = found)), 5);
  await until('it is written', () => there.length > 0);
  clearInterval(look);
  assert.equal(there, ['000000000000300.checkpoint'], 'it stands where the opening ended, whatever came since');

  // As after a kill: nobody closed the first.
  const second = await open(place);
  assert.is(second.observer.replayed, 10, 'only what came since is taken in');
  assert.is(bytesOf(second.observer.state), bytesOf(first.observer.state));
  assert.is.not(bytesOf(second.observer.state), opened);
  await first.ledger.close();
  await second.ledger.close();
});

test('what is taken in quickly leaves none', async ({ place }) => {
  const clock = new TestClock();
  const { ledger } = await open(place, { clock, checkpointAfterEvents: TAKEN_IN + 1 });
  clock.advance(limits.checkpointDelayMs);
  assert.is(clock.pendingTimers > 0, true, 'other work is on the clock');
  assert.equal(await names(place), []);
  await ledger.append(life.slice(TAKEN_IN, TAKEN_IN + 1));
  await ledger.close();
  assert.equal(await names(place), ['000000000000301.checkpoint'], 'the clean stop leaves its own');
});

/** Rounds over a state of so many jobs and a ledger of so many events, without a disk. */
function roundsOf(size: { open: number; ended: number }, lastSeq: number) {
  const written: number[] = [];
  const plan = { chain: [], lastSeq, status: 'complete', twoHeads: false } as unknown as ReplayPlan;
  const rounds = new CheckpointRounds({
    keeper: { reducer: 'r', capture: () => ({ summary: '', pages: () => [] }), size: () => size, restoring: never },
    checkpoints: { write: async ({ seq }: { seq: number }) => written.push(seq) } as unknown as Checkpoints,
    history: { runs: () => [] } as unknown as History,
    condition: { adopted: [], isDamaged: false } as unknown as Condition,
    homeId: 'home',
    plan,
    checkpointSeq: 0,
    progress: never,
  });
  return { rounds, written };
}

function never(): never {
  throw new Error('nobody asks for this');
}

const segment = { name: '000001-0000beef.jsonl', sizeBytes: 1, lines: 2, lastHash: 'h' } as LiveSegment;

test('limits.checkpointFreeJobs, limits.checkpointEventsPerJob, limits.checkpointEndedPerOpen: none that costs more than it is worth', async () => {
  const { checkpointFreeJobs: free, checkpointEventsPerJob: perJob, checkpointEndedPerOpen: perOpen } = limits;
  const long = 4 * free;
  const cases: readonly [open: number, ended: number, events: number, isDue: boolean][] = [
    [free, 0, 1, true],
    [free + 1, 0, 1, false],
    [0, free * perOpen, 1, true],
    [0, free * perOpen + 1, 1, false],
    [long, 0, long * perJob, true],
    [long, 0, long * perJob - 1, false],
    [long, perOpen, (long + 1) * perJob - 1, false],
    [long, perOpen, (long + 1) * perJob, true],
  ];
  for (const [open, ended, events, isDue] of cases) {
    const told = `${open} open, ${ended} ended, ${events} events`;
    const opening = roundsOf({ open, ended }, events);
    assert.is(opening.rounds.opened(1) !== undefined, isDue, `${told}: behind an opening`);
    const ending = roundsOf({ open, ended }, events);
    await ending.rounds.segmentEnded(segment);
    assert.equal(ending.written, isDue ? [events] : [], `${told}: where a segment ends`);
    await ending.rounds.stopped(segment);
    assert.equal(ending.written, [events], `${told}: a clean stop leaves one`);
  }
});

test('a stop before it is due cancels it', async ({ place }) => {
  const clock = new TestClock();
  const { ledger } = await open(place, { clock, checkpointAfterEvents: 1 });
  await ledger.close();
  assert.equal(await names(place), ['000000000000300.checkpoint'], 'the clean stop leaves its own');
  assert.is(clock.pendingTimers, 0);
});

test.run();
