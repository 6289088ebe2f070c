/**
 * The protocol over a disk in memory: a writer dies, or the machine loses power, before every single call in turn,
 * while it opens, writes, and opens again. Whoever opens afterwards finds everything that was acknowledged, batches
 * whole or not at all, and no damage.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LedgerEvent } from '../../lib/model/event.js';
import type { Disk } from '../../lib/storage/disk.js';
import { openHome } from '../../lib/storage/home.js';
import { eventOf, type Opened, openAs } from '../support/ledger-place.js';
import { allKept, allLost, chanceChoice, MemoryDisk } from '../support/memory-disk.js';
import { mortal } from '../support/mortal-disk.js';
import { chance, seededRandom, TestClock } from '../support/test-clock.js';

const crashes = suite('crash before every call');
const ROOT = '/repository';
const ENV = { AGENTOPSD_STATE_DIR: '/state' };

interface World {
  readonly disk: MemoryDisk;
  readonly acknowledged: Map<number, string>;
  /** Groups that were given, by the `request_id` of their events. */
  readonly given: Map<string, number>;
  seed: number;
}

function makeWorld(seed: number): World {
  const disk = new MemoryDisk();
  disk.plantFolder(ROOT);
  return { disk, acknowledged: new Map(), given: new Map(), seed };
}

async function open(world: World, disk: Disk = world.disk): Promise<Opened> {
  world.seed += 1;
  const random = seededRandom(world.seed);
  const home = await openHome({ disk, random, root: ROOT, env: ENV });
  return openAs({ disk, clock: new TestClock(), random, root: ROOT, home, segmentBytes: 3_000 });
}

/** One life of a process: three rounds of groups, the second of two at once. */
async function live(world: World, disk: Disk = world.disk): Promise<void> {
  const { ledger } = await open(world, disk);
  let seq = ledger.lastSeq();
  const append = async (count: number): Promise<void> => {
    const group = `group_${world.seed}_${seq}`;
    const events: LedgerEvent[] = Array.from({ length: count }, () => {
      seq += 1;
      return eventOf(seq, { request_id: group });
    });
    world.given.set(group, count);
    await ledger.append(events);
    for (const event of events) world.acknowledged.set(event.seq, event.request_id);
  };
  await append(2);
  await Promise.all([append(1), append(3)]);
  await append(1);
  await ledger.close();
}

async function judge(world: World, what: string): Promise<void> {
  const opened = await open(world);
  assert.is(opened.plan.status, 'complete', what);
  assert.equal(opened.ledger.health().damage, [], what);
  assert.equal(opened.ledger.health().reasons, [], what);
  assert.equal(
    opened.replayed.map((event) => event.seq),
    opened.replayed.map((_, at) => at + 1),
    what,
  );
  for (const [seq, request] of world.acknowledged)
    assert.is(opened.replayed[seq - 1]?.request_id, request, `${what}: event ${seq} was acknowledged`);
  const counts = new Map<string, number>();
  for (const { request_id } of opened.replayed) counts.set(request_id, (counts.get(request_id) ?? 0) + 1);
  for (const [group, count] of counts) assert.is(count, world.given.get(group), `${what}: a group is whole`);
  for (const event of opened.replayed) world.acknowledged.set(event.seq, event.request_id);
  await opened.ledger.close();
}

type End = (disk: MemoryDisk) => void;

/** Lets a life end before its `at`-th call; answers whether it lived to its end. */
async function liveUntil(world: World, at: number, end: End): Promise<boolean> {
  let die: () => void = () => undefined;
  const death = new Promise<false>((resolve) => {
    die = () => resolve(false);
  });
  let dead = false;
  const disk = mortal(world.disk, at, () => {
    dead = true;
    die();
  });
  const life = live(world, disk).then(
    () => true,
    (error: unknown) => (dead ? death : Promise.reject(error)),
  );
  const ended = await Promise.race([life, death]);
  end(world.disk);
  return ended;
}

const ends: readonly (readonly [string, (round: number) => End])[] = [
  ['kill', () => (disk) => disk.killProcess()],
  ['power loss, all lost', () => (disk) => disk.losePower(allLost)],
  ['power loss, all kept', () => (disk) => disk.losePower(allKept)],
  ['power loss, by chance', (round) => (disk) => disk.losePower(chanceChoice(chance(round)))],
];

for (const [name, endOf] of ends) {
  for (const livesBefore of [0, 2]) {
    crashes(`${name}, ${livesBefore === 0 ? 'in the first life' : 'in the third life'}`, async () => {
      let calls = 0;
      for (let at = livesBefore % 3, whole = false; !whole; at += 1 + livesBefore) {
        const world = makeWorld(1_000 * at);
        for (let life = 0; life < livesBefore; life++) await live(world);
        whole = await liveUntil(world, at, endOf(at));
        await judge(world, `${name} before call ${at}`);
        await judge(world, `${name} before call ${at}, opened twice`);
        calls = at;
      }
      assert.ok(calls > 50, `${calls} calls`);
    });
  }
}

crashes('crashes on crashes, inside recovery too', async () => {
  for (let round = 0; round < 80; round++) {
    const unit = chance(round);
    const world = makeWorld(1_000 * round);
    for (let crash = 0; crash < 4; crash++) {
      const endOf = ends[Math.floor(unit() * ends.length)]?.[1];
      if (endOf !== undefined) await liveUntil(world, Math.floor(unit() * 220), endOf(round * 7 + crash));
    }
    await judge(world, `round ${round}`);
  }
});

crashes(
  'a failed sync, whatever it leaves in the cache, and a loss of power: nothing acknowledged is lost',
  async () => {
    for (const failedSync of ['clean', 'reverted', 'once'] as const) {
      for (let nth = 1; nth <= 12; nth++) {
        for (const [index, choice] of [allLost, allKept, chanceChoice(chance(nth))].entries()) {
          const world = makeWorld(nth);
          await live(world);
          world.disk.plan({ call: 'datasync', nth, errno: 'EIO', failedSync, path: /\.jsonl$/ });
          await live(world).catch(() => undefined);
          world.disk.killProcess();
          // Somebody opens before the power goes: what it goes on from has to be made durable by it.
          await live(world);
          world.disk.losePower(choice);
          await judge(world, `${failedSync} at sync ${nth}, choice ${index}`);
        }
      }
    }
  },
);

crashes.run();
