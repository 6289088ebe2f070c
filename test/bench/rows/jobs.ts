/** Jobs that do nothing, with leases and all events: how many a second, and how soon one begins on an idle daemon. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { syncP50Ms } from '../disk-baseline.js';
import { inRoom, type Room } from '../room.js';
import type { Row } from '../row.js';
import { median, percentile } from '../statistics.js';

const WORKERS = 16;
const JOB_TYPE = 'wiki.forge';
/** Threads start and code gets warm during the first part of the jobs. */
const WARM_UP_PART = 0.3;
const LEDGER = '.agents/daemon/ledger';
const LOOK_MS = 1000;

export async function jobRows(rounds: number, seconds: number, jobs: number): Promise<Row[]> {
  const [done, accepted]: number[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await inRoom(async (room) => {
      accepted?.push(...(await acceptsAlone(room, [WORKERS], seconds)));
    });
    await inRoom(async (room) => {
      done?.push(await drained(room, jobs));
    });
  }
  return [
    {
      figure: `no-op jobs end to end, ${WORKERS} workers`,
      unit: '/s',
      values: done ?? [],
      baseline: { name: 'durable accepts, 16 lanes', unit: '/s', values: accepted ?? [] },
      reach: { atLeast: 0.6 },
    },
    await inRoom((room) => pickUp(room, rounds, seconds)),
  ];
}

/** All jobs wait before the first is claimed; counted from the ledger, once it is warm. */
export async function drained(room: Room, jobs: number): Promise<number> {
  const idle = await room.startDaemon();
  await room.load(idle.port, { kind: 'submit', lanes: 64, requests: jobs, jobType: JOB_TYPE, name: 'many' });
  await idle.stop();
  const busy = await room.startDaemon({ workers: WORKERS });
  // Reading the ledger takes the processor from what is measured: it is done when nothing more comes.
  let ends: number[] = [];
  for (let sizeBytes = -1; ends.length < jobs; ) {
    await new Promise((resume) => setTimeout(resume, LOOK_MS));
    const now = ledgerBytes(room);
    if (now === sizeBytes) ends = completions(room);
    sizeBytes = now;
  }
  await busy.stop();
  const from = Math.floor(jobs * WARM_UP_PART);
  const passedMs = (ends.at(-1) as number) - (ends[from] as number);
  return ((jobs - 1 - from) / passedMs) * 1000;
}

/** Accepted jobs a second, for each number of lanes in turn. */
export async function acceptsAlone(room: Room, lanes: readonly number[], seconds: number): Promise<number[]> {
  const daemon = await room.startDaemon();
  const submit = (count: number, name: string) =>
    room.load(daemon.port, { kind: 'submit', lanes: count, seconds, jobType: JOB_TYPE, name });
  await submit(64, 'warm');
  const rates: number[] = [];
  for (const count of lanes) rates.push((await submit(count, `lanes-${count}`)).perSecond);
  await daemon.stop();
  return rates;
}

function ledgerBytes(room: Room): number {
  const folder = join(room.root, LEDGER);
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

const COMPLETED = /"event_type":"job\.completed".*?"occurred_at":"([^"]+)"/g;

/** When each job was told done, milliseconds since 1970, in the order of the ledger. */
function completions(room: Room): number[] {
  const folder = join(room.root, LEDGER);
  const found: number[] = [];
  for (const name of readdirSync(folder).sort()) {
    for (const [, at] of readFileSync(join(folder, name), 'latin1').matchAll(COMPLETED))
      found.push(Date.parse(at as string));
  }
  return found;
}

async function pickUp(room: Room, rounds: number, seconds: number): Promise<Row> {
  const daemon = await room.startDaemon({ workers: WORKERS });
  const values: number[] = [];
  const disk: number[] = [];
  const tails: number[] = [];
  for (let round = 0; round < rounds + 1; round++) {
    const syncMs = syncP50Ms(room.top, seconds / 2);
    const waits = await waitsOf(room, daemon.port, round, { seconds });
    // The first round starts the threads.
    if (round === 0) continue;
    disk.push(syncMs);
    values.push(median(waits));
    tails.push(percentile(waits, 0.99));
  }
  await daemon.stop();
  return {
    figure: 'pick-up on an idle daemon p50: accepted to handler runs',
    unit: 'ms',
    values,
    baseline: { name: 'fdatasync of 512 bytes p50', unit: 'ms', values: disk },
    reach: { atMost: 4 },
    beside: { p99Ms: median(tails) },
  };
}

/** From each answer to the start of its job's handler on a daemon that is idle and warm, in milliseconds. */
export async function pickUpWaits(room: Room, jobs: number): Promise<number[]> {
  const daemon = await room.startDaemon({ workers: WORKERS });
  await waitsOf(room, daemon.port, 0, { requests: jobs });
  const waits = await waitsOf(room, daemon.port, 1, { requests: jobs });
  await daemon.stop();
  return waits;
}

async function waitsOf(
  room: Room,
  port: number,
  round: number,
  howLong: { readonly seconds?: number; readonly requests?: number },
): Promise<number[]> {
  const note = join(room.top, 'begun');
  const { answeredAtMs } = await room.load(port, {
    kind: 'submit',
    lanes: 1,
    ...howLong,
    jobType: JOB_TYPE,
    name: `alone-${round}`,
    payload: { note },
    pauseMs: 5,
  });
  const begun = readFileSync(note, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
  return begun.flatMap(([jobId, atMs]) => {
    const answeredMs = answeredAtMs[jobId as string];
    return answeredMs === undefined ? [] : [Number(atMs) - answeredMs];
  });
}
