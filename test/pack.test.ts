/**
 * What a user gets: the package as `npm pack` makes it, installed into an empty folder, and the program run from there.
 * The dependencies come from npm's cache or the registry; where there is neither, it is told and left out.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { theDocument } from './support/cli-room.js';
import { skip } from './support/skip.js';

const test = suite('the package');
const execute = promisify(execFile);
const BUILD = fileURLToPath(new URL('..', import.meta.url));
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** Not part of what anybody would commit, so not part of what is packed either. */
const LEFT_OUT = /^(node_modules|dist|coverage|\.git|\.build.*|\.agents)$/;
const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;
const INSTALL_DEADLINE_MS = 45_000;

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

let folder: string;
let packed: Packed;

test.before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
  packed = await pack();
});
test.after(() => rm(folder, { recursive: true, force: true }));

/** npm told by whoever started the tests about another package would be misled. */
function environment(): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|AGENTOPS|INIT_CWD$|NODE_ENV$)/i.test(name));
  const state = { AGENTOPSD_STATE_DIR: join(folder, 'state') };
  return {
    ...(Object.fromEntries(own) as Record<string, string>),
    ...state,
    npm_config_update_notifier: 'false',
    npm_config_loglevel: 'error',
  };
}

/** Of a copy of the project with this build as its `dist`: the build that is tested, not one that lies around. */
async function pack(): Promise<Packed> {
  const staged = join(folder, 'staged');
  await mkdir(staged);
  for (const name of await readdir(PROJECT)) {
    if (!LEFT_OUT.test(name)) await cp(join(PROJECT, name), join(staged, name), { recursive: true });
  }
  await cp(BUILD, join(staged, 'dist'), { recursive: true });
  const { stdout } = await execute('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: staged,
    env: environment(),
  });
  return (JSON.parse(stdout) as Packed[])[0] as Packed;
}

test('holds the program, the workers, the contract and the template, and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  const needed = [
    'package.json',
    'dist/lib/cli/main.js',
    'dist/lib/client/index.js',
    'dist/lib/client/index.d.ts',
    'dist/lib/engine/parsed-document.json',
    'dist/workers/entry.js',
    'dist/workers/context.d.ts',
    'spec/openapi.yaml',
    'dist/spec/conformance/main.js',
    'spec/conformance/catalogue.json',
    'spec/conformance/profile.schema.json',
    'spec/conformance/report/page.css',
    'spec/conformance/profiles/agentopsd/repository/.agents/config.yaml',
    '.agents-template/config.yaml',
    '.agents-template/gitignore',
    '.agents-template/gitattributes',
  ];
  for (const path of needed) assert.ok(paths.includes(path), `${path} is missing`);
  const allowed =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|dist\/(lib|workers|spec)\/.+\.(js|d\.ts)|dist\/lib\/engine\/parsed-document\.json|spec\/.+(?<!\.ts)|\.agents-template\/.+)$/;
  assert.equal(
    paths.filter((path) => !allowed.test(path)),
    [],
  );
  assert.equal(
    paths.filter((path) => /\.test\.|tsbuildinfo|\/fixtures\/|(^|\/)test\/|node_modules/.test(path)),
    [],
  );
});

test('from the tarball in an empty folder: init, run, submit, and both exports', async () => {
  const place = join(folder, 'place');
  await mkdir(place);
  await writeFile(join(place, 'package.json'), '{"private":true,"type":"module"}');
  const offline = await install(place);
  if (offline !== undefined) return skip(`no registry and nothing in npm's cache: ${offline}`);

  const bin = join(place, 'node_modules/.bin/agentopsd');
  assert.is((await stat(bin)).mode & 0o111, 0o111);
  const { version } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
  assert.is((await npx(place, '--version')).trim(), version);
  await npx(place, 'init');
  assert.ok((await readFile(join(place, '.agents/.gitignore'), 'utf8')).includes('/daemon/*'));

  const daemon = spawn(bin, ['run', '--addr', '127.0.0.1:0', '--json'], {
    cwd: place,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    await ready(daemon);
    const ended = theDocument(await npx(place, 'submit', '--type', 'openclaw.snapshot', '--wait', '--json'))[
      'data'
    ] as { status: string };
    assert.is(ended.status, 'completed');
    const program =
      "import { createClient } from 'agentopsd/client'; import 'agentopsd/worker'; console.log(typeof createClient)";
    const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', program], {
      cwd: place,
      env: environment(),
    });
    assert.is(stdout, 'function\n');
    await judgesFromThere(place, await addressOf(place));
  } finally {
    const ended = once(daemon, 'close');
    daemon.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    assert.is(code, 0);
  }
});

async function addressOf(place: string): Promise<string> {
  const { url } = theDocument(await npx(place, 'status', '--json'))['data'] as { url: string };
  return url;
}

/** The other program of the package. */
async function judgesFromThere(place: string, url: string): Promise<void> {
  const words = ['--no-install', 'jobspec-conformance'];
  const options = { cwd: place, env: environment() };
  const list = await execute('npx', [...words, '--list', '--json'], options);
  assert.is((JSON.parse(list.stdout) as unknown[]).length, 133);
  const { stdout } = await execute(
    'npx',
    [...words, '--url', url, '--only', 'observe.health.*', '--report', 'found'],
    options,
  ).catch((error: { code: number; stdout: string }) => {
    assert.is(error.code, 4, 'some checks need more than an address');
    return error;
  });
  assert.match(stdout, /observe.health.clock/);
  const report = JSON.parse(await readFile(join(place, 'found/report.json'), 'utf8')) as { totals: { pass: number } };
  assert.is(report.totals.pass, 2);
}

/** Answers why nothing could be installed where the registry is out of reach. */
async function install(place: string): Promise<string | undefined> {
  const words = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', join(folder, packed.filename)];
  try {
    await execute('npm', words, { cwd: place, env: environment(), timeout: INSTALL_DEADLINE_MS });
    return undefined;
  } catch (error) {
    const code = NO_REGISTRY.exec(String((error as { stderr?: string }).stderr))?.[0];
    if (code === undefined) throw error;
    return code;
  }
}

async function npx(place: string, ...words: string[]): Promise<string> {
  const { stdout } = await execute('npx', ['--no-install', 'agentopsd', ...words], { cwd: place, env: environment() });
  return stdout;
}

async function ready(daemon: ChildProcess): Promise<void> {
  let told = '';
  daemon.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    told += piece;
  });
  await new Promise<void>((resolve, reject) => {
    daemon.stdout?.once('data', () => resolve());
    daemon.once('close', () => reject(new Error(`the daemon did not start: ${told}`)));
  });
}

test.run();
