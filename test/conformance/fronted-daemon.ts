/**
 * A daemon behind a front, as a process: it takes the arguments of `agentopsd run`. The front stands at the address; the
 * daemon, a child in the same process group, gets another port.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../../spec/conformance/target/ports.js';
import { until } from '../../spec/conformance/waiting.js';
import { type Changes, passer, startFront } from './front.js';
import { type Answer, type Body, bodyOf } from './wire.js';

const PROGRAM = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));
const ASK_EVERY_MS = 30;
const STARTS_WITHIN_MS = 60_000;

/** Where the front stands. */
export interface Room {
  /** Root of the daemon's folder. */
  readonly folder: string;
  readonly token: string;
  /** Whether a token was given to this start. */
  readonly hasToken: boolean;
  /** The ledger's lines as they stood before the daemon looked at them. */
  readonly ledgerText: string;
  /** The files that only speed up a start, likewise. */
  readonly cacheTexts: readonly string[];
  /** Asks the daemon itself, with the token. */
  ask(method: string, target: string, body?: unknown): Promise<Answer>;
  /** The JSON of a read of the daemon itself. */
  read(target: string): Promise<Body>;
}

export interface FrontedOptions {
  /** Modules that the daemon itself loads first. */
  readonly preload: readonly URL[];
  /** Called when the daemon is there, and nobody has asked it anything yet. */
  readonly makeChanges: (room: Room) => Changes | Promise<Changes>;
}

/** Ends this process when the daemon ends. Never returns otherwise. */
export async function serveFronted({ preload, makeChanges }: FrontedOptions): Promise<never> {
  const words = process.argv.slice(2);
  const { values } = parseArgs({
    args: words,
    allowPositionals: true,
    strict: false,
    options: { root: { type: 'string' }, addr: { type: 'string' } },
  });
  const root = String(values['root'] ?? process.cwd());
  const address = String(values['addr']);
  const before = {
    ledgerText: textsOf(root, 'ledger', '.jsonl').join(''),
    cacheTexts: textsOf(root, 'projections', '.json'),
  };
  const daemonUrl = `http://127.0.0.1:${await freePort()}`;
  const own = words.map((word) => (word === address ? new URL(daemonUrl).host : word));
  const first = preload.flatMap(({ href }) => ['--import', href]);
  const daemon = spawn(process.execPath, [...first, PROGRAM, ...own], { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise<never>(() => {
    daemon.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void daemon.kill(signal));

  await Promise.race([ended, untilHealthy(daemonUrl)]);
  try {
    const changes = await makeChanges({ folder: root, ...before, ...asker(daemonUrl) });
    await startFront(Number(new URL(`http://${address}`).port), daemonUrl, changes);
  } catch (error) {
    daemon.kill('SIGKILL');
    throw error;
  }
  return ended;
}

function asker(daemonUrl: string): Pick<Room, 'token' | 'hasToken' | 'ask' | 'read'> {
  const pass = passer(daemonUrl);
  const given = process.env['AGENTOPSD_TOKEN'] ?? '';
  const token = given === '' ? tokenOfState() : given;
  const ask: Room['ask'] = (method, target, body) => {
    const [path = '', query = ''] = target.split('?');
    const headers = { 'content-type': 'application/json', 'x-agentops-daemon-token': token };
    return pass({ method, path, query, headers, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) });
  };
  const read: Room['read'] = async (target) => {
    const body = bodyOf(await ask('GET', target));
    if (body === undefined) throw new Error(`GET ${target} is no JSON object`);
    return body;
  };
  return { token, hasToken: given !== '', ask, read };
}

/** The token that the daemon made for itself. */
function tokenOfState(): string {
  const state = process.env['AGENTOPSD_STATE_DIR'] ?? '';
  for (const path of readdirSync(state, { recursive: true, encoding: 'utf8' })) {
    if (/(^|\/)token$/.test(path)) return readFileSync(join(state, path), 'utf8').trim();
  }
  return '';
}

/** The texts of the files in a folder of the daemon's, by name; none where there is no folder. */
function textsOf(root: string, folder: string, ending: string): string[] {
  const whole = join(root, '.agents', 'daemon', folder);
  try {
    const names = readdirSync(whole).filter((name) => name.endsWith(ending));
    return names.sort().map((name) => readFileSync(join(whole, name), 'utf8'));
  } catch {
    return [];
  }
}

function untilHealthy(daemonUrl: string): Promise<true> {
  const look = async (): Promise<true | undefined> => {
    const answer = await fetch(`${daemonUrl}/v1/health`).catch(() => undefined);
    return answer?.status === 200 ? true : undefined;
  };
  return until('the daemon to answer', STARTS_WITHIN_MS, look, ASK_EVERY_MS);
}
