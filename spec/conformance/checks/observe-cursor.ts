/** `GET /v1/events` in parts: cursors, limits, pages. */
import { check } from '../check.js';
import type { Context } from '../context.js';
import { type JsonObject, same, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import { eventIds, page, someJobs, steady } from './steady.js';

const PAGE = 3;
/** A long history is paged from here on, counted from its end. */
const PAGED_EVENTS = 45;

export const cursorChecks = [
  check('observe.events.cursor-since', async (context) => {
    await someJobs(context, 4);
    const { seen, events } = await steady(context.target, async () => {
      const ids = eventIds(await context.target.events());
      const cursor = ids.at(-4) ?? '';
      return {
        cursor,
        since: await page(context.target, `since=${encodeURIComponent(cursor)}`),
        atHead: await page(context.target, `since=${encodeURIComponent(ids.at(-1) ?? '')}`),
        afterId: await context.target.get(`/v1/events?after_id=${encodeURIComponent(cursor)}`),
      };
    });
    const head = eventIds(events).at(-1);
    const wanted = events.slice(-3);
    mustBe(context, seen.since.events, wanted, 'since=<an id>: exactly the events behind it', seen.since.answer);
    mustBe(context, seen.atHead.events, [], 'since=<the last id>: no event', seen.atHead.answer);
    for (const { answer } of [seen.since, seen.atHead]) mustNameHead(context, answer, head);
    const after = seen.afterId;
    const got = after.status === 200 ? eventIds((after.json as { events?: JsonObject[] }).events ?? []) : after.status;
    context.should(same(got, eventIds(wanted)), 'after_id answers what since answers', shown(got), after);
  }),

  check('observe.events.cursor-unknown', async (context) => {
    const since = await context.target.get('/v1/events?since=no-such-id');
    mustRefuse(context, since, 'since=no-such-id');
    const after = await context.target.get('/v1/events?after_id=no-such-id');
    context.should(after.status === 400, 'after_id=no-such-id: 400', `${after.status} ${shown(after.text)}`, after);
  }),

  check('observe.events.limit', async (context) => {
    await someJobs(context, 4);
    const { target } = context;
    const { seen, events } = await steady(target, async () => ({
      one: await page(target, 'limit=1'),
      two: await page(target, 'limit=2'),
      behind: await page(target, `limit=2&since=${encodeURIComponent(eventIds(await target.events()).at(-4) ?? '')}`),
      none: await target.get('/v1/events?limit=0'),
      huge: await target.get('/v1/events?limit=100000000'),
    }));
    const head = eventIds(events).at(-1);
    mustBe(context, seen.one.events, events.slice(0, 1), 'limit=1: the oldest event', seen.one.answer);
    mustBe(context, seen.two.events, events.slice(0, 2), 'limit=2: the oldest two', seen.two.answer);
    mustBe(
      context,
      seen.behind.events,
      events.slice(-3, -1),
      'limit=2 with since: the oldest two behind it',
      seen.behind.answer,
    );
    for (const { answer } of [seen.one, seen.two]) mustNameHead(context, answer, head);
    const nothing = seen.none.json as { events?: unknown };
    const isNothing = seen.none.status === 200 && same(nothing?.events, []);
    context.should(isNothing, 'limit=0: no event', `${seen.none.status} ${shown(seen.none.text)}`, seen.none);
    context.should(seen.huge.status === 200, 'a limit that is huge: 200', seen.huge.status, seen.huge);
  }),

  check('observe.events.limit-invalid', async (context) => {
    for (const limit of ['abc', '-1', '1.5']) {
      mustRefuse(context, await context.target.get(`/v1/events?limit=${limit}`), `limit=${limit}`);
    }
  }),

  check('observe.events.paging-lossless', async (context) => {
    await someJobs(context, 7);
    const all = await context.target.events();
    const from = Math.max(0, all.length - PAGED_EVENTS);
    const wanted = all.slice(from);
    let cursor = from === 0 ? '' : `&since=${encodeURIComponent(eventIds(all)[from - 1] ?? '')}`;
    const got: JsonObject[] = [];
    let last: Exchange | undefined;
    while (got.length < wanted.length) {
      const { answer, events } = await page(context.target, `limit=${PAGE}${cursor}`);
      last = answer;
      context.must(events.length <= PAGE, `limit=${PAGE}: at most ${PAGE} events`, `${events.length} events`, answer);
      if (events.length === 0) break;
      got.push(...events);
      cursor = `&since=${encodeURIComponent(eventIds(events).at(-1) ?? '')}`;
    }
    const index = wanted.findIndex((event, place) => !same(event, got[place]));
    const expected = `pages of ${PAGE} in a row give the whole list; event ${from + index + 1} is ${shown(wanted[index])}`;
    context.must(index < 0, expected, shown(got[index] ?? 'absent'), last);
  }),
];

function mustBe(
  context: Context,
  events: readonly JsonObject[],
  wanted: readonly JsonObject[],
  expected: string,
  answer: Exchange,
): void {
  const seen = shown(eventIds(events));
  context.must(same(events, wanted), `${expected}, ${shown(eventIds(wanted))}`, seen, answer);
}

function mustNameHead(context: Context, answer: Exchange, head: string | undefined): void {
  const named = textAt(answer.json, 'last_event_id');
  context.must(named === head, `\`last_event_id\` stays the head of the ledger, ${head}`, named, answer);
}

function mustRefuse(context: Context, answer: Exchange, what: string): void {
  context.mustAnswer(answer, 400, what);
  if (answer.status !== 400) return;
  const error = textAt(answer.json, 'error') ?? '';
  context.must(error !== '', `${what}: a body whose \`error\` says why`, answer.text, answer);
}
