/** Jobs that do nothing, with leases and all events: how many a second, and how soon one begins on an idle daemon. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncP50Ms } from '../disk-baseline.js';
import { inRoom, type Room } from '../room.js';
import type { Row } from '../row.js';
import { median, percentile } from '../statistics.js';

const WORKERS = 16;
const JOB_TYPE = 'wiki.forge';
/** Threads start and code gets warm during the first part of the jobs. */
const WARM_UP_PART = 0.3;

export async function jobRows(rounds: number, seconds: number, jobs: number): Promise<Row[]> {
  const [done, accepted]: number[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await inRoom(async (room) => {
      accepted?.push(await acceptsAt16(room, seconds));
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

async function acceptsAt16(room: Room, seconds: number): Promise<number> {
  const daemon = await room.startDaemon();
  const submit = (name: string) =>
    room.load(daemon.port, { kind: 'submit', lanes: 16, seconds, jobType: JOB_TYPE, name });
  await submit('warm');
  const { perSecond } = await submit('many');
  await daemon.stop();
  return perSecond;
}

/** All jobs wait before the first is claimed; counted from the ledger, once it is warm. */
async function drained(room: Room, jobs: number): Promise<number> {
  const idle = await room.startDaemon();
  await room.load(idle.port, { kind: 'submit', lanes: 64, requests: jobs, jobType: JOB_TYPE, name: 'many' });
  await idle.stop();
  const busy = await room.startDaemon({ workers: WORKERS });
  for (;;) {
    const ends = completions(room);
    if (ends.length === jobs) {
      await busy.stop();
      const from = Math.floor(jobs * WARM_UP_PART);
      const passedMs = (ends.at(-1) as number) - (ends[from] as number);
      return ((jobs - 1 - from) / passedMs) * 1000;
    }
    await new Promise((resume) => setTimeout(resume, 1000));
  }
}

const COMPLETED = /"event_type":"job\.completed".*?"occurred_at":"([^"]+)"/g;

/** When each job was told done, milliseconds since 1970, in the order of the ledger. */
function completions(room: Room): number[] {
  const folder = join(room.root, '.agents/daemon/ledger');
  const found: number[] = [];
  for (const name of readdirSync(folder).sort()) {
    for (const [, at] of readFileSync(join(folder, name), 'latin1').matchAll(COMPLETED))
      found.push(Date.parse(at as string));
  }
  return found;
}

async function pickUp(room: Room, rounds: number, seconds: number): Promise<Row> {
  const daemon = await room.startDaemon({ workers: WORKERS });
  const note = join(room.top, 'begun');
  const values: number[] = [];
  const disk: number[] = [];
  const tails: number[] = [];
  for (let round = 0; round < rounds + 1; round++) {
    const syncMs = syncP50Ms(room.top, seconds / 2);
    const { answeredAtMs } = await room.load(daemon.port, {
      kind: 'submit',
      lanes: 1,
      seconds,
      jobType: JOB_TYPE,
      name: `alone-${round}`,
      payload: { note },
      pauseMs: 5,
    });
    const begun = readFileSync(note, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '));
    const waits = begun.flatMap(([jobId, atMs]) => {
      const answeredMs = answeredAtMs[jobId as string];
      return answeredMs === undefined ? [] : [Number(atMs) - answeredMs];
    });
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
