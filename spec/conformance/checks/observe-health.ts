/** `GET /v1/health`: the process lives, and says when. */
import { check } from '../check.js';
import { type Context, said } from '../context.js';
import { at, instant, textAt } from '../json.js';
import { contentType, isJsonType } from '../monitor/answer-rules.js';
import type { Exchange } from '../target/exchange.js';

/** From one reading to the next; two are close together, and an answer that is given again each third time is met. */
const CLOCK_STEPS_MS = [1_100, 0, 1_100, 1_100, 1_100];
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
    const answers = [await context.target.readExchange('/v1/health')];
    for (const stepMs of CLOCK_STEPS_MS) {
      if (stepMs > 0) await context.pause(stepMs);
      answers.push(await context.target.readExchange('/v1/health'));
    }
    for (const answer of answers) {
      const now = textAt(answer.json, 'now');
      context.must(instant(now) !== undefined, '`now` is RFC 3339 with an offset', now, answer);
    }
    for (const [index, stepMs] of CLOCK_STEPS_MS.entries())
      judgeStep(context, answers[index] as Exchange, answers[index + 1] as Exchange, stepMs);
    const last = answers.at(-1) as Exchange;
    const now = instant(textAt(last.json, 'now'));
    if (now === undefined) return;
    const skew = Math.abs(now - last.endedAt);
    context.should(
      skew < CLOCK_SKEW_MS,
      'a clock within five minutes of this one',
      `${Math.round(skew / 1000)} s away`,
      last,
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

function judgeStep(context: Context, earlier: Exchange, later: Exchange, stepMs: number): void {
  const [first, second] = [textAt(earlier.json, 'now'), textAt(later.json, 'now')];
  const [before, after] = [instant(first), instant(second)];
  if (before === undefined || after === undefined) return;
  const seen = `${first}, then ${second}`;
  if (stepMs > 0) context.must(after > before, `a later \`now\` ${stepMs} ms later`, seen, later);
  // Seconds may be whole ones; a time that was taken for the request before is further off.
  const slackMs = /\.\d/.test(second ?? '') ? CACHED_MS : WHOLE_SECOND_MS;
  const mostMs = later.endedAt - earlier.startedAt + slackMs;
  const moved = after - before;
  const goesOn = `a \`now\` that moves on as time does: at most ${mostMs} ms from one request to the next`;
  context.must(moved >= 0 && moved <= mostMs, goesOn, `${moved} ms`, later);
}
