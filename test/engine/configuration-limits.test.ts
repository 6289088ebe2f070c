/** How large a configuration may be, and when a changed one counts. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { type ConfigurationSource, openConfigurationSource } from '../../lib/engine/configuration-source.js';
import type { Watch } from '../../lib/engine/folder-watch.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { until } from '../support/nasty-children.js';
import { TestClock } from '../support/test-clock.js';

interface Room {
  folder: string;
  clock: TestClock;
  /** Fails as a watcher does that the system has no watches for. */
  fail: (error: unknown) => void;
  sources: ConfigurationSource[];
}
const test = suite<Room>('limits of the configuration file');

test.before.each((room) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  mkdirSync(join(folder, 'home'), { mode: 0o700 });
  mkdirSync(join(folder, 'root/.agents'), { recursive: true });
  Object.assign(room, { folder, clock: new TestClock(), fail: () => {}, sources: [] });
});
test.after.each(async ({ sources, folder }) => {
  await Promise.all(sources.map((source) => source.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const put = ({ folder }: Room, text: string): void => writeFileSync(join(folder, 'root/.agents/config.yaml'), text);

async function open(room: Room): Promise<ConfigurationSource> {
  const { folder, clock } = room;
  const watch = (() => ({
    on(event: string, listener: (error: unknown) => void) {
      if (event === 'error') room.fail = listener;
    },
    close: async () => {},
  })) as unknown as Watch;
  const source = await openConfigurationSource({
    disk: createNodeDisk(),
    random: createNodeRandom(),
    home: { folder: join(folder, 'home'), root: join(folder, 'root') },
    clock,
    logger: () => {},
    watch,
  });
  room.sources.push(source);
  return source;
}

test('limits.configurationBytes', async (room) => {
  const { configurationBytes } = limits;
  put(room, 'workers: 7\n'.padEnd(configurationBytes));
  assert.is((await open(room)).current().workers, 7);
  put(room, 'workers: 7\n'.padEnd(configurationBytes + 1));
  const refused = await open(room).catch((error: unknown) => error as { code?: string; message?: string });
  assert.is((refused as { code?: string }).code, 'file_unsafe');
  assert.match((refused as { message?: string }).message ?? '', String(configurationBytes));
});

test('limits.configurationSettleMs: a change counts when two looks so far apart find the same', async (room) => {
  put(room, 'workers: 2\n');
  const source = await open(room);
  const { clock } = room;
  const settling = async () => {
    await until(() => clock.pendingTimers === 1, 'it waits for the second look');
    clock.advance(limits.configurationSettleMs - 1);
    assert.equal([clock.pendingTimers, source.current().workers], [1, 2]);
  };
  put(room, 'workers: 3\n');
  const looking = source.runOnce();
  await settling();
  put(room, 'workers: 4\n');
  clock.advance(1);
  await settling();
  clock.advance(1);
  await looking;
  assert.is(source.current().workers, 4);
});

test('limits.rescanUnwatchedMs: without watches left it is looked at so often', async (room) => {
  const { rescanUnwatchedMs } = limits;
  put(room, 'workers: 2\n');
  const source = await open(room);
  const { clock } = room;
  source.start();
  room.fail(Object.assign(new Error('none left'), { code: 'ENOSPC' }));
  assert.match(source.warnings()[0] ?? '', `looked at every ${rescanUnwatchedMs} ms`);
  put(room, 'workers: 3\n');
  clock.advance(rescanUnwatchedMs - 1);
  assert.is(clock.pendingTimers, 1, 'the next look alone');
  clock.advance(1);
  await until(() => clock.pendingTimers === 2, 'it looks, and waits for the second look');
  clock.advance(limits.configurationSettleMs);
  await until(() => source.current().workers === 3, 'the change');
});

test.run();
