/** The checkpoint that an opening leaves which took in much: who is killed again and again does not take it in each time. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import type { FileLedgerOptions } from '../../lib/storage/file-ledger.js';
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

test('a stop before it is due cancels it', async ({ place }) => {
  const clock = new TestClock();
  const { ledger } = await open(place, { clock, checkpointAfterEvents: 1 });
  await ledger.close();
  assert.equal(await names(place), ['000000000000300.checkpoint'], 'the clean stop leaves its own');
  assert.is(clock.pendingTimers, 0);
});

test.run();
