/**
 * `make soak`: a steady load for five minutes (`SOAK_SECONDS`), below what the machine can take, and a look every so often
 * at what the daemon holds and how long it takes. Ends with a verdict and exit code 1 when anything grows that should not.
 *
 * What is kept of ended jobs grows with the ledger, by less than its bytes; the heap, where live objects are, does not.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inRoom, type Room, type RunningDaemon } from './room.js';
import { numberText } from './row.js';
import { median } from './statistics.js';

const seconds = Number(process.env['SOAK_SECONDS'] ?? 300);
const SLICES = 15;
/** They warm up: threads, code, the heap. */
const WARM_UP_SLICES = 3;
const LANES = 16;
const PAUSE_MS = 25;
const WORKERS = 4;
const JOB_TYPE = 'wiki.forge';
const PROBE_PAUSE_MS = 20;
const MIB = 1_048_576;

/** Growth that is no leak: what the collector leaves lying about. */
const SLACK_MIB = 24;
const MEMORY_OF_DISK = 0.8;
const LATENCY_GROWTH = 1.5;
const HEALTH_P99_MS = 20;

interface Slice {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly healthP99Ms: number;
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly ledgerMiB: number;
}

const columns: readonly [string, keyof Slice][] = [
  ['jobs/s', 'perSecond'],
  ['accept p50 ms', 'p50Ms'],
  ['p99 ms', 'p99Ms'],
  ['health p99 ms', 'healthP99Ms'],
  ['resident MiB', 'rssMiB'],
  ['heap MiB', 'heapMiB'],
  ['ledger MiB', 'ledgerMiB'],
];

async function oneSlice(room: Room, daemon: RunningDaemon, at: number): Promise<Slice> {
  const time = seconds / SLICES;
  const submitting = room.load(daemon.port, {
    kind: 'submit',
    lanes: LANES,
    seconds: time,
    jobType: JOB_TYPE,
    name: `soak-${at}`,
    pauseMs: PAUSE_MS,
  });
  const probe = { kind: 'get', path: '/v1/health', seconds: time, pauseMs: PROBE_PAUSE_MS } as const;
  const health = await room.load(daemon.port, probe, true);
  const { perSecond, p50Ms, p99Ms, statuses, answers } = await submitting;
  if (statuses['202'] !== answers) throw new Error(`not every job was accepted: ${JSON.stringify(statuses)}`);
  const { rssBytes, heapBytes } = await daemon.memory();
  return {
    perSecond,
    p50Ms,
    p99Ms,
    healthP99Ms: health.p99Ms,
    rssMiB: rssBytes / MIB,
    heapMiB: heapBytes / MIB,
    ledgerMiB: ledgerBytes(room) / MIB,
  };
}

function ledgerBytes({ root }: Room): number {
  const folder = join(root, '.agents/daemon/ledger');
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** What grew, as lines for people; none when all is as it should be. */
function complaints(slices: readonly Slice[]): string[] {
  const steady = slices.slice(WARM_UP_SLICES);
  const [first, last] = [steady[0], steady.at(-1)] as [Slice, Slice];
  const third = Math.max(1, Math.floor(steady.length / 3));
  const [early, late] = [steady.slice(0, third), steady.slice(-third)];
  const typical = (part: readonly Slice[], name: keyof Slice): number => median(part.map((slice) => slice[name]));
  const grown = (name: keyof Slice): number => last[name] - first[name];
  const checks: [boolean, string][] = [
    [grown('heapMiB') <= SLACK_MIB, `the heap grew by ${numberText(grown('heapMiB'))} MiB`],
    [
      grown('rssMiB') <= MEMORY_OF_DISK * grown('ledgerMiB') + SLACK_MIB,
      `memory grew by ${numberText(grown('rssMiB'))} MiB while the ledger grew by ${numberText(grown('ledgerMiB'))} MiB`,
    ],
    ...(['p50Ms', 'p99Ms'] as const).map((name): [boolean, string] => [
      typical(late, name) <= typical(early, name) * LATENCY_GROWTH,
      `accept ${name} went from ${numberText(typical(early, name))} to ${numberText(typical(late, name))}`,
    ]),
    [
      typical(steady, 'healthP99Ms') <= HEALTH_P99_MS,
      `health took ${numberText(typical(steady, 'healthP99Ms'))} ms at p99`,
    ],
  ];
  return checks.filter(([holds]) => !holds).map(([, text]) => text);
}

await inRoom(async (room) => {
  const daemon = await room.startDaemon({ workers: WORKERS });
  process.stdout.write(
    `| second | ${columns.map(([title]) => title).join(' | ')} |\n|${'---|'.repeat(columns.length + 1)}\n`,
  );
  const slices: Slice[] = [];
  for (let at = 0; at < SLICES; at++) {
    const slice = await oneSlice(room, daemon, at);
    slices.push(slice);
    const cells = columns.map(([, name]) => numberText(slice[name]));
    process.stdout.write(`| ${numberText(((at + 1) * seconds) / SLICES)} | ${cells.join(' | ')} |\n`);
  }
  await daemon.stop();
  const found = complaints(slices);
  process.stdout.write(found.length === 0 ? '\nsteady: nothing grew that should not\n' : `\n${found.join('\n')}\n`);
  if (found.length > 0) process.exitCode = 1;
});
