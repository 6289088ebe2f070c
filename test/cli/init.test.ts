import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliRoom } from '../support/cli-room.js';
import { skip } from '../support/skip.js';

const test = suite('agentopsd init');
const execute = promisify(execFile);
let room: CliRoom;
test.before.each(async () => {
  room = await CliRoom.open();
});
test.after.each(() => room.close());

const laid = ['.agents/config.yaml', '.agents/.gitignore', '.agents/.gitattributes'];

interface Setup {
  state_folder: string;
  dry_run: boolean;
  files: { path: string; state: string }[];
}

async function initialized(...words: string[]): Promise<Setup> {
  return (await room.json('init', ['init', ...words])) as unknown as Setup;
}

test('lays down the template and makes the token, each told', async () => {
  const { files } = await initialized();
  assert.equal(
    files.slice(0, 3),
    laid.map((path) => ({ path, state: 'made' })),
  );
  const token = files[3]?.path as string;
  assert.is((await stat(token)).mode & 0o777, 0o600);
  assert.is((await stat(dirname(token))).mode & 0o777, 0o700);
  assert.ok(token.startsWith(join(room.folder, 'state')));
  for (const path of laid) assert.ok((await readFile(join(room.root, path), 'utf8')).length > 0);
});

test('a second time everything is kept, what was changed too', async () => {
  await initialized();
  const config = join(room.root, '.agents/config.yaml');
  await writeFile(config, 'workers: 1\n');
  await rm(join(room.root, '.agents/.gitignore'));
  const { files } = await initialized();
  assert.equal(
    files.map(({ state }) => state),
    ['kept', 'made', 'kept', 'kept'],
  );
  assert.is(await readFile(config, 'utf8'), 'workers: 1\n');
});

test('--dry-run makes nothing and tells what would be', async () => {
  const setup = await initialized('--dry-run');
  assert.is(setup.dry_run, true);
  assert.equal(
    setup.files.map(({ state }) => state),
    ['would_make', 'would_make', 'would_make', 'would_make'],
  );
  for (const path of ['repository/.agents', 'state']) {
    assert.is(await stat(join(room.folder, path)).catch(() => undefined), undefined, path);
  }
});

test('for people: a line a file, and what comes next on stderr', async () => {
  const ran = await room.run(['init']);
  assert.is(ran.status, 0);
  assert.is(ran.stdout.trimEnd().split('\n').length, 4);
  assert.match(ran.stdout, '✓ made');
  assert.match(ran.stderr, 'agentopsd run');
  assert.is((await room.run(['init', '-q'])).stderr, '');
});

test('nothing is written through a link, nor into a file', async () => {
  await mkdir(join(room.folder, 'elsewhere'));
  await symlink(join(room.folder, 'elsewhere'), join(room.root, '.agents'));
  const error = await room.json('error', ['init'], { status: 2 });
  assert.is(error['code'], 'folder_unusable');
  await rm(join(room.root, '.agents'));
  await writeFile(join(room.root, '.agents'), '');
  assert.is((await room.run(['init', '--root', room.root])).status, 2);
});

test('a link in the place of a file is kept and not followed', async () => {
  await mkdir(join(room.root, '.agents'));
  await symlink(join(room.folder, 'target'), join(room.root, '.agents/config.yaml'));
  const { files } = await initialized();
  assert.is(files[0]?.state, 'kept');
  assert.is(await stat(join(room.folder, 'target')).catch(() => undefined), undefined);
});

test('a root that is not there, and a state folder inside the root', async () => {
  assert.is((await room.json('error', ['init', '--root', 'nowhere'], { status: 2 }))['code'], 'folder_unusable');
  const env = { AGENTOPSD_STATE_DIR: join(room.root, 'state') };
  assert.is((await room.json('error', ['init'], { status: 2, env }))['code'], 'folder_unusable');
  assert.is(await stat(join(room.root, '.agents')).catch(() => undefined), undefined);
});

test('what is dropped after init is taken by the first run; what came with a clone is not', async () => {
  await mkdir(join(room.root, '.agents/inbox/new'), { recursive: true });
  const envelope = (id: string): string => JSON.stringify({ job_type: 'openclaw.snapshot', job_id: id });
  await writeFile(join(room.root, '.agents/inbox/new/came.json'), envelope('came'));
  const dropped = await room.json('dropped', ['submit', '--type', 'openclaw.snapshot', '--id', 'dropped', '--inbox']);
  const daemon = await room.daemon();
  const ended = await room.run(['submit', '--type', 'openclaw.snapshot', '--id', 'last', '--inbox', '--wait', '-q']);
  assert.is(ended.stdout, 'last\n', ended.stderr);
  assert.equal((await room.run(['jobs', '-q'])).stdout.split('\n').sort(), ['', 'dropped', 'last']);
  const accepted = JSON.parse(await readFile(join(room.root, String(dropped['accepted'])), 'utf8')) as {
    job_id: string;
  };
  assert.is(accepted.job_id, 'dropped');
  assert.match((await room.run(['status'])).stdout, 'inbox');
  await daemon.stop();
});

test('git takes the ledger and the configuration, and nothing else', async () => {
  const git = (...words: string[]) =>
    execute('git', words, { cwd: room.root, env: { ...room.environment, GIT_CONFIG_GLOBAL: '/dev/null' } });
  try {
    await git('init', '-q');
  } catch {
    return skip('there is no git');
  }
  await initialized();
  const runtime = [
    'daemon/run/lock',
    'daemon/run/terms/1',
    'daemon/leases/a.json',
    'daemon/projections/x.json',
    'daemon/quarantine/x',
    'daemon/activation.json',
    'daemon/token',
    'daemon/ledger/.x.tmp',
    'inbox/new/a.json',
    'inbox/done/a.accepted.json',
    'runs/a/attempt-1/output.log',
    'wiki/page.md',
  ];
  for (const path of [...runtime, 'daemon/ledger/000001-0a0b0c0d.jsonl', 'skills/own.md']) {
    await mkdir(dirname(join(room.root, '.agents', path)), { recursive: true });
    await writeFile(join(room.root, '.agents', path), 'x\n');
  }
  await git('add', '.agents');
  const { stdout } = await git('ls-files');
  const expected = [
    '.gitattributes',
    '.gitignore',
    'config.yaml',
    'daemon/ledger/000001-0a0b0c0d.jsonl',
    'skills/own.md',
  ];
  assert.equal(
    stdout.trimEnd().split('\n'),
    expected.map((path) => `.agents/${path}`),
  );
  const { stdout: attributes } = await git(
    'check-attr',
    'text',
    'merge',
    '--',
    '.agents/daemon/ledger/000001-0a0b0c0d.jsonl',
  );
  assert.match(attributes, 'text: unset');
  assert.match(attributes, 'merge: binary');
});

test.run();
