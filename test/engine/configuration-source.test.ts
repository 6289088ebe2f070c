import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ConfigurationSource,
  type ConfigurationSourceOptions,
  openConfigurationSource,
} from '../../lib/engine/configuration-source.js';
import type { Watcher } from '../../lib/engine/folder-watch.js';
import { type Declared, defaultConfiguration, parseConfiguration } from '../../lib/model/configuration.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { trustConfiguration } from '../../lib/storage/trust.js';
import { until } from '../support/nasty-children.js';
import { waitingClock } from '../support/real-clock.js';

const test = suite('configuration-source');
let folder = '';
let sources: ConfigurationSource[] = [];
let logged: string[] = [];
test.before.each(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  mkdirSync(join(folder, 'home'), { mode: 0o700 });
  mkdirSync(join(folder, 'root', '.agents'), { recursive: true });
  sources = [];
  logged = [];
});
test.after.each(async () => {
  await Promise.all(sources.map((source) => source.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const seams = { disk: createNodeDisk(), random: createNodeRandom() };
const path = (): string => join(folder, 'root', '.agents', 'config.yaml');
const home = () => ({ folder: join(folder, 'home'), root: join(folder, 'root') });
const put = (text: string): void => {
  writeFileSync(`${path()}.new`, text);
  renameSync(`${path()}.new`, path());
};
async function open(more: Partial<ConfigurationSourceOptions> = {}): Promise<ConfigurationSource> {
  const source = await openConfigurationSource({
    ...seams,
    home: home(),
    clock: waitingClock(),
    logger: (_, line) => logged.push(line),
    ...more,
  });
  sources.push(source);
  return source;
}
const trust = (text: string): Promise<void> =>
  trustConfiguration(seams, home(), parseConfiguration(text).configuration?.declared as Declared);
const refusal = async (): Promise<{ code: string; message: string }> => {
  try {
    await open();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it opened');
};
const forge = (word: string): string => `executors: { wiki.forge: { command: [${word}] } }\n`;

test('no file is all defaults; a broken one refuses the start with every mistake', async () => {
  assert.equal((await open()).current(), defaultConfiguration());
  put('worker: 1\nqueue: { lease_seconds: 0 }\n');
  const error = await refusal();
  assert.is(error.code, 'configuration_invalid');
  assert.match(error.message, /^\.agents\/config\.yaml:1:1: unknown key "worker"/);
  assert.match(error.message, /\n\.agents\/config\.yaml:2:\d+: queue\.lease_seconds/);
});

test('a link, a folder, or a file too large is refused', async () => {
  writeFileSync(join(folder, 'elsewhere.yaml'), 'workers: 1');
  symlinkSync(join(folder, 'elsewhere.yaml'), path());
  assert.is((await refusal()).code, 'file_unsafe');
  rmSync(path());
  put(`# ${'x'.repeat(1_100_000)}`);
  assert.is((await refusal()).code, 'file_unsafe');
});

test('without trust nobody takes what names a program; with it the program counts', async () => {
  put(`workers: 2\n${forge('make')}agents: { claude: { command: [claude] } }\nallow_payload_commands: true\n`);
  const source = await open();
  assert.is(source.current().workers, 2);
  assert.equal(source.current().executors['wiki.forge'], { kind: 'off', why: 'untrusted' });
  assert.equal(source.current().agents, {});
  assert.is(source.current().allow_payload_commands, false);
  assert.match(source.warnings()[0] ?? '', /not trusted.*\+ wiki\.forge: command make.*agentopsd trust/);
  const trusted = await open({ trust: true });
  assert.is(trusted.current().executors['wiki.forge']?.kind, 'command');
  assert.equal(trusted.warnings(), []);
  assert.ok(logged.includes('trusted: wiki.forge: command make'));
  assert.is((await open()).current().allow_payload_commands, true, 'trust is kept');
});

test('trust that is given beside the daemon has its effect at the next look', async () => {
  put(forge('make'));
  const source = await open();
  await trust(forge('make'));
  await source.runOnce();
  assert.is(source.current().executors['wiki.forge']?.kind, 'command');
  assert.equal(source.warnings(), []);
});

test('a changed program is not applied until it is trusted; limits of the same file are', async () => {
  put(forge('make'));
  await trust(forge('make'));
  const source = await open();
  const changes: number[] = [];
  source.onChange((configuration) => changes.push(configuration.workers));
  put(`workers: 9\n${forge('evil')}`);
  await source.runOnce();
  const executor = source.current().executors['wiki.forge'];
  assert.equal(executor?.kind === 'command' && executor.command, ['make']);
  assert.is(source.current().workers, 9);
  assert.equal(changes, [9]);
  assert.match(
    source.warnings()[0] ?? '',
    /set of before stays.*- wiki\.forge: command make; \+ wiki\.forge: command evil/,
  );
  await trust(forge('evil'));
  await source.runOnce();
  const trusted = source.current().executors['wiki.forge'];
  assert.equal(trusted?.kind === 'command' && trusted.command, ['evil']);
  assert.equal(source.warnings(), []);
  put('workers: 9\n');
  await source.runOnce();
  assert.equal(source.current().executors, {}, 'what names no program counts at once');
});

test('a broken or missing file keeps the settings, with a warning that goes when it is whole', async () => {
  put('workers: 2\n');
  const source = await open();
  put('workers: two\n');
  await source.runOnce();
  assert.is(source.current().workers, 2);
  assert.match(
    source.warnings()[0] ?? '',
    /config\.yaml:1:10: workers must be an integer; the settings of before stay/,
  );
  rmSync(path());
  await source.runOnce();
  assert.is(source.current().workers, 2);
  assert.match(source.warnings()[0] ?? '', /is gone/);
  symlinkSync(join(folder, 'elsewhere.yaml'), path());
  await source.runOnce();
  assert.is(source.current().workers, 2);
  assert.match(source.warnings()[0] ?? '', /can't be read/);
  rmSync(path());
  put('workers: 3\n');
  await source.runOnce();
  assert.is(source.current().workers, 3);
  assert.equal(source.warnings(), []);
});

test('a file that is being written in place is not taken by halves', async () => {
  put(forge('make'));
  await trust(forge('make'));
  const source = await open();
  writeFileSync(path(), 'workers: 2\n');
  const look = source.runOnce();
  let writes = 0;
  const writing = setInterval(() => writeFileSync(path(), `workers: 2\n# ${++writes}\n`), 20);
  await until(() => writes >= 20, 'twenty writes');
  assert.is(source.current().executors['wiki.forge']?.kind, 'command', 'still the old set');
  clearInterval(writing);
  writeFileSync(path(), `workers: 2\n${forge('make')}`);
  await look;
  assert.is(source.current().workers, 2);
  assert.is(source.current().executors['wiki.forge']?.kind, 'command');
});

test('a change is noticed by itself, also after the folder was removed and made again', async () => {
  put('workers: 2\n');
  const source = await open();
  source.start();
  put('workers: 3\n');
  await until(() => source.current().workers === 3, 'the first change');
  rmSync(join(folder, 'root', '.agents'), { recursive: true });
  mkdirSync(join(folder, 'root', '.agents'));
  put('workers: 4\n');
  await until(() => source.current().workers === 4, 'the change in the new folder');
  put('workers: 5\n');
  await until(() => source.current().workers === 5, 'one more');
  await source.stop();
  put('workers: 6\n');
  await source.stop();
  assert.is(source.current().workers, 5);
});

test('without watches left it looks from time to time, and says so', async () => {
  put('workers: 2\n');
  let fail: (error: unknown) => void = () => {};
  const watcher = {
    on: (event: string, listener: (error: unknown) => void) => {
      if (event === 'error') fail = listener;
    },
    close: async () => {},
  } as Watcher;
  const source = await open({ watch: () => watcher });
  source.start();
  fail(Object.assign(new Error('System limit for number of file watchers reached'), { code: 'ENOSPC' }));
  assert.match(source.warnings()[0] ?? '', /max_user_watches/);
  put('workers: 3\n');
  await until(() => source.current().workers === 3, 'the change');
});

test.run();
