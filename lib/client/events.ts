/** Reading the history page by page, and following it through lost connections. */
import type { components } from '../model/contract.js';
import { type Event, eventsOf } from './event-stream.js';
import { type Endpoint, exchange, exchangeJson, unreachable } from './request.js';
import { mayRetry, pause } from './retry.js';

type Events = components['schemas']['Events'];

export interface EventQuery {
  /** An event id: the list begins behind it. */
  readonly since?: string | undefined;
  /** Of one page; the daemon caps it. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PAGE_EVENTS = 1000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 2_000;
/** So long without one connection, and following ends with the error. */
const RECONNECT_FOR_MS = 60_000;

export async function readEvents(endpoint: Endpoint, query: EventQuery): Promise<Events> {
  return (await exchangeJson<Events>(endpoint, { method: 'GET', path: pathOf(query), signal: query.signal })).body;
}

/** `limit` counts all events that are yielded, not those of a page. */
export async function* followEvents(
  endpoint: Endpoint,
  query: EventQuery & { readonly follow?: boolean },
): AsyncGenerator<Event> {
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  const events = query.follow === true ? streamedEvents(endpoint, query) : pagedEvents(endpoint, query);
  if (left <= 0) return;
  for await (const event of events) {
    yield event;
    left -= 1;
    if (left <= 0) return;
  }
}

async function* pagedEvents(endpoint: Endpoint, query: EventQuery): AsyncGenerator<Event> {
  for (let since = query.since; ; ) {
    const { events } = await readEvents(endpoint, { since, limit: PAGE_EVENTS, signal: query.signal });
    yield* events;
    const last = events.at(-1);
    if (last === undefined || events.length < PAGE_EVENTS) return;
    since = last.event_id;
  }
}

/** Goes on behind the last event got, also after the daemon was away for a while. */
async function* streamedEvents(endpoint: Endpoint, query: EventQuery): AsyncGenerator<Event> {
  let since = query.since;
  const absence = new Absence();
  for (;;) {
    try {
      for await (const event of connection(endpoint, since, query.signal)) {
        absence.over();
        // What came in one piece with the last event that was wanted is not given any more.
        if (query.signal?.aborted === true) return;
        if (event === 'open') continue;
        since = event.event_id;
        yield event;
      }
    } catch (error) {
      if (query.signal?.aborted === true) return;
      if (!absence.mayGoOn(error)) throw error;
    }
    await pause(absence.nextDelayMs(), query.signal).catch(() => undefined);
    if (query.signal?.aborted === true) return;
  }
}

/** How long the daemon has been away; before the first connection it may not be away at all. */
class Absence {
  #lastSeenMs: number | undefined;
  #delayMs = FIRST_DELAY_MS;

  over(): void {
    this.#lastSeenMs = performance.now();
    this.#delayMs = FIRST_DELAY_MS;
  }

  mayGoOn(error: unknown): boolean {
    return this.#lastSeenMs !== undefined && mayRetry(error) && performance.now() - this.#lastSeenMs < RECONNECT_FOR_MS;
  }

  nextDelayMs(): number {
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
    return delayMs;
  }
}

async function* connection(
  endpoint: Endpoint,
  since: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Event | 'open'> {
  const ask = { method: 'GET', path: pathOf({ since }), accept: 'text/event-stream', stream: true, signal } as const;
  const response = await exchange(endpoint, ask);
  yield 'open';
  if (response.body === null) return;
  try {
    yield* eventsOf(response.body);
  } catch (error) {
    throw unreachable(endpoint.origin, error);
  }
}

/** The cursor goes into the query: a header could not hold the characters that a job id may have. */
function pathOf(query: EventQuery): string {
  const members = new URLSearchParams();
  if (query.since !== undefined) members.set('since', query.since);
  if (query.limit !== undefined) members.set('limit', String(query.limit));
  return members.size === 0 ? '/v1/events' : `/v1/events?${members}`;
}
