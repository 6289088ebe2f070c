/** Segments of another home: read once, and taken in as the careful way would take them. */
import { mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { stateKeeperOf } from '../../lib/engine/state-keeper.js';
import { State } from '../../lib/model/state.js';
import type { Disk } from '../../lib/storage/disk.js';
import { type Home, openHome } from '../../lib/storage/home.js';
import type { LedgerObserver } from '../../lib/storage/ledger.js';
import { createChainThread } from '../../lib/storage/node-chain-thread.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { generateLedger, lifeOfJobs } from '../bench/ledger-generator.js';
import { bytesOf } from '../support/folding-observer.js';
import { type LedgerPlace, makeLedgerPlace, type Opened } from '../support/ledger-place.js';

const test = suite<{ place: LedgerPlace; other: Home; state: string }>('foreign opening');
const life = [...lifeOfJobs(100)];
const SMALL = 20_000;

interface Folding extends LedgerObserver {
  readonly state: State;
  told: [string, boolean][];
}

function folding(): Folding {
  const state = new State();
  const told: [string, boolean][] = [];
  return {
    state,
    told,
    keeper: stateKeeperOf(state),
    onReplayed: (event, ours) => {
      told.push([event.event_id, ours]);
      state.apply(event, ours);
    },
    onDurable: () => undefined,
    onDiscarded: () => undefined,
    onStopped: () => undefined,
  };
}

async function openIn(
  place: LedgerPlace,
  home: Home,
  disk = createNodeDisk(),
): Promise<Opened & { observer: Folding }> {
  const observer = folding();
  return Object.assign(await place.open({ segmentBytes: SMALL, home, observer, disk }), { observer });
}

/** A disk that counts what is read of files. */
function counting(disk: Disk): { disk: Disk; bytesRead: () => number } {
  let bytes = 0;
  const open: Disk['open'] = async (...how) => {
    const file = await disk.open(...how);
    const read = file.read.bind(file);
    file.read = async (position, length) => {
      const answer = await read(position, length);
      bytes += answer.length;
      return answer;
    };
    return file;
  };
  return { disk: { ...disk, open }, bytesRead: () => bytes };
}

async function sizeOf({ layout }: LedgerPlace): Promise<number> {
  const names = await readdir(layout.ledger);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(layout.ledger, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The same ledger as somebody tells it who keeps no state, and so hears it in two passes. */
async function carefully(place: LedgerPlace, home: Home): Promise<{ observer: Folding }> {
  const observer = folding();
  const { keeper: _, ...rest } = observer;
  const { ledger } = await place.open({ home, observer: rest });
  await ledger.close();
  return { observer };
}

const homeIn = ({ root }: LedgerPlace, folder: string): Promise<Home> =>
  openHome({ disk: createNodeDisk(), random: createNodeRandom(), root, env: { AGENTOPSD_STATE_DIR: folder } });

test.before.each(async (context) => {
  context.place = await makeLedgerPlace();
  context.state = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
  context.other = await homeIn(context.place, context.state);
  const written = await openIn(context.place, context.place.home);
  for (let at = 0; at < 270; at += 9) await written.ledger.append(life.slice(at, at + 9));
  await written.ledger.close();
});
test.after.each(async ({ place, state }) => {
  await place.remove();
  await rm(state, { recursive: true, force: true });
});

test('each event of a strange ledger is told once, as foreign, and also when we have opened it before', async ({
  place,
  other,
}) => {
  const expected = await carefully(place, other);
  for (let opening = 0; opening < 3; opening++) {
    const opened = await openIn(place, other);
    assert.is(opened.observer.told.length, 270);
    assert.ok(opened.observer.told.every(([, ours]) => !ours));
    assert.is(bytesOf(opened.observer.state), bytesOf(expected.observer.state));
    assert.equal(opened.ledger.health().damage, []);
    // As after a crash: no checkpoint.
  }
});

test('it is told once also when several homes have opened it before, and none of them wrote', async ({
  place,
  other,
  state,
}) => {
  const homes = await Promise.all(['one', 'two'].map((name) => homeIn(place, join(state, name))));
  const expected = await carefully(place, other);
  for (const home of homes) await (await openIn(place, home)).ledger.close();
  const { disk, bytesRead } = counting(createNodeDisk());
  const opened = await openIn(place, other, disk);
  assert.is(opened.observer.told.length, 270);
  // Once to see what each segment is, as far as its first block goes, and once as a whole.
  assert.ok(bytesRead() < 2.2 * (await sizeOf(place)), `${bytesRead()} of ${await sizeOf(place)} bytes`);
  assert.is(bytesOf(opened.observer.state), bytesOf(expected.observer.state));
  assert.equal([opened.plan.twoHeads, opened.plan.status], [false, 'complete']);
});

test('what we wrote behind it is ours, and all of it is told once', async ({ place, other }) => {
  const first = await openIn(place, other);
  await first.ledger.append(life.slice(270, 300));
  const expected = await carefully(place, other);
  const second = await openIn(place, other);
  assert.is(second.observer.told.length, 300);
  assert.equal(
    second.observer.told.map(([, ours]) => ours),
    Array.from({ length: 300 }, (_, at) => at >= 270),
  );
  assert.is(bytesOf(second.observer.state), bytesOf(expected.observer.state));
});

for (const [what, alter] of [
  ['an altered payload', (text: string) => text.replace('"number":70', '"number":71')],
  ['a space between two members', (text: string) => text.replace(',"seq":200}', ', "seq":200}')],
  ['a line that is no object', (text: string) => text.replace(/\n[^\n]*,"seq":200\}/, '\nnull')],
  ['a line that is a text', (text: string) => text.replace(/\n[^\n]*,"seq":200\}/, '\n"seq"')],
  ['two events in one line', (text: string) => text.replace(/\n([^\n]*,"seq":200\})\n/, '\n$1,')],
  [
    'a commit without a mac, where another member looks like one',
    (text: string) =>
      text.replace(
        /\n([^\n]*)"commit":\{"from":199,"mac":"[^"]*"\}/,
        '\n$1"commit":{"from":199,"x":{"a":1,"mac":"undefined"}}',
      ),
  ],
  ['a mac that is too short', (text: string) => text.replace(/("commit":\{"from":199,"mac":")[^"]*/, '$1beef')],
  ['a seq that is left out', (text: string) => text.replace(/\n[^\n]*,"seq":200\}/, '')],
] as const) {
  test(`${what} is found and told as the careful way tells it`, async ({ place, other }) => {
    const { segments } = (await openIn(place, other)).plan;
    let altered = 0;
    for (const name of segments) {
      const path = join(place.layout.ledger, name);
      const text = await readFile(path, 'latin1').catch(() => '');
      if (alter(text) === text) continue;
      await writeFile(path, alter(text), 'latin1');
      altered++;
    }
    assert.is(altered, 1);
    const expected = await carefully(place, other);
    const opened = await openIn(place, other);
    assert.is(opened.ledger.health().damage.length > 0, true);
    assert.is(bytesOf(opened.observer.state), bytesOf(expected.observer.state));
  });
}

