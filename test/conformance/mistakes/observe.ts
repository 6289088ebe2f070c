/** Mistakes in what everybody may read: health, ready, status and the shape of answers. */
import { answerOf, type Body, routeOf, withHeader } from '../wire.js';
import { ANY_READ, EVENTS, edits, editsQueue, type Mistaken, mistake, READY, STATUS } from './mistake.js';

const HEALTH = /^GET \/v1\/health$/;

export const observeMistakes = [
  mistake(
    'observe.health.ok',
    'health says up',
    edits(HEALTH, (body) => {
      body.status = 'up';
    }),
  ),
  mistake('observe.health.clock', 'the time is taken once', () => {
    let first: string | undefined;
    return edits(HEALTH, (body) => {
      first ??= body.now;
      body.now = first;
    });
  }),
  mistake(
    'observe.ready.shape',
    'a value outside of its enum',
    edits(READY, (body) => {
      body.ledger_replay_status = 'ok';
    }),
  ),
  mistake(
    'observe.ready.fresh',
    'a fresh store is not ready',
    edits(READY, (body) => {
      body.ready &&= body.projection_lag.event_count > 0;
    }),
  ),
  mistake(
    'observe.ready.self-consistent',
    'ready whatever is degraded',
    edits(READY, (body) => {
      body.ready = true;
    }),
    ['observe.degraded.not-ready'],
  ),
  mistake('observe.ready.no-mutation', 'a look at ready adds an event', ({ ask }) => ({
    async ask(asked) {
      if (READY.test(routeOf(asked))) await ask('POST', '/v1/jobs', { job_type: 'openclaw.snapshot' });
      return undefined;
    },
    answer: (answer, asked) => (READY.test(routeOf(asked)) ? withHeader(answer, 'x-rebuilt', '1') : undefined),
  })),
  mistake(
    'observe.status.agrees-with-ready',
    'status counts jobs, not events',
    edits(STATUS, ({ projection_lag, queue }) => {
      projection_lag.event_count = queue.jobs.length;
    }),
  ),
  mistake('observe.status.empty-arrays', 'an empty list is null', edits(STATUS, withNulls)),
  mistake('observe.status.manifests', 'a manifest keeps the head of the rebuild before', ({ read }) =>
    edits(STATUS, async (body) => {
      const { events } = await read('/v1/events');
      const before = events.at(-2)?.event_id;
      for (const manifest of Object.values(body.projections.manifests))
        if (before !== undefined) manifest.last_event_id = before;
    }),
  ),
  mistake('observe.status.head-equals-ledger-head', 'status is kept for thirty seconds', () => keeps(STATUS)),
  mistake(
    'observe.http.schema-all',
    'a number sent as text',
    editsQueue((job) => void Object.assign(job, { attempt: String(job.attempt) })),
    ['enqueue.submit.in-status'],
  ),
  mistake('observe.http.method-405', 'a POST on events is answered as a read', {
    ask: (asked) =>
      /^(?:POST|PUT|PATCH|DELETE) \/v1\/events$/.test(routeOf(asked))
        ? { ...asked, method: 'GET', body: Buffer.alloc(0) }
        : undefined,
  }),
  mistake('observe.http.unknown-path', 'everything unknown is health', ({ ask }) => ({
    answer: (answer, { method }) => (answer.status === 404 && method === 'GET' ? ask('GET', '/v1/health') : undefined),
  })),
  mistake(
    'observe.http.json-errors',
    'errors are plain text',
    {
      answer: (answer) => (answer.status >= 400 ? withHeader(answer, 'content-type', 'text/plain') : undefined),
    },
    ['observe.events.cursor-unknown'],
  ),
  mistake('observe.http.no-token-needed', 'reads ask for the token', ({ token }) => ({
    ask: ({ method, headers }) =>
      method === 'GET' && headers['x-agentops-daemon-token'] !== token && headers['authorization'] !== `Bearer ${token}`
        ? answerOf(403, { error: 'daemon mutation denied: mutation token mismatch' })
        : undefined,
  })),
  mistake(
    'observe.alias.unversioned',
    'the alias of status is an old copy',
    () => {
      const kept = keeps(/./);
      return {
        answer: (answer, asked, sender) =>
          asked.path === '/status' ? kept.answer?.(answer, asked, sender) : undefined,
      };
    },
    ['enqueue.submit.accepted'],
  ),
  mistake('observe.events.count-matches-lag', 'the count is one too many', edits(ANY_READ, countsOneMore)),
  mistake('observe.events.cursor-unknown', 'behind an unknown cursor stands nothing', ({ read }) => ({
    async answer(answer, asked) {
      if (answer.status !== 400 || !EVENTS.test(routeOf(asked)) || !/since|after_id/.test(asked.query))
        return undefined;
      return answerOf(200, { events: [], last_event_id: (await read('/v1/events')).last_event_id });
    },
  })),
  mistake('observe.events.limit-invalid', 'a negative limit is none', {
    ask: (asked) => (/limit=-/.test(asked.query) ? { ...asked, query: '' } : undefined),
  }),
];

function withNulls(body: Body): Body {
  return JSON.parse(
    JSON.stringify(body, (_, value: unknown) => (Array.isArray(value) && value.length === 0 ? null : value)),
  );
}

function countsOneMore(body: Body): void {
  if (body.projection_lag !== undefined) body.projection_lag.event_count++;
}

/** Answers as it did the first time. */
export function keeps(route: RegExp): Mistaken {
  let first: Body | undefined;
  return edits(route, (body) => {
    first ??= body;
    return first;
  });
}
