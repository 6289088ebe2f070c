/**
 * `make bench-peers`: other queues on the same machine, disk and work, each set to force every job to the disk before it
 * answers. They are installed into temporary folders that go again: packages of npm, and of Debian without installing
 * them. What can't be had is told and passed by. `BENCH_PEERS="part of a name"`, `BENCH_SECONDS` (default 3),
 * `BENCH_JSON=FILE`, `BENCH_FOLDER` (the disk that is measured), `BENCH_INSTALL_SECONDS` (default 600: an addon is compiled).
 */
import { writeFileSync } from 'node:fs';
import { machineFacts, machineLine } from '../machine.js';
import { numberText } from '../row.js';
import { beanstalkd } from './beanstalkd.js';
import { bullmq } from './bullmq.js';
import { Ground } from './ground.js';
import { ownDaemon } from './own-daemon.js';
import { measurePeer, type Peer, type PeerFigures } from './peer.js';
import { pgBoss } from './pg-boss.js';
import { plainjob } from './plainjob.js';

const peers: readonly Peer[] = [bullmq, beanstalkd, pgBoss, plainjob];
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3);
const wanted = process.env['BENCH_PEERS'] ?? '';

type Result = { readonly name: string } & (
  | { readonly version: string; readonly figures: PeerFigures }
  | { readonly skipped: string }
);

async function measure(peer: Peer): Promise<Result> {
  const ground = await Ground.open();
  try {
    const open = await peer.open(ground);
    try {
      return { name: peer.name, version: open.version, figures: await measurePeer(open, seconds) };
    } finally {
      await open.close().catch(() => undefined);
    }
  } catch (error) {
    return { name: peer.name, skipped: error instanceof Error ? error.message : String(error) };
  } finally {
    await ground.close();
  }
}

function lineOf(result: Result): string {
  if ('skipped' in result) return `| ${result.name} | skipped: ${result.skipped.replaceAll('|', '/')} | | | |\n`;
  const { enqueuePerSecond1, enqueuePerSecond64, jobsPerSecond16, pickUpP50Ms, pickUpP99Ms } = result.figures;
  const pickUp = `${numberText(pickUpP50Ms)} / ${numberText(pickUpP99Ms)}`;
  const rates = [enqueuePerSecond1, enqueuePerSecond64, jobsPerSecond16].map((rate) => numberText(Math.round(rate)));
  return `| ${result.name} ${result.version} | ${rates.join(' | ')} | ${pickUp} |\n`;
}

const facts = machineFacts();
const results: Result[] = [];
process.stderr.write('measuring: agentopsd\n');
results.push({ name: 'agentopsd, over HTTP', ...(await ownDaemon(seconds)) });
for (const peer of peers) {
  if (!peer.name.toLowerCase().includes(wanted.toLowerCase())) continue;
  process.stderr.write(`installing and measuring: ${peer.name}\n`);
  results.push(await measure(peer));
}
const head =
  '| | enqueue/s, 1 lane | enqueue/s, 64 lanes | no-op jobs/s, 16 lanes | pick-up p50 / p99 ms |\n|---|---|---|---|---|\n';
process.stdout.write(`${machineLine(facts)}\n\n${head}${results.map(lineOf).join('')}`);
const file = process.env['BENCH_JSON'];
if (file !== undefined) writeFileSync(file, `${JSON.stringify({ machine: facts, seconds, results }, undefined, 2)}\n`);
process.exit();
