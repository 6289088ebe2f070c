/** Histories with holes, and reads that come late: what several answers say together. */
import { defaultTimeoutMs } from '../../../spec/conformance/target/http-client.js';
import { edits, pause } from '../mistakes/mistake.js';
import { type Answer, routeOf, type WireEvent } from '../wire.js';
import { routePattern } from './member-spoilings.js';
import { tellingChecks } from './right.js';
import { counter, type Spoiling, spoilings } from './spoiling.js';

const EVENTS = /^GET \/v1\/events$/;
const HISTORY = ['observe.events.*', 'observe.status.head-equals-ledger-head'];
/** Views can't be told from the events any more, so that it is a matter of both. */
const WITH_VIEWS = [...HISTORY, 'execute.*', 'enqueue.submit.*', 'project.rebuild.oracle'];

export function historySpoilings(): Spoiling[] {
  return [...eventSpoilings(), ...listSpoilings(), ...staleSpoilings(), ...lateSpoilings()];
}

type Change = (events: WireEvent[], isWhole: boolean) => WireEvent[];

/** The list changed in the same way in every answer. */
function listed(right: readonly string[], ways: Readonly<Record<string, Change>>): Spoiling[] {
  const make =
    (change: Change): Spoiling['make'] =>
    () =>
      edits(EVENTS, (body, { query }) => ({ ...body, events: change(body.events, query === '') }));
  return spoilings('GET /v1/events', right, ways, make, tellingChecks);
}

const types = ['accepted', 'claimed', 'heartbeat', 'completed', 'failed', 'cancelled'] as const;

/** What becomes of one event in its list. */
const onEvents: Readonly<Record<string, (event: WireEvent) => WireEvent[]>> = {
  hidden: () => [],
  twice: (event) => [event, event],
  'twice, under two ids': (event) => [event, { ...event, event_id: `${event.event_id}x` }],
  'of another type': (event) => [{ ...event, event_type: 'job.noted' }],
  'of another job': (event) => [{ ...event, job_id: `${event.job_id}x` }],
};

/** The first event of a type that is ever seen, known again by its id. */
function firstOf(type: string): (event: WireEvent) => boolean {
  let id: string | undefined;
  return (event) => {
    if (event.event_type === `job.${type}`) id ??= event.event_id;
    return event.event_id === id;
  };
}

function eventSpoilings(): Spoiling[] {
  return types.flatMap((type) => {
    const make =
      (change: (event: WireEvent) => WireEvent[]): Spoiling['make'] =>
      () => {
        const isMeant = firstOf(type);
        return edits(EVENTS, (body) => ({
          ...body,
          events: body.events.flatMap((event) => (isMeant(event) ? change(event) : [event])),
        }));
      };
    const ways = Object.fromEntries(
      Object.entries(onEvents).map(([kind, change]) => [`one job.${type} | ${kind}`, change]),
    );
    return [
      ...spoilings('GET /v1/events', WITH_VIEWS, ways, make, tellingChecks),
      ...spoilings(
        'GET /v1/events',
        WITH_VIEWS,
        { [`one job.${type} | behind the next one`]: type },
        moved,
        tellingChecks,
      ),
    ];
  });
}

function moved(type: string): Spoiling['make'] {
  return () => {
    const isMeant = firstOf(type);
    return edits(EVENTS, ({ events }) => {
      const index = events.findIndex(isMeant);
      if (index >= 0 && index + 1 < events.length)
        events.splice(index, 2, events[index + 1] as WireEvent, events[index] as WireEvent);
    });
  };
}

