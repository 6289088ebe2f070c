/** `GET /v1/ready`: whether its answers can be trusted, and that asking changes nothing. */
import { check } from '../check.js';
import { said } from '../context.js';
import { shapeProblem } from '../contract-schemas.js';
import { listAt, numberAt, textAt } from '../json.js';

const READS = 25;

export const readyChecks = [
  check('observe.ready.shape', async (context) => {
    const answer = await context.target.get('/v1/ready');
    context.demandAnswer(answer, 200, 'GET /v1/ready');
    const problem = shapeProblem('Ready', answer.json);
    context.must(
      problem === undefined,
      'ready, ledger_replay_status, projection_status and projection_lag as v0 has them',
      problem,
      answer,
    );
  }),

  check('observe.ready.fresh', async (context) => {
    const server = await context.server();
    const answer = await server.readExchange('/v1/ready');
    const { json } = answer;
    const wanted: readonly (readonly [string, unknown, unknown])[] = [
      ['ready', true, (json as { ready?: unknown }).ready],
      ['ledger_replay_status', 'complete', textAt(json, 'ledger_replay_status')],
      ['projection_status', 'current', textAt(json, 'projection_status')],
      ['projection_lag.event_count', 0, numberAt(json, 'projection_lag', 'event_count')],
      ['projection_lag.corrupt_record_count', 0, numberAt(json, 'projection_lag', 'corrupt_record_count')],
    ];
    for (const [name, value, seen] of wanted) {
      context.must(seen === value, `on an empty data folder: ${name} ${value}`, said(answer), answer);
    }
    const { degraded } = (json as { projection_lag?: { degraded?: unknown } }).projection_lag ?? {};
    context.must(degraded === false, 'on an empty data folder: projection_lag.degraded false', said(answer), answer);
    const reasons = listAt(json, 'degraded_reasons');
    context.must(reasons.length === 0, 'on an empty data folder: no degraded_reasons', reasons, answer);
  }),

  /** What is judged of each answer stands in monitor/honesty-rules.ts; the degraded states are visited by other checks. */
  check('observe.ready.self-consistent', async (context) => {
    for (const path of ['/v1/ready', '/v1/status', '/v1/ready']) await context.target.readExchange(path);
  }),

  check('observe.ready.no-mutation', async (context) => {
    await context.target.quiet();
    await context.mustAppendNothing(`${READS} reads of /v1/ready`, async () => {
      await context.inLanes(Array.from({ length: READS }), 5, () => context.target.get('/v1/ready'));
    });
  }),
];
