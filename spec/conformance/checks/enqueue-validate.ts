/** What is no submit is refused, with a 400 that names the caller's mistake, and leaves nothing behind. */
import { check } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { type JsonObject, objectsAt, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import {
  acceptedAs,
  mustBeOneJob,
  mustRefuse,
  mustTellError,
  omitting,
  patiently,
  queuedJob,
  type Refused,
  taken,
} from './steps.js';

/** A body with members that make it wrong. */
function wrong(context: Context, what: string, more: JsonObject): Refused {
  return { what, body: () => context.envelope(more) };
}

function literal(what: string, text: string): Refused {
  return { what, body: () => text };
}

/** A valid body whose text is this long, by a member that no type of job knows. */
function bodyOfBytes(envelope: JsonObject, bytes: number): string {
  const body = (text: string): string => JSON.stringify({ ...envelope, payload: { conformance_text: text } });
  return body('x'.repeat(bytes - Buffer.byteLength(body(''))));
}

export const validateChecks = [
  check('enqueue.validate.invalid-json', async (context) => {
    await mustRefuse(context, [
      literal('an object that does not end', '{'),
      literal('no body', ''),
      literal('a word', 'nope'),
      literal('a comma', ','),
      literal('a comma before the end', '{"job_type":"openclaw.snapshot",}'),
    ]);
    const answer = await context.target.submit('nope');
    mustTellError(context, answer, 'a body that is no JSON');
    const text = JSON.stringify(context.envelope({ payload: { text: 'no-utf8' } }));
    const bytes = Buffer.from(text);
    bytes[bytes.indexOf('no-utf8')] = 0xff;
    const lax = await context.target.submit(bytes);
    context.should(lax.status === 400, 'invalid UTF-8 inside a text: 400', said(lax), lax);
  }),

  check('enqueue.validate.wrong-shape', (context) =>
    mustRefuse(context, [
      literal('a list', '[]'),
      literal('a text', '"x"'),
      literal('null', 'null'),
      literal('a number', '5'),
      wrong(context, 'job_id 5', { job_id: 5 }),
      wrong(context, 'job_id as an object', { job_id: {} }),
      wrong(context, 'request_id 5', { request_id: 5 }),
      wrong(context, 'job_type as a list', { job_type: ['openclaw.snapshot'] }),
      wrong(context, 'idempotency_key true', { idempotency_key: true }),
      wrong(context, 'payload []', { payload: [] }),
      wrong(context, 'payload as a text', { payload: 'x' }),
    ]),
  ),

  check('enqueue.validate.trailing-data', (context) =>
    mustRefuse(
      context,
      [' x', '{}', ']', ' {"job_type":"openclaw.snapshot"}'].map((tail) => ({
        what: `a valid object and ${shown(tail)} behind it`,
        body: () => JSON.stringify(context.envelope()) + tail,
      })),
    ),
  ),

  check('enqueue.validate.job-type-missing', (context) =>
    mustRefuse(context, [
      { what: 'no job_type', body: () => omitting(context.envelope(), 'job_type') },
      wrong(context, 'an empty job_type', { job_type: '' }),
      wrong(context, 'job_type null', { job_type: null }),
    ]),
  ),

  check('enqueue.validate.job-type-unknown', (context) =>
    mustRefuse(
      context,
      ['not-a-job', 'RPI.RUN', 'rpi', 'openclaw.snapshot.x'].map((type) =>
        wrong(context, `job_type ${type}`, { job_type: type }),
      ),
    ),
  ),

  check('enqueue.validate.request-id-whitespace', (context) =>
    mustRefuse(
      context,
      [' ', '\t', '\n'].map((space) => ({
        what: `a request_id with ${shown(JSON.stringify(space))} in it`,
        body: () => context.envelope({ request_id: `${context.id('a')}${space}b` }),
      })),
    ),
  ),

  check('enqueue.validate.oversized', oversized),

  check('enqueue.validate.key-length', async (context) => {
    const { maxKeyBytes } = context.profile;
    const key = (bytes: number): string => context.id('key').padEnd(bytes, 'k').slice(0, bytes);
    const longest = await context.target.submit(context.envelope({ idempotency_key: key(maxKeyBytes) }));
    context.should(isGood(longest), `a key of ${maxKeyBytes} bytes is taken`, said(longest), longest);
    const over = (what: string, text: () => string): Refused => ({
      what,
      body: () => context.envelope({ idempotency_key: text() }),
    });
    await mustRefuse(context, [
      over(`a key of ${maxKeyBytes + 1} bytes`, () => key(maxKeyBytes + 1)),
      over(`a key of ${maxKeyBytes + 1} bytes, but fewer characters`, () => `${key(maxKeyBytes - 1)}é`),
    ]);
  }),

  check('enqueue.validate.no-side-effect', noSideEffect),

  check('enqueue.http.method-405', async (context) => {
    for (const path of ['/v1/jobs', '/v1/jobs/cancel']) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await context.target.ask({ method, path, auth: 'header' });
        const what = `${method} ${path} with a valid token`;
        if (!context.mustAnswer(answer, 405, what)) continue;
        const allow = (answer.headers['allow'] ?? '').split(',').map((each) => each.trim().toUpperCase());
        context.must(allow.includes('POST'), `${what}: Allow names POST`, answer.headers['allow'], answer);
        mustTellError(context, answer, what);
      }
    }
  }),
];

