/** What the home acknowledged and a ledger does not hold, beside damage of other kinds. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { stateKeeperOf } from '../../lib/engine/state-keeper.js';
import { DAMAGE_ADOPTED, eventIdOf } from '../../lib/model/event.js';
import type { DamageRecord } from '../../lib/model/health.js';
import { State } from '../../lib/model/state.js';
import { readAnchor } from '../../lib/storage/anchor.js';
import { adoptionPayload } from '../../lib/storage/condition.js';
import { type Home, openHome } from '../../lib/storage/home.js';
import type { LedgerObserver } from '../../lib/storage/ledger.js';
import { verifyLedger } from '../../lib/storage/verify.js';
import { eventOf, type Opened, openAs, until } from '../support/ledger-place.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { LEDGER, patched, SegmentBuilder, sampleEvent } from '../support/segment-builder.js';
import { seededRandom, TestClock } from '../support/test-clock.js';

const test = suite<{ disk: MemoryDisk; home: Home; random: ReturnType<typeof seededRandom> }>('lacking');
const root = '/repository';

test.before.each(async (context) => {
  context.disk = new MemoryDisk();
  context.disk.plantFolder(root);
  context.random = seededRandom(1);
  context.home = await openHome({ ...context, root, env: { AGENTOPSD_STATE_DIR: '/state' } });
});

function anchorAt(disk: MemoryDisk, home: Home, seq: number, hash: string): void {
  disk.plant(`${home.folder}/anchor.json`, JSON.stringify({ seq, hash }));
}

/** As a process of its own: whoever opened before counts as killed. */
const open = (context: { disk: MemoryDisk; home: Home; random: ReturnType<typeof seededRandom> }): Promise<Opened> =>
  openAs({ ...context, clock: new TestClock(), root });

async function adopt({ ledger }: Opened, damage: readonly DamageRecord[]): Promise<void> {
  const payload = adoptionPayload(damage);
  const seq = ledger.lastSeq() + 1;
  const event_id = eventIdOf(DAMAGE_ADOPTED, '', seq);
  await ledger.append([eventOf(seq, { event_type: DAMAGE_ADOPTED, event_id, job_id: '', payload })]);
}

/** One who keeps a state, so that checkpoints are made. */
function keeping(): LedgerObserver {
  const state = new State();
  return {
    keeper: stateKeeperOf(state),
    onReplayed: (event, ours) => {
      state.apply(event, ours);
    },
    onDurable: (events) => {
      for (const event of events) state.apply(event, true);
    },
    onDiscarded: () => undefined,
    onStopped: () => undefined,
  };
}

async function verified({ disk, home }: { disk: MemoryDisk; home: Home }): Promise<string[]> {
  const shownFolder = '.agents/daemon/ledger';
  const { findings } = await verifyLedger({ disk, ledgerFolder: LEDGER, home, homeFolder: home.folder, shownFolder });
  return findings.map(({ what }) => what);
}

test('an event whose segment was removed, where leftovers take its number, is told once and adopted once', async (context) => {
  const { disk, home } = context;
  const first = new SegmentBuilder(1, home).batches(1);
  const second = new SegmentBuilder(2, home, first.place()).events(sampleEvent(2, { job_id: 'acknowledged' }));
  // Behind its seal the first still has what nobody ever acknowledged, and the head has no event yet.
  first.batches(1).plant(disk);
  new SegmentBuilder(3, home, second.place()).plant(disk);
  anchorAt(disk, home, 2, second.hash);
  assert.match((await verified(context)).join('\n'), /segment is missing.*\n.*event 2 .* is missing/s);

  const opened = await open(context);
  const { damage, claimsHeldThroughSeq } = opened.ledger.health();
  assert.match(damage.map(({ error }) => error).join('\n'), /segment is missing.*\n.*event 2 .* is missing/s);
  assert.is(claimsHeldThroughSeq, 2);
  await adopt(opened, damage);
  assert.equal(opened.ledger.health().damage, []);

  // Killed before it anchored anything: the removed segment lies on no way any more, and the anchor is the old one.
  const again = await open(context);
  assert.is(again.plan.status, 'complete');
  assert.equal(again.ledger.health().damage, []);
  assert.is(again.ledger.health().claimsHeldThroughSeq, 0);
  assert.equal(await verified(context), []);
});

test('an event that is there, beside damage elsewhere, is not lacking', async (context) => {
  const { disk, home } = context;
  const segment = new SegmentBuilder(1, home).batches(1, 1, 1);
  segment.plant(disk, patched(segment.bytes(), segment.startOf(2) + 10, '!'));
  anchorAt(disk, home, 3, segment.hash);
  assert.equal(
    (await open(context)).ledger.health().damage.map(({ segment_line }) => segment_line),
    [2],
  );
  assert.is((await verified(context)).length, 1);
});

for (const [what, member, put] of [
  ['readable', 'goal 2', 'gaol 2'],
  ['no JSON any more', '"seq":2', '"seq"!2'],
] as const)
  test(`an altered line is no missing one: ${what}`, async (context) => {
    const { disk, home } = context;
    const segment = new SegmentBuilder(1, home).batches(1, 1);
    const { hash } = segment.place();
    segment.batches(1).plant(disk, patched(segment.bytes(), segment.bytes().indexOf(member), put));
    anchorAt(disk, home, 2, hash);
    const opened = await open(context);
    const { damage } = opened.ledger.health();
    assert.equal(
      damage.map(({ segment_line }) => segment_line),
      [3],
    );
    assert.not.match(damage[0]?.error as string, 'is missing');
    assert.is((await verified(context)).length, 1);
    await adopt(opened, damage);
    assert.equal((await open(context)).ledger.health().damage, []);
  });

test('what is found behind a checkpoint does not push aside what is lacking', async (context) => {
  const { disk, home } = context;
  const clock = new TestClock();
  const openKept = (): Promise<Opened> => {
    const observer = keeping();
    return openAs({ ...context, clock, root, observer, verifiedAtOnceBytes: 0 });
  };
  const first = await openKept();
  const name = first.ledger.segment.name;
  await first.ledger.append([sampleEvent(1), sampleEvent(2)]);
  await first.ledger.close();
  const second = await openKept();
  await second.ledger.append([sampleEvent(3)]);
  await second.ledger.close();

  disk.unplant(`${LEDGER}/${second.ledger.segment.name}`);
  const content = disk.contentOf(`${LEDGER}/${name}`) as Buffer;
  disk.plant(`${LEDGER}/${name}`, patched(content, content.indexOf('goal 1'), 'gaol'));
  const { ledger } = await openKept();
  const told = (): string =>
    ledger
      .health()
      .damage.map(({ error }) => error)
      .join('\n');
  assert.match(told(), /^event 3 .* is missing/);
  await until('all is verified', () => {
    clock.advance(limits.backgroundPauseMs);
    return ledger.health().verifiedThroughSeq === undefined;
  });
  assert.match(told(), /do not hash.*\n.*event 3 .* is missing/s);
  await ledger.append([eventOf(3)]);
  await ledger.close();
  assert.is((await readAnchor(disk, home))?.seq, 3, 'the anchor stays until the loss is accepted');
  assert.not.equal(ledger.health().damage, []);
});

test.run();
