/** What `doctor` looks at. Each check answers what it found, and for whatever is not well what to do about it. */

import { constants, type FSWatcher, watch } from 'node:fs';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import { counted } from '../base/text.js';
import { CONFIGURATION_FILE, type Declared, parseConfiguration } from '../model/configuration.js';
import { findHome } from '../storage/home.js';
import { networkPlaces } from '../storage/mounts.js';
import { createNodeDisk } from '../storage/node-disk.js';
import { loadTokens } from '../storage/token-file.js';
import { runsNothing, trustStanding } from '../storage/trust.js';
import { checkAgents } from './agent-check.js';
import { clientAt, findAddress } from './daemon-address.js';
import type { Finding } from './finding.js';
import { checkGitIgnores } from './git-check.js';
import type { Environment, Invocation } from './invocation.js';
import { openLedgerFiles } from './ledger-files.js';

type Check = (invocation: Invocation) => Promise<Finding | Finding[]>;

const LEAST_NODE = [20, 19] as const;
const DEFAULT_PORT = 8765;
const PROBE_MS = 3_000;

const checks: Readonly<Record<string, Check>> = {
  node: async () => checkNode(process.versions.node),
  root: checkRoot,
  'state folder': checkStateFolder,
  disk: checkDisk,
  token: checkToken,
  configuration: checkConfiguration,
  ledger: checkLedger,
  daemon: checkDaemon,
  watcher: checkWatcher,
  git: ({ place, environment }) => checkGitIgnores(place.root, environment),
  agents: checkAgents,
};

/** All of them, in the order of the table; a check that can't be made is a finding itself. */
export async function checkUp(invocation: Invocation): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      findings.push(...[await check(invocation)].flat());
    } catch (error) {
      findings.push(failed(name, error));
    }
  }
  return findings;
}

function failed(check: string, error: unknown): Finding {
  const text = error instanceof Error ? error.message : String(error);
  const fix = error instanceof AgentopsdError ? error.hint : undefined;
  return { check, state: 'fail', text, ...(fix === undefined ? {} : { fix }) };
}

/** @param version such as `20.19.0` */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  if (enough) return { check: 'node', state: 'ok', text: version };
  return {
    check: 'node',
    state: 'fail',
    text: `${version} is too old`,
    fix: `install Node ${LEAST_NODE.join('.')} or newer`,
  };
}

