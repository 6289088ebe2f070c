/** What `make test-agents` needs of the machine: the two real CLIs, and a network namespace with loopback alone. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = { claude: '@anthropic-ai/claude-code', codex: '@openai/codex' } as const;
export type CliName = keyof typeof packages;
export const cliNames = Object.keys(packages) as CliName[];

const INSTALL_MS = 900_000;
const INSIDE = 'AGENTOPSD_TEST_INSIDE';
/** A folder in which they are installed already: it is used as it is, and stays. */
const INSTALLED = 'AGENT_CLIS';

export function isInside(): boolean {
  return process.env[INSIDE] === '1';
}

/** Folder of the installed programs, inside the namespace. */
export function programsFolder(): string {
  return process.env['AGENTOPSD_TEST_PROGRAMS'] ?? '';
}

/** What the machine lacks; undefined when nothing is missing. */
export function whyNotHere(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (!works('npm', '--version')) return 'npm is not there';
  if (!works('unshare', '-n', 'true')) return 'no network namespace can be made (unshare -n, as root)';
  if (!works('unshare', '-n', 'sh', '-c', 'ip link set lo up'))
    return 'loopback can not be brought up (ip, of iproute2)';
  return undefined;
}

function works(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

export interface Installed {
  readonly programs: string;
  remove(): void;
}

/** @returns why not, when npm could not do it */
export function installClis(): Installed | string {
  const given = process.env[INSTALLED];
  if (given !== undefined && given !== '') return { programs: join(given, 'node_modules/.bin'), remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'agentopsd-clis-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const words = ['install', '--no-fund', '--no-audit', '--no-package-lock', '--loglevel=error'];
  const ran = spawnSync('npm', [...words, ...Object.values(packages).map((name) => `${name}@latest`)], {
    cwd: folder,
    encoding: 'utf8',
    timeout: INSTALL_MS,
  });
  if (ran.status === 0) return { programs: join(folder, 'node_modules/.bin'), remove };
  remove();
  return `npm could not install the CLIs: ${lastLine(ran)}`;
}

function lastLine({ stderr, error }: SpawnSyncReturns<string>): string {
  return error?.message ?? stderr?.trim().split('\n').at(-1) ?? 'no reason told';
}

/** As the CLI tells it itself. */
export function versionOf(name: CliName, programs: string): string {
  const path = `${programs}${delimiter}${process.env['PATH'] ?? ''}`;
  const ran = spawnSync(join(programs, name), ['--version'], { encoding: 'utf8', env: { ...process.env, PATH: path } });
  return ran.stdout?.trim() ?? 'unknown';
}

/** Runs this program again in a network namespace that has loopback and no other way out. @returns its exit code */
export async function runInside(programs: string, main: URL, args: readonly string[]): Promise<number> {
  const script = 'ip link set lo up && exec "$0" "$@"';
  const child = spawn('unshare', ['-n', 'sh', '-c', script, process.execPath, fileURLToPath(main), ...args], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1', AGENTOPSD_TEST_PROGRAMS: programs },
  });
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

/** Interfaces of this namespace beside loopback. */
export function waysOut(): string[] {
  const lines = readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2);
  return lines.map((line) => line.split(':')[0]?.trim() ?? '').filter((name) => name !== '' && name !== 'lo');
}
