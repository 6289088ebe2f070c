/**
 * Which agent CLIs are here, in which version, whether they are known to work, and whether a job would get one. Only
 * programs of a known name on the PATH are asked for their version: a configuration may have come with a clone.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { isKnownToWork, type KnownAgent, triedVersions } from '../model/agent-versions.js';
import { CONFIGURATION_FILE, knownAgents, parseConfiguration } from '../model/configuration.js';
import type { Finding } from './finding.js';
import type { Environment, Invocation } from './invocation.js';

/** A CLI of several hundred megabytes takes its time on a cold disk. */
const VERSION_MS = 20_000;
const packages: Readonly<Record<KnownAgent, string>> = { claude: '@anthropic-ai/claude-code', codex: '@openai/codex' };

export async function checkAgents({ place, environment }: Invocation): Promise<Finding[]> {
  const findings = await Promise.all(knownAgents.map((name) => checkAgent(name, environment)));
  return [...findings, ...(await checkGiven(place.root))];
}

async function checkAgent(name: KnownAgent, environment: Environment): Promise<Finding> {
  const check = 'agents';
  const path = await findProgram(name, environment['PATH'] ?? '');
  if (path === undefined) {
    return { check, state: 'note', text: `${name} is not in PATH`, fix: `npm install -g ${packages[name]}` };
  }
  const version = await versionOf(path, environment);
  if (version === undefined) {
    return { check, state: 'note', text: `${name}: ${path} does not tell its version`, fix: `${path} --version` };
  }
  if (isKnownToWork(name, version)) {
    return { check, state: 'ok', text: `${name} ${version}: ${path}; known to work` };
  }
  const text = `${name} ${version}: ${path}; not known to work, tried was ${triedVersions[name]}`;
  return { check, state: 'note', text, fix: 'look at the first jobs that it does, or try it: make test-agents' };
}

/** Whether the configuration gives the jobs that need an agent one. */
async function checkGiven(root: string): Promise<Finding[]> {
  const text = await readFile(join(root, CONFIGURATION_FILE), 'utf8').catch(() => '');
  const { configuration } = parseConfiguration(text);
  if (configuration === undefined || configuration.executors['rpi.run'] !== undefined) return [];
  const line = 'executors: { rpi.run: { agent: claude } }';
  return [{ check: 'agents', state: 'note', text: 'rpi.run has no agent', fix: `${line} in ${CONFIGURATION_FILE}` }];
}

function versionOf(path: string, environment: Environment): Promise<string | undefined> {
  const { PATH = '', HOME = '' } = environment;
  return new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: VERSION_MS, env: { PATH, HOME }, encoding: 'utf8' }, (error, stdout) => {
      resolve(error === null ? /\d+\.\d+\.\d+[\w.+-]*/u.exec(stdout)?.[0] : undefined);
    }).stdin?.end();
  });
}

/** As the workers look for it: relative entries of the PATH are passed over. */
async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const candidate = join(folder, name);
    const runs = await access(candidate, constants.X_OK).then(
      async () => (await stat(candidate)).isFile(),
      () => false,
    );
    if (runs) return candidate;
  }
  return undefined;
}