async function checkRoot({ place }: Invocation): Promise<Finding> {
  if (!place.laidDown)
    return { check: 'root', state: 'fail', text: `there is no .agents folder in ${place.root}`, fix: 'agentopsd init' };
  const agents = join(place.root, '.agents');
  if (createNodeDisk().factsSync(agents)?.kind !== 'folder') {
    return { check: 'root', state: 'fail', text: `${agents} is a link`, fix: 'make it a folder of its own' };
  }
  try {
    await access(agents, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return {
      check: 'root',
      state: 'fail',
      text: `${agents} can't be written`,
      fix: `chown or chmod it: chmod u+rwx ${agents}`,
    };
  }
  return { check: 'root', state: 'ok', text: place.root };
}

async function checkStateFolder({ place, environment }: Invocation): Promise<Finding> {
  const home = await findHome({ disk: createNodeDisk(), root: place.root, env: environment });
  if (home === undefined)
    return { check: 'state folder', state: 'fail', text: 'there is none for this repository', fix: 'agentopsd init' };
  return { check: 'state folder', state: 'ok', text: home.folder };
}

async function checkDisk({ place, environment }: Invocation): Promise<Finding | Finding[]> {
  const home = await findHome({ disk: createNodeDisk(), root: place.root, env: environment });
  const told = networkPlaces({ repository: place.root, 'state folder': home?.folder ?? place.root });
  if (told.length === 0) return { check: 'disk', state: 'ok', text: 'no network file system' };
  return told.map((text): Finding => ({ check: 'disk', state: 'fail', text, fix: 'use a local disk' }));
}

async function checkToken({ place, environment }: Invocation): Promise<Finding> {
  const disk = createNodeDisk();
  const home = await findHome({ disk, root: place.root, env: environment });
  const [token] = await loadTokens({ disk, env: environment, tokenFile: undefined, home });
  if (token === undefined) return { check: 'token', state: 'fail', text: 'there is none', fix: 'agentopsd init' };
  return { check: 'token', state: 'ok', text: `there is one (${token.name})` };
}

async function checkConfiguration({ place, environment }: Invocation): Promise<Finding | Finding[]> {
  const path = join(place.root, CONFIGURATION_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined)
    return {
      check: 'configuration',
      state: 'note',
      text: `there is no ${CONFIGURATION_FILE}: all defaults hold`,
      fix: 'agentopsd init',
    };
  const { configuration, problems } = parseConfiguration(text);
  if (configuration !== undefined) return checkTrust(place.root, environment, configuration.declared);
  return problems.map(({ line, column, message }): Finding => {
    return {
      check: 'configuration',
      state: 'fail',
      text: `${CONFIGURATION_FILE}:${line}:${column} ${message}`,
      fix: 'correct the line',
    };
  });
}

async function checkTrust(root: string, environment: Environment, declared: Declared): Promise<Finding> {
  const disk = createNodeDisk();
  const home = await findHome({ disk, root, env: environment });
  const trusted = home === undefined ? runsNothing(declared) : (await trustStanding(disk, home, declared)).trusted;
  if (trusted) return { check: 'configuration', state: 'ok', text: CONFIGURATION_FILE };
  return {
    check: 'configuration',
    state: 'fail',
    text: `what ${CONFIGURATION_FILE} would run is not trusted`,
    fix: 'agentopsd trust',
  };
}

async function checkLedger({ place, environment }: Invocation): Promise<Finding> {
  if (!place.laidDown) return { check: 'ledger', state: 'note', text: 'there is none yet' };
  const { plan } = await openLedgerFiles(place, environment);
  if (plan.status === 'complete' && plan.reasons.length === 0) {
    return {
      check: 'ledger',
      state: 'ok',
      text: `${counted(plan.lastSeq, 'event')} in ${counted(plan.chain.length, 'segment')}`,
    };
  }
  const text = plan.damage.length > 0 ? `${plan.damage.length} damaged lines` : plan.reasons.join('; ');
  return { check: 'ledger', state: 'fail', text, fix: 'agentopsd verify' };
}

async function checkDaemon(invocation: Invocation): Promise<Finding | Finding[]> {
  const address = await findAddress(invocation);
  if (address === undefined)
    return [{ check: 'daemon', state: 'note', text: 'none runs here', fix: 'agentopsd run' }, await checkPort()];
  const client = await clientAt(invocation, address);
  const {
    ready,
    degraded_reasons: reasons = [],
    warnings = [],
  } = await client.ready({ signal: AbortSignal.timeout(PROBE_MS) });
  const state: Finding = ready
    ? { check: 'daemon', state: 'ok', text: `ready at ${client.url}` }
    : {
        check: 'daemon',
        state: 'fail',
        text: `at ${client.url}, not ready: ${reasons.join('; ')}`,
        fix: 'agentopsd verify',
      };
  return [state, ...warnings.map((text): Finding => ({ check: 'daemon', state: 'note', text }))];
}

/** Whether `run` would get its default port. */
async function checkPort(): Promise<Finding> {
  const server = createServer();
  const problem = await new Promise<string | undefined>((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: '127.0.0.1', port: DEFAULT_PORT }, () => resolve(undefined));
  });
  if (problem === undefined) {
    await new Promise((resolve) => server.close(resolve));
    return { check: 'port', state: 'ok', text: `${DEFAULT_PORT} is free` };
  }
  return {
    check: 'port',
    state: 'note',
    text: `${DEFAULT_PORT} can't be had (${problem})`,
    fix: 'agentopsd run --addr 127.0.0.1:0',
  };
}

/** Watching is a convenience: without it the daemon looks by itself every now and then. */
async function checkWatcher(): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'agentopsd-'));
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder);
    return { check: 'watcher', state: 'ok', text: 'changes of files are told' };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return {
      check: 'watcher',
      state: 'note',
      text: `changes of files are not told (${code}): the daemon polls`,
      fix: code === 'ENOSPC' ? 'sysctl fs.inotify.max_user_watches=524288' : 'raise the limit of open files: ulimit -n',
    };
  } finally {
    watcher?.close();
    await rm(folder, { recursive: true, force: true });
  }
}
