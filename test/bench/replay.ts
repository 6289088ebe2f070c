/**
 * What a large ledger costs: `node dist/test/bench/replay.js [events]`, a million by default. Each figure is taken in a
 * process of its own and stands beside its baseline of the same run; starting the process is not counted.
 *
 *   plain       reading the same files, splitting, `JSON.parse` of each line: nothing verified, nothing kept
 *   full        opening with the chain verified and the state folded, without a checkpoint
 *   clean stop  opening after a clean stop
 *   memory      resident set after collection: after a full replay, after a clean stop, and the most while all events are read
 *   latency     p50 of a submit over HTTP, one at a time, by turns to a daemon on this ledger and to one on an empty one
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDaemon } from '../../lib/engine/daemon.js';
import { openKernel } from '../../lib/engine/kernel.js';
import { type OpenedLedger, openFileLedger } from '../../lib/storage/file-ledger.js';
import { type Home, openHome } from '../../lib/storage/home.js';
import { layoutOf } from '../../lib/storage/layout.js';
import { createChainThread } from '../../lib/storage/node-chain-thread.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { generateLedger } from './ledger-generator.js';

const SELF = fileURLToPath(import.meta.url);
const PLAIN_BLOCK_BYTES = 4_194_304;
const TOKEN = 'bench-token';
const LAST_PROJECTION = '.agents/daemon/projections/daemon-job-status.json';
const LATENCY_ROUNDS = 10;
const LATENCY_PER_ROUND = 60;

interface Folders {
  readonly root: string;
  readonly state: string;
}

interface Figures {
  readonly ms: number;
  readonly events: number;
  readonly rssBytes: number;
  readonly rssReadingBytes: number;
}

const settle = () => (globalThis as { gc?: () => void }).gc?.();

// ------------------------------------------------------------------------------------------ what the children measure

function homeOf({ root, state }: Folders): Promise<Home> {
  const env = { AGENTOPSD_STATE_DIR: state };
  return openHome({ disk: createNodeDisk(), random: createNodeRandom(), root, env });
}

function plain({ root }: Folders): Figures {
  const folder = layoutOf(root).ledger;
  const begun = performance.now();
  let events = 0;
  const block = Buffer.alloc(PLAIN_BLOCK_BYTES);
  for (const name of readdirSync(folder).sort()) {
    const file = openSync(join(folder, name), 'r');
    let open: Buffer = Buffer.alloc(0);
    for (;;) {
      const length = readSync(file, block, 0, block.length, null);
      if (length === 0) break;
      const text = open.length > 0 ? Buffer.concat([open, block.subarray(0, length)]) : block.subarray(0, length);
      let at = 0;
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, at)) {
        if ((JSON.parse(text.toString('latin1', at, end)) as { event_id?: string }).event_id !== undefined) events += 1;
        at = end + 1;
      }
      open = Buffer.from(text.subarray(at));
    }
    closeSync(file);
  }
  return { ms: performance.now() - begun, events, rssBytes: process.memoryUsage.rss(), rssReadingBytes: 0 };
}

async function opening(folders: Folders, stop: boolean): Promise<Figures> {
  const [disk, random, clock] = [createNodeDisk(), createNodeRandom(), createNodeClock()];
  const begun = performance.now();
  const home = await homeOf(folders);
  let opened: OpenedLedger | undefined;
  const kernel = await openKernel({
    clock,
    openLedger: async (observer) => {
      opened = await openFileLedger({
        disk,
        clock,
        random,
        root: folders.root,
        home,
        observer,
        chainThread: createChainThread,
      });
      return opened.ledger;
    },
  });
  const ms = performance.now() - begun;
  settle();
  const rssBytes = process.memoryUsage.rss();
  let rssReadingBytes = 0;
  let read = 0;
  for await (const _ of kernel.ledger.read(1)) {
    if (++read % 50_000 === 0) rssReadingBytes = Math.max(rssReadingBytes, process.memoryUsage.rss());
  }
  if (stop) await kernel.ledger.close();
  return { ms, events: kernel.state.eventCount, rssBytes, rssReadingBytes };
}

async function daemon({ root, state }: Folders): Promise<void> {
  const environment = { AGENTOPSD_STATE_DIR: state, AGENTOPSD_TOKEN: TOKEN };
  const running = await startDaemon({ root, address: '127.0.0.1:0', workers: 0, environment });
  process.send?.(running.url);
  await new Promise((resolve) => process.once('message', resolve));
  await running.stop();
}

async function child(mode: string, folders: Folders): Promise<void> {
  if (mode === 'daemon') await daemon(folders);
  else process.send?.(mode === 'plain' ? plain(folders) : await opening(folders, mode === 'stop'));
  process.disconnect();
  if (mode === 'full') process.exit();
}

// --------------------------------------------------------------------------------------------------------- the parent

async function measured(mode: string, folders: Folders): Promise<Figures> {
  const one = fork(SELF, [mode, folders.root, folders.state], { execArgv: ['--expose-gc'] });
  const [figures] = (await once(one, 'message')) as [Figures];
  if (one.exitCode === null && one.signalCode === null) await once(one, 'exit');
  return figures;
}

async function latencies(folders: readonly Folders[]): Promise<number[]> {
  const daemons = await Promise.all(
    folders.map(async ({ root, state }) => {
      const process = fork(SELF, ['daemon', root, state]);
      const [url] = (await once(process, 'message')) as [string];
      return { process, url, agent: new Agent({ keepAlive: true }), taken: [] as number[] };
    }),
  );
  // What a start does beside the work: the verification of the older part, the first read models.
  for (const { url, agent } of daemons)
    await until(async () => !(await get(`${url}/v1/ready`, agent)).includes('verified_through'));
  for (const { root } of folders) await until(() => existsSync(join(root, LAST_PROJECTION)));
  for (let round = 0; round < LATENCY_ROUNDS; round++) {
    for (const { url, agent, taken } of daemons) {
      for (let at = 0; at < LATENCY_PER_ROUND; at++) {
        const begun = performance.now();
        await submit(url, agent, `${round}-${at}`);
        // The first round warms up.
        if (round > 0) taken.push(performance.now() - begun);
      }
    }
  }
  for (const { process, agent } of daemons) {
    agent.destroy();
    process.send('stop');
    await once(process, 'exit');
  }
  return daemons.map(({ taken }) => taken.sort((one, other) => one - other)[taken.length >> 1] as number);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resume) => setTimeout(resume, 100));
}

async function get(url: string, agent: Agent): Promise<string> {
  const sent = request(url, { agent, headers: { authorization: `Bearer ${TOKEN}`, 'x-agentops-daemon-token': TOKEN } });
  sent.end();
  const [answer] = await once(sent, 'response');
  let text = '';
  for await (const piece of answer) text += piece;
  return text;
}

async function submit(url: string, agent: Agent, name: string): Promise<void> {
  const body = JSON.stringify({
    schema_version: 1,
    request_id: `bench-${name}`,
    job_type: 'eval.suite',
    payload: { name },
  });
  const headers = {
    'content-type': 'application/json',
    'x-agentops-daemon-token': TOKEN,
    authorization: `Bearer ${TOKEN}`,
  };
  const sent = request(`${url}/v1/jobs`, { method: 'POST', agent, headers });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  let text = '';
  for await (const piece of answer) text += piece;
  if (answer.statusCode !== 202) throw new Error(`${answer.statusCode}: ${text}`);
}

async function makeFolders(top: string, name: string): Promise<Folders> {
  const folders = { root: join(top, name, 'repository'), state: join(top, name, 'state') };
  await mkdir(folders.root, { recursive: true });
  return folders;
}

async function main(events: number): Promise<void> {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-bench-')));
  try {
    const [large, empty] = [await makeFolders(top, 'large'), await makeFolders(top, 'empty')];
    const home = await homeOf(large);
    const ledgerFolder = layoutOf(large.root).ledger;
    const { bytes } = await generateLedger({ disk: createNodeDisk(), root: large.root, ledgerFolder, home, events });
    const base = await measured('plain', large);
    const full = await measured('full', large);
    await measured('stop', large);
    const stopped = await measured('full', large);
    const again = await measured('plain', large);
    const plainMs = Math.min(base.ms, again.ms);
    const [p50, emptyP50] = (await latencies([large, empty])) as [number, number];
    const row = (figure: string, value: string, ratio: number, reach: string): string =>
      `| ${figure} | ${value} | ${ratio.toFixed(2)} | ${reach} |\n`;
    const mib = (size: number): string => `${(size / 1_048_576).toFixed(0)} MiB`;
    process.stdout.write(
      `${full.events} events, ${mib(bytes)}; plain replay ${plainMs.toFixed(0)} ms; Node ${process.version}\n\n` +
        '| figure | value | ratio | to reach |\n|---|---|---|---|\n' +
        row('full replay, chain verified', `${full.ms.toFixed(0)} ms`, full.ms / plainMs, '≤ 1.7') +
        row('ready after a clean stop', `${stopped.ms.toFixed(0)} ms`, stopped.ms / plainMs, '≤ 0.3') +
        row('memory after a full replay', mib(full.rssBytes), full.rssBytes / bytes, '≤ 0.8') +
        row('memory after a clean stop', mib(stopped.rssBytes), stopped.rssBytes / bytes, '≤ 0.8') +
        row('the most while all is read', mib(stopped.rssReadingBytes), stopped.rssReadingBytes / bytes, '≤ 0.8') +
        row(
          'accept latency p50, 1 lane',
          `${p50.toFixed(2)} ms, empty ${emptyP50.toFixed(2)} ms`,
          p50 / emptyP50,
          '≤ 1.15',
        ),
    );
  } finally {
    await rm(top, { recursive: true, force: true });
  }
}

const [, , first = '1000000', root, state] = process.argv;
if (root !== undefined && state !== undefined) await child(first, { root, state });
else await main(Number(first));
