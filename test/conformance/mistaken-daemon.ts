/**
 * A daemon that makes one mistake, as a process: `mistaken-daemon.js run …` takes the arguments of `agentopsd run`. The
 * variable AGENTOPSD_MISTAKE names the check that has to see the mistake; without it there is none. Each time that the
 * mistake changes something, a letter is added to the file that AGENTOPSD_MISTAKE_MARKS names: so it is known that it was made.
 *
 * A front stands at the address; the daemon, a child in the same process group, gets another port.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../../spec/conformance/target/server-process.js';
import { passer, startFront } from './front.js';
import { allMistakes } from './mistakes/all.js';
import { type Mistaken, pause, type Room } from './mistakes/mistake.js';
import { type Answer, bodyOf } from './wire.js';

const PROGRAM = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));
const ASK_EVERY_MS = 30;
const STARTS_WITHIN_MS = 20_000;

const words = process.argv.slice(2);
const { values } = parseArgs({
  args: words,
  allowPositionals: true,
  strict: false,
  options: { root: { type: 'string' }, addr: { type: 'string' } },
});
const root = String(values['root'] ?? process.cwd());
const address = String(values['addr']);
const { AGENTOPSD_MISTAKE: check = '', AGENTOPSD_MISTAKE_MARKS: marks, AGENTOPSD_TOKEN: given = '' } = process.env;
const ledgerText = textsOf('ledger', '.jsonl').join('');
const cacheTexts = textsOf('projections', '.json');
const daemonUrl = `http://127.0.0.1:${await freePort()}`;
const mistake = allMistakes.find((each) => each.check === check);
if (check !== '' && mistake === undefined) throw new Error(`no mistake is there for ${check}`);

const preload = mistake?.preload === undefined ? [] : ['--import', new URL(mistake.preload, import.meta.url).href];
const own = words.map((word) => (word === address ? new URL(daemonUrl).host : word));
const daemon = spawn(process.execPath, [...preload, PROGRAM, ...own], { stdio: ['ignore', 'inherit', 'inherit'] });
const ended = new Promise<never>(() => {
  daemon.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void daemon.kill(signal));

await Promise.race([ended, untilHealthy()]);
const made = mistake === undefined ? {} : mistake.make(roomOf());
if (preload.length > 0) mark();
try {
  await made.started?.();
} catch (error) {
  mark();
  daemon.kill('SIGKILL');
  throw error;
}
await startFront(Number(new URL(`http://${address}`).port), daemonUrl, marked(made));
await ended;

function mark(): void {
  if (marks !== undefined) appendFileSync(marks, '.');
}

/** The same changes, each of which leaves its mark. */
function marked(mistaken: Mistaken): Mistaken {
  const { ask, answer } = mistaken;
  const noting = <T>(changed: T): T => {
    if (changed !== undefined) mark();
    return changed;
  };
  return {
    ...mistaken,
    ...(ask && { ask: async (asked, sender) => noting(await ask(asked, sender)) }),
    ...(answer && { answer: async (given, asked, sender) => noting(await answer(given, asked, sender)) }),
  } satisfies Mistaken;
}

function roomOf(): Room {
  const pass = passer(daemonUrl);
  const token = given === '' ? tokenOfState() : given;
  const ask = (method: string, target: string, body?: unknown): Promise<Answer> => {
    const [path = '', query = ''] = target.split('?');
    const headers = { 'content-type': 'application/json', 'x-agentops-daemon-token': token };
    return pass({ method, path, query, headers, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) });
  };
  const read: Room['read'] = async (target) => {
    const body = bodyOf(await ask('GET', target));
    if (body === undefined) throw new Error(`GET ${target} is no JSON object`);
    return body;
  };
  return { folder: root, token, hasToken: given !== '', ledgerText, cacheTexts, ask, read };
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
function textsOf(folder: string, ending: string): string[] {
  const whole = join(root, '.agents', 'daemon', folder);
  try {
    const names = readdirSync(whole).filter((name) => name.endsWith(ending));
    return names.sort().map((name) => readFileSync(join(whole, name), 'utf8'));
  } catch {
    return [];
  }
}

async function untilHealthy(): Promise<void> {
  const end = Date.now() + STARTS_WITHIN_MS;
  while (Date.now() < end) {
    const answer = await fetch(`${daemonUrl}/v1/health`).catch(() => undefined);
    if (answer?.status === 200) return;
    await pause(ASK_EVERY_MS);
  }
  throw new Error(`the daemon did not answer within ${STARTS_WITHIN_MS} ms`);
}
