/** A temporary folder in which one peer is installed and run. Nothing outside of it changes, and nothing of it stays. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PeerGround } from './peer.js';

/** Compiling an addon may take long. */
const INSTALL_MS = Number(process.env['BENCH_INSTALL_SECONDS'] ?? 600) * 1000;
const LIBRARIES = `usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;

type How = { uid?: number; libraries?: string; variables?: NodeJS.ProcessEnv };

/** An addon is compiled here, with the headers that stand beside this Node: nothing is fetched from where it was built. */
function fromSource(): NodeJS.ProcessEnv {
  const prefix = dirname(dirname(process.execPath));
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node.h'));
  return { npm_config_build_from_source: 'true', ...(hasHeaders ? { npm_config_nodedir: prefix } : {}) };
}

export class Ground implements PeerGround {
  readonly folder: string;
  readonly #servers: ChildProcess[] = [];

  static async open(): Promise<Ground> {
    return new Ground(await realpath(await mkdtemp(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'agentopsd-peer-'))));
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  async packages(names: readonly string[]): Promise<(name: string) => Promise<unknown>> {
    const folder = join(this.folder, 'npm');
    await mkdir(folder);
    await writeFile(join(folder, 'package.json'), '{"private":true}');
    await this.run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', ...names], {
      variables: fromSource(),
    });
    // Names are looked up from where the importing file stands.
    const loader = join(folder, 'load.mjs');
    await writeFile(loader, 'export const load = (name) => import(name);\n');
    const { load } = (await import(pathToFileURL(loader).href)) as { load: (name: string) => Promise<unknown> };
    return load;
  }

  async versionOf(name: string): Promise<string> {
    const text = await readFile(join(this.folder, 'npm', 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  }

  async debs(names: readonly string[]): Promise<string> {
    const [fetched, root] = [join(this.folder, 'debs'), join(this.folder, 'root')];
    await mkdir(fetched);
    await this.run('apt-get', ['download', ...names], { cwd: fetched });
    for (const name of await readdir(fetched)) await this.run('dpkg', ['-x', join(fetched, name), root]);
    return root;
  }

  async run(program: string, args: readonly string[], how: How & { cwd?: string } = {}): Promise<void> {
    const child = this.#start(program, args, how);
    let told = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (piece) => (told = `${told}${piece}`.slice(-400)));
    const timer = setTimeout(() => child.kill('SIGKILL'), INSTALL_MS);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    if (code !== 0)
      throw new Error(
        `${program} ${args[0]} ended with ${code ?? 'its time being up'}: ${told.trim().split('\n').at(-1)}`,
      );
  }

  async serve(program: string, args: readonly string[], how: How = {}): Promise<void> {
    const child = this.#start(program, args, how);
    child.stdout?.resume();
    child.stderr?.resume();
    await once(child, 'spawn');
    this.#servers.push(child);
  }

  async freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    return port;
  }

  /** For servers that refuse to run as root. */
  async give(folder: string, uid: number): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const path of [this.folder, folder]) await chown(path, uid, uid);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      server.kill('SIGTERM');
      const late = setTimeout(() => server.kill('SIGKILL'), 5_000);
      await once(server, 'exit');
      clearTimeout(late);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  #start(
    program: string,
    args: readonly string[],
    { uid, libraries, variables, cwd }: How & { cwd?: string },
  ): ChildProcess {
    const env = {
      ...process.env,
      LC_ALL: 'C',
      ...variables,
      ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: join(libraries, LIBRARIES) }),
    };
    return spawn(program, args, {
      cwd: cwd ?? this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
  }
}

/** Asks until there is an answer. @throws the last error, after ten seconds */
export async function answering<T>(question: () => Promise<T>): Promise<T> {
  const until = performance.now() + 10_000;
  for (;;) {
    try {
      return await question();
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await new Promise((resume) => setTimeout(resume, 100));
  }
}
