/** Mistakes in the list of events: its order, its ids, its cursors, and what the jobs are said to be made of. */
import { bodyOf, routeOf, type WireEvent, withBody } from '../wire.js';
import { EVENTS, edits, type Mistaken, mistake, type Room, saysOtherwise } from './mistake.js';

/** Answers a page of events from the whole list, in its own way. */
function pages(
  { read }: Room,
  page: (all: WireEvent[], query: { since: string | null; limit: string | null }) => WireEvent[] | undefined,
): Mistaken {
  return {
    async answer(answer, asked) {
      const body = answer.status === 200 && EVENTS.test(routeOf(asked)) ? bodyOf(answer) : undefined;
      const query = new URLSearchParams(asked.query);
      const since = query.get('since') ?? query.get('after_id');
      if (body === undefined) return undefined;
      const events = page((await read('/v1/events')).events, { since, limit: query.get('limit') });
      return events && withBody(answer, { ...body, events });
    },
  };
}

export const eventMistakes = [
  mistake(
    'observe.events.envelope',
    'nobody is named as actor',
    edits(EVENTS, ({ events }) => {
      for (const event of events) event.actor = '';
    }),
  ),
  mistake(
    'observe.events.ids-unique',
    'the number in an id starts anew with each request',
    saysOtherwise(/evt_(job\.\w+?)_[^"]*?_\d{6,}(?=")/g, 'evt_$1_000001'),
  ),
  mistake(
    'observe.events.append-only',
    'a cancel changes the accepted event',
    edits(EVENTS, ({ events }) => {
      const cancelled = new Set(
        events.filter(({ event_type }) => event_type === 'job.cancelled').map(({ job_id }) => job_id),
      );
      for (const event of events)
        if (event.event_type === 'job.accepted' && cancelled.has(event.job_id)) event.payload['cancelled'] = true;
    }),
  ),
  mistake(
    'observe.events.submission-order',
    'newest first',
    edits(EVENTS, ({ events }) => void events.reverse()),
  ),
  mistake('observe.events.cursor-since', 'since counts its own event', (room) =>
    pages(room, (all, { since, limit }) => {
      const at = all.findIndex(({ event_id }) => event_id === since);
      return at < 0 ? undefined : all.slice(at, limit === null ? undefined : at + Number(limit));
    }),
  ),
  mistake('observe.events.limit', 'a limit keeps the newest', (room) =>
    pages(room, (all, { since, limit }) => {
      if (limit === null || !(Number(limit) > 0)) return undefined;
      const at = all.findIndex(({ event_id }) => event_id === since);
      return all.slice(at + 1).slice(-Number(limit));
    }),
  ),
  mistake('observe.events.paging-lossless', 'a page skips one event', (room) =>
    pages(room, (all, { since, limit }) => {
      const at = all.findIndex(({ event_id }) => event_id === since);
      return at < 0 || limit === null ? undefined : all.slice(at + 2, at + 2 + Number(limit));
    }),
  ),
];