async function oversized(context: Context): Promise<void> {
  const limit = context.profile.maxBodyBytes;
  // The large one is put aside where that is possible: whoever reads the shared server would get it every time.
  const target = context.ownsProcess ? await context.server() : context.target;
  await context.mustAppendNothing(
    'bodies that are too large',
    async () => {
      for (const chunked of [false, true]) {
        const body = bodyOfBytes(context.envelope(), limit + 1024);
        const answer = await patiently(() => target.submit(body, { chunked }));
        const what = `${limit + 1024} bytes ${chunked ? 'without' : 'with'} Content-Length`;
        context.mustAnswer(answer, 413, what);
        mustTellError(context, answer, what);
      }
    },
    target,
  );
  await taken(context, context.envelope(), target);
  const envelope = context.envelope();
  const bytes = Math.floor(limit * 0.9);
  const body = bodyOfBytes(envelope, bytes);
  const answer = await target.submit(body);
  const expected = `${bytes} bytes are taken`;
  context.demand(isGood(answer), expected, `${answer.status} ${shown(answer.text)}`, answer);
  const job = await queuedJob(textAt(answer.json, 'job_id') ?? '', target);
  const kept = textAt(job, 'payload', 'conformance_text')?.length;
  const sent = textAt(JSON.parse(body), 'payload', 'conformance_text')?.length;
  context.must(kept === sent, `a text of ${sent} characters is read back whole`, `${kept} characters`, answer);
}

/**
 * What was refused left no trace, so the same names are free for a good submit. Whether something is refused is judged
 * elsewhere: what is taken here spends its names.
 */
async function noSideEffect(context: Context): Promise<void> {
  const { target } = context;
  for (const mistake of [{ job_type: 'not-a-job' }, { payload: [] }, { request_id: 'a b' }]) {
    const jobId = context.id('job');
    const key = context.id('key');
    const answers: Exchange[] = [];
    for (const named of [{ job_id: jobId, idempotency_key: key }, { job_id: jobId }, { idempotency_key: key }]) {
      answers.push(await target.submit({ ...omitting(context.envelope(), 'job_id'), ...named, ...mistake }));
    }
    if (answers.some(isGood)) continue;
    const of = `a refused submit (${shown(mistake)})`;
    const last = answers.at(-1);
    const queued = objectsAt(await target.status(), 'queue', 'jobs').filter(
      (job) => job['job_id'] === jobId || job['idempotency_key'] === key,
    );
    context.must(queued.length === 0, `${of}: nothing in the queue`, queued[0], last);
    const events = await acceptedAs([jobId, key], target);
    context.must(events.length === 0, `${of}: no event`, events[0], last);
    const envelope = context.envelope({ job_id: jobId, idempotency_key: key });
    const answer = await target.submit(envelope);
    const isNew = ['job_id', 'request_id'].every((name) => textAt(answer.json, name) === envelope[name]);
    const expected = `${of}: a good one of the same names is taken as new`;
    if (!context.must(isGood(answer) && isNew, expected, said(answer), answer)) continue;
    await mustBeOneJob(context, 'the good one', [jobId, key], { seen: answer });
  }
}
