/** The load generator, in a process of its own: orders come and figures go as messages. */
import { type LaneFigures, runLanes } from './lanes.js';
import { percentile } from './statistics.js';

export type LoadOrder =
  | {
      readonly kind: 'submit';
      readonly port: number;
      readonly token: string;
      readonly lanes: number;
      readonly seconds?: number;
      readonly requests?: number;
      readonly jobType: string;
      /** Begins the keys: no job of an earlier order is met again. */
      readonly name: string;
      readonly payload?: object;
      readonly pauseMs?: number;
    }
  | {
      readonly kind: 'get';
      readonly port: number;
      readonly token: string;
      readonly path: string;
      readonly seconds?: number;
      readonly requests?: number;
      readonly pauseMs?: number;
    };

export interface LoadFigures {
  readonly perSecond: number;
  readonly answers: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** By job id, when its answer was read, on the clock that `process.hrtime` shows to every process; one lane alone. */
  readonly answeredAtMs: Readonly<Record<string, number>>;
}

const JOB_ID = /"job_id":"([^"]+)"/;

async function carryOut(order: LoadOrder): Promise<LoadFigures> {
  const answeredAtMs: Record<string, number> = {};
  if (order.kind === 'get') return summary(await runLanes({ ...order, lanes: 1, method: 'GET' }), answeredAtMs);
  const rest = `","job_type":"${order.jobType}","payload":${JSON.stringify(order.payload ?? {})}}`;
  const body = (at: number): string =>
    `{"schema_version":1,"request_id":"req-${order.name}-${at}","idempotency_key":"key-${order.name}-${at}${rest}`;
  const note = (_: number, answer: Buffer): void => {
    const jobId = JOB_ID.exec(answer.toString('latin1'))?.[1];
    if (jobId !== undefined) answeredAtMs[jobId] = Number(process.hrtime.bigint()) / 1e6;
  };
  const load = { ...order, method: 'POST' as const, path: '/v1/jobs', body };
  return summary(await runLanes(load, order.lanes === 1 ? note : undefined), answeredAtMs);
}

function summary(figures: LaneFigures, answeredAtMs: Record<string, number>): LoadFigures {
  const { answers, seconds, latenciesMs, statuses } = figures;
  const at = (part: number): number => percentile(latenciesMs, part);
  return {
    perSecond: answers / seconds,
    answers,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p99Ms: at(0.99),
    maxMs: at(1),
    statuses,
    answeredAtMs,
  };
}

process.on('message', (order: LoadOrder) => {
  carryOut(order).then(
    (figures) => process.send?.({ figures }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
