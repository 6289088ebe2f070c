/** Mistakes in taking a job: what is answered, what is stored, what is refused. */
import { createHash } from 'node:crypto';
import { type Asked, answerOf, bodyOf, routeOf, withBody } from '../wire.js';
import { jobTypes } from './job-types.js';
import { asksOtherwise, edits, editsQueue, type Mistaken, mistake, STATUS, SUBMIT } from './mistake.js';

const MAX_BYTES = 1_048_576;

function isChunked({ headers }: Asked): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/** The first JSON value of a text that has more behind it. */
function firstValue(text: string): string | undefined {
  for (let end = text.lastIndexOf('}', text.length - 2); end > 0; end = text.lastIndexOf('}', end - 1)) {
    try {
      JSON.parse(text.slice(0, end + 1));
      return text.slice(0, end + 1);
    } catch {
      // more of it is garbage
    }
  }
  return undefined;
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Changes the bytes of a submit. */
function rewrites(change: (asked: Asked) => Asked | undefined): Mistaken {
  return { ask: (asked) => (SUBMIT.test(routeOf(asked)) ? change(asked) : undefined) };
}

const asTexts = (payload: unknown): unknown =>
  Object.fromEntries(Object.entries(payload ?? {}).map(([name, value]) => [name, String(value)]));

export const submitMistakes = [
  mistake('enqueue.submit.accepted', '200 and not accepted', {
    answer(answer, asked) {
      const body = answer.status === 202 && SUBMIT.test(routeOf(asked)) ? bodyOf(answer) : undefined;
      return body && withBody({ ...answer, status: 200 }, { ...body, accepted: false });
    },
  }),
  mistake('enqueue.submit.event-correlates', 'the event id of the answer is counted, not read', () => {
    let count = 0;
    return edits(SUBMIT, (body) => {
      body.last_event_id = `evt_${++count}`;
    });
  }),
  mistake(
    'enqueue.submit.in-status',
    'the queue shows only what has a key',
    edits(STATUS, ({ queue }) => {
      queue.jobs = queue.jobs.filter((job) => job.idempotency_key !== undefined);
    }),
  ),
  mistake(
    'enqueue.submit.payload-roundtrip',
    'the payload becomes text',
    editsQueue((job) => {
      if (job.payload !== undefined) job.payload = asTexts(job.payload);
    }),
  ),
  mistake(
    'enqueue.submit.generated-ids',
    'the job id is made from the body',
    rewrites((asked) => {
      const body = bodyOf(asked);
      if (body === undefined || body.job_id !== undefined || body.idempotency_key !== undefined) return undefined;
      const { request_id: _, ...others } = body;
      const job_id = `job-${createHash('sha256').update(JSON.stringify(others)).digest('hex')}`;
      return withBody(asked, { ...body, job_id });
    }),
  ),
  mistake('enqueue.submit.generated-ids-concurrent', 'the job id is the count of events before the lock', ({ read }) =>
    asksOtherwise(SUBMIT, async (body) => {
      if (body.job_id !== undefined || body.idempotency_key !== undefined) return undefined;
      body.job_id = `job-${(await read('/v1/ready')).projection_lag.event_count}`;
      return body;
    }),
  ),
  mistake(
    'enqueue.submit.job-types',
    'one type was forgotten',
    asksOtherwise(SUBMIT, ({ job_type }) =>
      job_type === 'dream.stage' ? answerOf(400, { error: 'unknown job_type' }) : undefined,
    ),
  ),
];

export const validateMistakes = [
  mistake('enqueue.validate.invalid-json', 'what is no JSON is a fault of the server', {
    answer: (answer, asked) =>
      answer.status === 400 && SUBMIT.test(routeOf(asked)) && bodyOf(answer)?.['error'] === 'invalid json'
        ? answerOf(500, { error: 'unexpected token' })
        : undefined,
  }),
  mistake(
    'enqueue.validate.wrong-shape',
    'a number is taken for a text',
    asksOtherwise(SUBMIT, (body) =>
      typeof body.job_id === 'number' ? { ...body, job_id: String(body.job_id) } : undefined,
    ),
  ),
  mistake(
    'enqueue.validate.trailing-data',
    'what stands behind the first value is passed over',
    rewrites((asked) => {
      const text = bodyOf(asked) === undefined ? firstValue(asked.body.toString('utf8')) : undefined;
      return text === undefined ? undefined : { ...asked, body: Buffer.from(text) };
    }),
  ),
  mistake(
    'enqueue.validate.job-type-missing',
    'no type is rpi.run',
    asksOtherwise(SUBMIT, (body) =>
      body.job_type === undefined || body.job_type === '' ? { ...body, job_type: 'rpi.run' } : undefined,
    ),
  ),
  mistake(
    'enqueue.validate.job-type-unknown',
    'an unknown type is taken',
    asksOtherwise(SUBMIT, (body) =>
      typeof body.job_type === 'string' && body.job_type !== '' && !jobTypes.has(body.job_type)
        ? { ...body, job_type: 'openclaw.snapshot' }
        : undefined,
    ),
  ),
  mistake(
    'enqueue.validate.request-id-whitespace',
    'white space becomes an underscore',
    asksOtherwise(SUBMIT, (body) =>
      typeof body.request_id === 'string' && /\s/.test(body.request_id)
        ? { ...body, request_id: body.request_id.replace(/\s/g, '_') }
        : undefined,
    ),
  ),
  mistake(
    'enqueue.validate.oversized',
    'only a body that tells its length is measured',
    rewrites((asked) => {
      const body = isChunked(asked) && asked.body.length > MAX_BYTES ? bodyOf(asked) : undefined;
      return body && withBody(asked, { ...body, payload: {} });
    }),
  ),
  mistake(
    'enqueue.validate.key-length',
    'the longest key is one too long',
    asksOtherwise(SUBMIT, ({ idempotency_key }) =>
      typeof idempotency_key === 'string' && Buffer.byteLength(idempotency_key) === 256
        ? answerOf(400, { error: 'idempotency_key is too long' })
        : undefined,
    ),
  ),
  mistake('enqueue.validate.no-side-effect', 'what was refused is remembered', () => {
    const refused = new Set<unknown>();
    return {
      ask(asked) {
        const body = SUBMIT.test(routeOf(asked)) ? bodyOf(asked) : undefined;
        const isKnown = [body?.job_id, body?.idempotency_key].some((id) => id !== undefined && refused.has(id));
        return isKnown ? answerOf(400, { error: 'asked before' }) : undefined;
      },
      answer(answer, asked) {
        const body = answer.status === 400 && SUBMIT.test(routeOf(asked)) ? bodyOf(asked) : undefined;
        if (body !== undefined) refused.add(body.job_id).add(body.idempotency_key);
        return undefined;
      },
    };
  }),
  mistake(
    'enqueue.validate.never-5xx',
    'deep nesting ends in a fault',
    asksOtherwise(SUBMIT, ({ payload }) =>
      depthOf(payload) > 20 ? answerOf(500, { error: 'maximum call stack size exceeded' }) : undefined,
    ),
  ),
  mistake('enqueue.http.method-405', 'a GET lists the jobs', ({ read }) => ({
    ask: async (asked) =>
      /^GET \/v1\/jobs$/.test(routeOf(asked))
        ? answerOf(200, { jobs: (await read('/v1/status')).queue.jobs })
        : undefined,
  })),
];
