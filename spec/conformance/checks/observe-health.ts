/** `GET /v1/health`: the process lives, and says when. */
import { check } from '../check.js';
import { said } from '../context.js';
import { at, instant, textAt } from '../json.js';
import { contentType, isJsonType } from '../monitor/answer-rules.js';

const CLOCK_STEP_MS = 1_100;
const WHOLE_SECOND_MS = 1_000;
/** Nobody needs to ask the clock more often. */
const CACHED_MS = 500;
const CLOCK_SKEW_MS = 5 * 60_000;

export const healthChecks = [
  check('observe.health.ok', async (context) => {
    const answer = await context.target.get('/v1/health');
    context.demandAnswer(answer, 200, 'GET /v1/health');
    context.must(isJsonType(answer), 'Content-Type application/json', contentType(answer), answer);
    context.must(textAt(answer.json, 'status') === 'ok', '`status` is `ok`', said(answer), answer);
    context.must(
      (textAt(answer.json, 'daemon') ?? '') !== '',
      '`daemon` is a text that is not empty',
      said(answer),
      answer,
    );
    context.should(at(answer.json, 'read_only') === true, '`read_only` is true', said(answer), answer);
    context.must((textAt(answer.json, 'now') ?? '') !== '', '`now` is there', said(answer), answer);
  }),

  check('observe.health.clock', async (context) => {
    const first = await context.target.readExchange('/v1/health');
    await context.pause(CLOCK_STEP_MS);
    const second = await context.target.readExchange('/v1/health');
    const third = await context.target.readExchange('/v1/health');
    const [before, after, last] = [first, second, third].map((answer) => instant(textAt(answer.json, 'now')));
    for (const answer of [first, second, third]) {
      const now = textAt(answer.json, 'now');
      context.must(instant(now) !== undefined, '`now` is RFC 3339 with an offset', now, answer);
    }
    if (before === undefined || after === undefined) return;
    const seen = `${textAt(first.json, 'now')}, then ${textAt(second.json, 'now')}`;
    context.must(after > before, `a later \`now\` ${CLOCK_STEP_MS} ms later`, seen, second);
    // Seconds may be whole ones; a time that was taken for the request before is further off.
    const slackMs = /\.\d/.test(textAt(third.json, 'now') ?? '') ? CACHED_MS : WHOLE_SECOND_MS;
    const passed = third.endedAt - second.startedAt + slackMs;
    const moved = (last ?? after) - after;
    const goesOn = `a \`now\` that moves on as time does: at most ${passed} ms from one request to the next`;
    context.must(moved >= 0 && moved <= passed, goesOn, `${moved} ms`, third);
    const skew = Math.abs(after - second.endedAt);
    context.should(
      skew < CLOCK_SKEW_MS,
      'a clock within five minutes of this one',
      `${Math.round(skew / 1000)} s away`,
      second,
    );
  }),

  check('observe.health.up-while-degraded', async (context) => {
    const server = await context.server();
    for (let count = 0; count < 4; count += 1) await context.accepted(context.envelope(), server);
    await server.kill();
    await server.damage('middle');
    // A start that fails is told as what it is.
    await server.start();
    const answer = await server.get('/v1/health');
    context.demandAnswer(answer, 200, 'GET /v1/health over a damaged ledger');
    context.must(textAt(answer.json, 'status') === 'ok', '`status` is `ok`: the process lives', said(answer), answer);
  }),
];
