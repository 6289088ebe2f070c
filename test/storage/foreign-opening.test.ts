/** Segments of another home: read once, and taken in as the careful way would take them. */
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stateKeeperOf } from '../../lib/engine/state-keeper.js';
import { State } from '../../lib/model/state.js';
import { type Home, openHome } from '../../lib/storage/home.js';
import type { LedgerObserver } from '../../lib/storage/ledger.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { lifeOfJobs } from '../bench/ledger-generator.js';
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

async function openIn(place: LedgerPlace, home: Home): Promise<Opened & { observer: Folding }> {
  const observer = folding();
  return Object.assign(await place.open({ segmentBytes: SMALL, home, observer }), { observer });
}

/** The same ledger as somebody tells it who keeps no state, and so hears it in two passes. */
async function carefully(place: LedgerPlace, home: Home): Promise<{ observer: Folding }> {
  const observer = folding();
  const { keeper: _, ...rest } = observer;
  const { ledger } = await place.open({ home, observer: rest });
  await ledger.close();
  return { observer };
}

test.before.each(async (context) => {
  context.place = await makeLedgerPlace();
  context.state = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
  context.other = await openHome({
    disk: createNodeDisk(),
    random: createNodeRandom(),
    root: context.place.root,
    env: { AGENTOPSD_STATE_DIR: context.state },
  });
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

test.run();