test('where a second thread looks at the lines, whatever stands in one is found just so', async ({ other }) => {
  const place = await makeLedgerPlace();
  try {
    const [disk, events] = [createNodeDisk(), 40_000];
    const { segments, bytes } = await generateLedger({
      disk,
      root: place.root,
      ledgerFolder: place.layout.ledger,
      home: place.home,
      events,
    });
    assert.ok(bytes > limits.secondThreadBytes);
    const path = join(place.layout.ledger, segments[0] as string);
    const whole = await readFile(path, 'latin1');
    const open = async (): Promise<Folding> => {
      const observer = folding();
      const { ledger } = await place.open({ home: other, observer, chainThread: createChainThread });
      await ledger.close();
      return observer;
    };
    const alterations: ((text: string) => string)[] = [
      (text) => text.replace(/\n[^\n]*,"seq":200\}/, '\nnull'),
      (text) => text.replace(/("commit":\{"from":193),"mac":"[^"]*"/, '$1,"x":{"a":1,"mac":"undefined"}'),
    ];
    for (const alter of [undefined, ...alterations]) {
      const text = alter?.(whole) ?? whole;
      assert.is(text === whole, alter === undefined);
      await writeFile(path, text, 'latin1');
      const expected = await carefully(place, other);
      const opened = await open();
      assert.ok(opened.told.length >= events);
      assert.is(bytesOf(opened.state), bytesOf(expected.observer.state));
    }
  } finally {
    await place.remove();
  }
});

test.run();
