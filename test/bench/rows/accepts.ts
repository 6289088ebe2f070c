/**
 * Durable accepts over HTTP: as many as there can be at 64 lanes, and how long one takes alone. Each stands beside the
 * least that it could be as well: the same server with a sync before its answer and nothing else.
 */
import { syncP50Ms } from '../disk-baseline.js';
import { inRoom } from '../room.js';
import type { Row } from '../row.js';

const WARM_UP_SECONDS = 2;
const LEAST = 'bare polka route that syncs first';

export function acceptRows(rounds: number, seconds: number): Promise<Row[]> {
  return inRoom(async (room) => {
    const daemon = await room.startDaemon();
    const polka = await room.startPolka();
    const durable = await room.startPolka({ durable: true });
    const submit = (port: number, lanes: number, name: string, time = seconds) =>
      room.load(port, {
        kind: 'submit',
        lanes,
        seconds: time,
        jobType: 'eval.suite',
        name,
        payload: { suite: 'smoke' },
      });
    for (const { port } of [polka, durable, daemon]) await submit(port, 64, 'warm', WARM_UP_SECONDS);
    const [accepts, bare, least, p99]: number[][] = [[], [], [], []];
    const [alone, disk, leastAlone]: number[][] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      bare?.push((await submit(polka.port, 64, `bare-${round}`)).perSecond);
      least?.push((await submit(durable.port, 64, `least-${round}`)).perSecond);
      const many = await submit(daemon.port, 64, `many-${round}`);
      accepts?.push(many.perSecond);
      p99?.push(many.p99Ms);
    }
    for (let round = 0; round < rounds; round++) {
      disk?.push(syncP50Ms(room.top, seconds / 2));
      leastAlone?.push((await submit(durable.port, 1, `least-${round}`, seconds / 2)).p50Ms);
      alone?.push((await submit(daemon.port, 1, `alone-${round}`, seconds / 2)).p50Ms);
    }
    await daemon.stop();
    return [
      {
        figure: 'durable accepts over HTTP, 64 lanes',
        unit: '/s',
        values: accepts ?? [],
        baseline: { name: 'bare polka JSON route', unit: '/s', values: bare ?? [] },
        reach: { atLeast: 0.55 },
        beside: { p99Ms: Math.max(...(p99 ?? [])) },
      },
      {
        figure: 'the same, beside the least',
        unit: '/s',
        values: accepts ?? [],
        baseline: { name: LEAST, unit: '/s', values: least ?? [] },
      },
      {
        figure: 'accept latency p50, 1 lane',
        unit: 'ms',
        values: alone ?? [],
        baseline: { name: 'fdatasync of 512 bytes p50', unit: 'ms', values: disk ?? [] },
        reach: { atMost: 2.2 },
      },
      {
        figure: 'the same, beside the least',
        unit: 'ms',
        values: alone ?? [],
        baseline: { name: LEAST, unit: 'ms', values: leastAlone ?? [] },
      },
      {
        figure: `the least itself p50, 1 lane: ${LEAST}`,
        unit: 'ms',
        values: leastAlone ?? [],
        baseline: { name: 'fdatasync of 512 bytes p50', unit: 'ms', values: disk ?? [] },
      },
    ];
  });
}