function listSpoilings(): Spoiling[] {
  const remade: Spoiling['make'] = () => {
    const read = counter();
    return edits(EVENTS, ({ events }) => {
      const suffix = `-${read()}`;
      for (const event of events) event.event_id += suffix;
    });
  };
  const rewritten: Spoiling['make'] = () => {
    const read = counter();
    return edits(EVENTS, ({ events }) => {
      const [first] = events;
      if (read() > LATE_READS && first !== undefined) first.actor = 'somebody else';
    });
  };
  const itself = (make: Spoiling['make']) => make;
  return [
    ...listed(WITH_VIEWS, {
      'the events | newest first': (events) => events.toReversed(),
      'the events | the whole list without its last': (events, isWhole) => (isWhole ? events.slice(0, -1) : events),
      'the events | the whole list without its first': (events, isWhole) => (isWhole ? events.slice(1) : events),
      'the events | no heartbeats': (events) => events.filter(({ event_type }) => event_type !== 'job.heartbeat'),
      'the events | at most thirty': (events, isWhole) => (isWhole ? events.slice(-30) : events),
    }),
    ...listed(['observe.events.cursor-since', 'observe.events.limit', 'observe.events.paging-lossless'], {
      'the events | pages without their last': (events, isWhole) => (isWhole ? events : events.slice(0, -1)),
      'the events | pages with one twice': (events, isWhole) => (isWhole ? events : [...events.slice(0, 1), ...events]),
    }),
    ...spoilings(
      'GET /v1/events',
      ['observe.events.append-only'],
      { 'the events | changed later': rewritten },
      itself,
      tellingChecks,
    ),
    ...spoilings(
      'GET /v1/events',
      HISTORY,
      { 'the events | ids made anew for each read': remade },
      itself,
      tellingChecks,
    ),
  ];
}

/** What was read so often counts as known. */
const LATE_READS = 8;

const reads: Readonly<Record<string, readonly string[]>> = {
  'GET /v1/health': ['observe.health.clock'],
  'GET /v1/ready': ['observe.ready.*', 'observe.status.*', 'observe.events.count-matches-lag'],
  'GET /v1/status': ['observe.status.*', 'enqueue.submit.in-status', 'execute.cancel.*', 'execute.state.*'],
  'GET /v1/events': ['observe.events.*', 'enqueue.submit.append-before-ack', 'observe.status.head-equals-ledger-head'],
  'GET /openclaw/v1/health': ['project.consumer.*'],
  'GET /openclaw/v1/snapshot/latest': ['project.consumer.*'],
  'GET /openclaw/v1/jobs': ['project.consumer.*'],
  'GET /openclaw/v1/runs': ['project.consumer.*'],
};

/** An answer that was given before is given once more in place of a new one. */
function staleSpoilings(): Spoiling[] {
  const ways = { 'the answer | always the one before': 1, 'the answer | the one before, each third time': 3 };
  return Object.entries(reads).flatMap(([route, right]) =>
    spoilings(route, right, ways, (every) => () => stale(route, every), [...right, ...tellingChecks]),
  );
}

function stale(route: string, every: number): ReturnType<Spoiling['make']> {
  const before = new Map<string, Answer>();
  const read = counter();
  return {
    answer(answer, asked) {
      if (answer.status !== 200 || !routePattern(route).test(routeOf(asked))) return undefined;
      const former = before.get(asked.query);
      before.set(asked.query, answer);
      // What says the same is no mistake.
      return former?.body.equals(answer.body) === false && read() % every === 0 ? former : undefined;
    },
  };
}

/** Longer than the program waits for an answer. */
const LATE_MS = defaultTimeoutMs + 5000;

/** One answer of a route that comes too late; the client has gone by then. */
function lateSpoilings(): Spoiling[] {
  const make =
    (route: string): Spoiling['make'] =>
    () => {
      const read = counter();
      return {
        async answer(answer, asked) {
          if (!routePattern(route).test(routeOf(asked)) || read() !== LATE_READS) return undefined;
          await pause(LATE_MS);
          return { ...answer };
        },
      };
    };
  const right = ['observe.*', 'enqueue.*', 'execute.*'];
  return ['GET /v1/ready', 'GET /v1/status', 'GET /v1/events'].flatMap((route) =>
    spoilings(route, right, { 'the answer | too late, once': route }, make, tellingChecks),
  );
}
