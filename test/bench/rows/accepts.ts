/** Durable accepts over HTTP: as many as there can be at 64 lanes, and how long one takes alone. */
import { syncP50Ms } from '../disk-baseline.js';
import { inRoom } from '../room.js';
import type { Row } from '../row.js';

const WARM_UP_SECONDS = 2;

export function acceptRows(rounds: number, seconds: number): Promise<Row[]> {
  return inRoom(async (room) => {
    const daemon = await room.startDaemon();
    const polka = await room.startPolka();
    const submit = (port: number, lanes: number, name: string, time = seconds) =>
      room.load(port, {
        kind: 'submit',
        lanes,
        seconds: time,
        jobType: 'eval.suite',
        name,
        payload: { suite: 'smoke' },
      });
    await submit(polka.port, 64, 'warm', WARM_UP_SECONDS);
    await submit(daemon.port, 64, 'warm', WARM_UP_SECONDS);
    const [accepts, bare, alone, disk, p99]: number[][] = [[], [], [], [], []];
    for (let round = 0; round < rounds; round++) {
      bare?.push((await submit(polka.port, 64, `bare-${round}`)).perSecond);
      const many = await submit(daemon.port, 64, `many-${round}`);
      accepts?.push(many.perSecond);
      p99?.push(many.p99Ms);
    }
    for (let round = 0; round < rounds; round++) {
      disk?.push(syncP50Ms(room.top, seconds / 2));
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
        figure: 'accept latency p50, 1 lane',
        unit: 'ms',
        values: alone ?? [],
        baseline: { name: 'fdatasync of 512 bytes p50', unit: 'ms', values: disk ?? [] },
        reach: { atMost: 2.2 },
      },
    ];
  });
}
