import * as fs from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { findHome, openHome, stateFolder, stateFolderOf } from '../../lib/storage/home.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { allLost, MemoryDisk } from '../support/memory-disk.js';

const home = suite('home');
const disk = createNodeDisk();
const random = createNodeRandom();
let folder = '';
let root = '';
let state = '';

home.before.each(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
  root = join(folder, 'repository');
  state = join(folder, 'deep', 'state');
  fs.mkdirSync(root);
});
home.after.each(async () => {
  await rm(folder, { recursive: true, force: true });
});

const refusal = async (work: Promise<unknown>): Promise<AgentopsdError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof AgentopsdError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};

home(
  'one that somebody else makes at the same time, and does not come to sync, is there after a loss of power',
  async () => {
    const disk = new MemoryDisk();
    disk.plantFolder('/repository');
    const options = { disk, random, root: '/repository', env: { AGENTOPSD_STATE_DIR: '/state' } };
    const [folder, id] = [stateFolderOf('/repository', options.env), 'a'.repeat(32)];
    disk.plant(join(folder, '.theirs'), JSON.stringify({ id, key: 'b'.repeat(64) }));
    disk.beforeCall = (call, path) => {
      if (call !== 'open' || path !== join(folder, 'home.json')) return;
      disk.beforeCall = undefined;
      void disk.link(join(folder, '.theirs'), path).then(() => disk.remove(join(folder, '.theirs')));
    };
    assert.is((await openHome(options)).id, id);
    disk.losePower(allLost);
    assert.is((await findHome(options))?.id, id);
  },
);

home('is made once, private, and found again', async () => {
  const env = { AGENTOPSD_STATE_DIR: state };
  assert.is(await findHome({ disk, root, env }), undefined);
  assert.not(fs.existsSync(state), 'looking makes nothing');
  const made = await openHome({ disk, random, root, env });
  assert.is(made.folder, stateFolderOf(root, env));
  assert.is(fs.statSync(made.folder).mode & 0o777, 0o700);
  assert.is(fs.statSync(join(made.folder, 'home.json')).mode & 0o777, 0o600);
  assert.is(made.key.length, 32);
  assert.equal(await openHome({ disk, random, root, env }), made);
  assert.equal(await findHome({ disk, root, env }), made);
  assert.equal(fs.readdirSync(made.folder), ['home.json'], 'no temporary file is left');
});

home('is one for all names of a root, and another for each root', async () => {
  const env = { AGENTOPSD_STATE_DIR: state };
  fs.symlinkSync(root, join(folder, 'alias'));
  const made = await openHome({ disk, random, root, env });
  assert.equal(await openHome({ disk, random, root: join(folder, 'alias'), env }), made);
  fs.mkdirSync(join(folder, 'other'));
  const other = await openHome({ disk, random, root: join(folder, 'other'), env });
  assert.is.not(other.folder, made.folder);
  assert.is.not(other.id, made.id);
});

home('made by many at once is one', async () => {
  const env = { AGENTOPSD_STATE_DIR: state };
  const homes = await Promise.all(Array.from({ length: 8 }, () => openHome({ disk, random, root, env })));
  assert.is(new Set(homes.map((one) => one.id)).size, 1);
});

home('stands where the environment says', () => {
  assert.is(stateFolder({ AGENTOPSD_STATE_DIR: '/a/b/', XDG_STATE_HOME: '/x', HOME: '/h' }), '/a/b');
  assert.is(stateFolder({ AGENTOPSD_STATE_DIR: ' ', XDG_STATE_HOME: '/x', HOME: '/h' }), '/x/agentopsd');
  assert.is(stateFolder({ XDG_STATE_HOME: 'relative', HOME: '/h' }), '/h/.local/state/agentopsd');
  for (const env of [{}, { AGENTOPSD_STATE_DIR: 'relative' }]) {
    assert.throws(
      () => stateFolder(env),
      (error: unknown) => error instanceof AgentopsdError && error.code === 'folder_unusable',
    );
  }
});

home('is refused inside the root, also behind a link', async () => {
  fs.symlinkSync(root, join(folder, 'alias'));
  for (const inside of [join(root, 'state'), join(folder, 'alias', 'state')]) {
    const error = await refusal(openHome({ disk, random, root, env: { AGENTOPSD_STATE_DIR: inside } }));
    assert.is(error.code, 'folder_unusable');
    assert.match(error.message, 'inside the repository');
  }
  assert.equal(fs.readdirSync(root), []);
});

home('that others may use is refused', async () => {
  const env = { AGENTOPSD_STATE_DIR: state };
  const made = await openHome({ disk, random, root, env });
  fs.chmodSync(made.folder, 0o750);
  for (const work of [() => openHome({ disk, random, root, env }), () => findHome({ disk, root, env })]) {
    assert.match((await refusal(work())).message, 'mode 750');
  }
  fs.chmodSync(made.folder, 0o700);
  fs.chmodSync(join(made.folder, 'home.json'), 0o644);
  const error = await refusal(openHome({ disk, random, root, env }));
  assert.is(error.code, 'file_unsafe');
  assert.match(error.message, 'mode 644');
});

home('that is broken or a link is refused, never made anew', async () => {
  const env = { AGENTOPSD_STATE_DIR: state };
  const made = await openHome({ disk, random, root, env });
  const file = join(made.folder, 'home.json');
  for (const content of ['', '{}', '{"id":"zz","key":"00"}', 'no json']) {
    fs.writeFileSync(file, content);
    assert.is((await refusal(openHome({ disk, random, root, env }))).code, 'file_unsafe', content);
    assert.is(fs.readFileSync(file, 'utf8'), content);
  }
  fs.rmSync(file);
  fs.symlinkSync(join(folder, 'elsewhere'), file);
  assert.is((await refusal(openHome({ disk, random, root, env }))).code, 'file_unsafe');
});

home('of a root that is not there is refused', async () => {
  const error = await refusal(
    openHome({ disk, random, root: join(folder, 'nowhere'), env: { AGENTOPSD_STATE_DIR: state } }),
  );
  assert.is(error.code, 'folder_unusable');
});

home.run();
