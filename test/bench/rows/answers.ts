/** Reads: a long view that did not change, and a probe of health while everything is busy. */
import { inRoom } from '../room.js';
import type { Row } from '../row.js';
import { percentile } from '../statistics.js';

const STATUS_JOBS = 10_000;
const PROBE_PAUSE_MS = 5;

export function statusRow(rounds: number, seconds: number): Promise<Row> {
  return inRoom(async (room) => {
    const daemon = await room.startDaemon();
    await room.load(daemon.port, {
      kind: 'submit',
      lanes: 64,
      requests: STATUS_JOBS,
      jobType: 'eval.suite',
      name: 'many',
    });
    const body = (await (await fetch(`http://127.0.0.1:${daemon.port}/v1/status`)).json()) as unknown;
    const [values, stringified]: number[][] = [[], []];
    for (let round = 0; round < rounds; round++) {
      stringified?.push(stringifyP50Ms(body, seconds / 2));
      const order = { kind: 'get', path: '/v1/status', seconds: seconds / 2 } as const;
      values?.push((await room.load(daemon.port, order)).p50Ms);
    }
    await daemon.stop();
    return {
      figure: `/v1/status of ${STATUS_JOBS.toLocaleString('en-US')} jobs, nothing changed, p50`,
      unit: 'ms',
      values: values ?? [],
      baseline: { name: 'JSON.stringify of the body', unit: 'ms', values: stringified ?? [] },
      reach: { atMost: 0.5 },
    };
  });
}

function stringifyP50Ms(body: unknown, seconds: number): number {
  const taken: number[] = [];
  const endsAt = performance.now() + seconds * 1000;
  while (performance.now() < endsAt) {
    const begun = performance.now();
    JSON.stringify(body);
    taken.push(performance.now() - begun);
  }
  return percentile(taken, 0.5);
}

export function healthRow(rounds: number, seconds: number): Promise<Row> {
  return inRoom(async (room) => {
    const daemon = await room.startDaemon({ workers: 16 });
    const values: number[] = [];
    for (let round = 0; round < rounds + 1; round++) {
      const name = `many-${round}`;
      const submitting = room.load(daemon.port, { kind: 'submit', lanes: 64, seconds, jobType: 'wiki.forge', name });
      const order = { kind: 'get', path: '/v1/health', seconds, pauseMs: PROBE_PAUSE_MS } as const;
      const { p99Ms } = await room.load(daemon.port, order, true);
      await submitting;
      // The first round starts the threads.
      if (round > 0) values.push(p99Ms);
    }
    await daemon.stop();
    return {
      figure: '/v1/health p99 while 64 lanes submit and all workers are busy',
      unit: 'ms',
      values,
      reach: { atMost: 20 },
    };
  });
}
