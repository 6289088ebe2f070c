/** Writes that are answered and not done, done and not answered, done twice. */
import { edits } from '../mistakes/mistake.js';
import { type Asked, answerOf, type Body, bodyOf, routeOf, withBody } from '../wire.js';
import { counter, type Spoiling, spoilings } from './spoiling.js';
import { SUBMIT, TRIGGER } from './ways.js';

const CANCEL = /^POST \/v1\/jobs\/cancel$/;
const projection_lag = { event_count: 1, corrupt_record_count: 0, degraded: false, last_event_id: 'evt_1' };
const well = { projection_status: 'current', projection_lag };

function cancelled({ job_id }: Body): unknown {
  const job = { job_id, job_type: 'dream.run', request_id: 'r', status: 'cancelled', attempt: 0, max_attempts: 3 };
  return { cancelled: true, outcome: 'cancelled', job, ...well };
}

function taken({ job_id, request_id, idempotency_key, job_type }: Body): unknown {
  const key = idempotency_key === undefined ? {} : { idempotency_key };
  const ids = { job_id, request_id, job_type, ...key };
  return { accepted: true, ...ids, status: 'queued', last_event_id: 'evt_1', snapshot_status: 'current', ...well };
}

/** Requests that name a job and would be let in. */
function swallowed(route: RegExp, answer: (body: Body) => unknown, every = 1): Spoiling['make'] {
  return () => {
    const request = counter();
    return {
      ask(asked) {
        const sent = route.test(routeOf(asked)) ? bodyOf(asked) : undefined;
        const isLetIn = asked.headers['x-agentops-daemon-token'] !== undefined;
        if (sent?.job_id === undefined || !isLetIn || request() % every !== 0) return undefined;
        return answerOf(202, answer(sent));
      },
    };
  };
}

/** A request that is sent once more, changed so that it counts again. */
function doubled(again: (body: Body) => unknown): Spoiling['make'] {
  return ({ pass }) => ({
    async answer(answer, asked) {
      const sent = isTaken(asked, answer) ? bodyOf(asked) : undefined;
      if (sent === undefined) return undefined;
      await pass(withBody(asked, again(sent)));
      return { ...answer };
    },
  });
}

function isTaken(asked: Asked, { status }: { readonly status: number }): boolean {
  return SUBMIT.test(routeOf(asked)) && status === 202;
}

const itself = (make: Spoiling['make']) => make;

export function writeSpoilings(): Spoiling[] {
  const submit = ['enqueue.submit.*', 'enqueue.idem.*'];
  return [
    ...spoilings(
      'POST /v1/jobs/cancel',
      ['execute.cancel.*'],
      { 'the request | sent twice, the second answer given': repeated },
      itself,
    ),
    ...spoilings(
      'POST /v1/jobs/cancel',
      ['execute.cancel.*'],
      { 'the request | answered and thrown away': swallowed(CANCEL, cancelled) },
      itself,
    ),
    ...spoilings(
      'POST trigger',
      ['project.trigger.*'],
      { 'the request | answered and thrown away': swallowed(TRIGGER, taken) },
      itself,
    ),
    ...spoilings(
      'POST /v1/jobs/cancel',
      ['execute.cancel.repeat'],
      { 'the outcome | always that of the first cancel': firstOutcome },
      itself,
    ),
    ...spoilings(
      'POST /v1/jobs',
      submit,
      {
        'the request | answered and thrown away': swallowed(SUBMIT, taken),
        'the request | each third answered and thrown away': swallowed(SUBMIT, taken, 3),
        'the request | sent twice, under another id': doubled((sent) => ({
          ...sent,
          job_id: undefined,
          idempotency_key: undefined,
        })),
        'the answer | 503 after it was written': () => ({
          answer: (answer, asked) =>
            isTaken(asked, answer) ? answerOf(503, { error: 'ledger write failed' }) : undefined,
        }),
        'the answer | never, each third time': unanswered,
      },
      itself,
    ),
  ];
}

const repeated: Spoiling['make'] = ({ pass }) => ({
  async answer(answer, asked) {
    return CANCEL.test(routeOf(asked)) && answer.status === 202 ? pass(asked) : undefined;
  },
});

const firstOutcome: Spoiling['make'] = () =>
  edits(CANCEL, (body) => {
    body.outcome = 'cancelled';
  });

/** The connection ends in its place. */
const unanswered: Spoiling['make'] = () => {
  const request = counter();
  return {
    async answer(answer, asked) {
      if (!isTaken(asked, answer) || request() % 3 !== 0) return undefined;
      throw new Error('no answer');
    },
  };
};
