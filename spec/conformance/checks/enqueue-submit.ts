/** What a submit promises: the answer, the event behind it, and the job in the queue. */
import { check, NotTested } from '../check.js';
import { isGood, said } from '../context.js';
import { jobStatuses, jobTypes, projectionStatuses } from '../contract-words.js';
import { isObject, type JsonObject, numberAt, objectsAt, same, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import { acceptedAs, omitting, queuedJob, taken, times, together } from './steps.js';

/** Whoever acknowledges before writing may be lucky once. */
const LOOKS = 5;
const CALLERS = 24;
/** What JSON can carry, under names that no type of job knows. */
const ROUND_TRIP: JsonObject = {
  conformance_nested: { a: { b: [{ c: [[], {}, [null]] }] } },
  conformance_text: 'Grüße, 日本語, 🚀 "quoted" \\ / \u2028 \t\n',
  'conformance name with spaces, ü and .': true,
  conformance_number: 2 ** 53 - 1,
  conformance_negative: -(2 ** 53 - 1),
  conformance_fraction: 0.1,
  conformance_zero: 0,
  conformance_false: false,
  conformance_empty: { list: [], object: {}, text: '' },
  conformance_null: null,
};

export const submitChecks = [
  check('enqueue.submit.accepted', async (context) => {
    const envelope = context.envelope({ idempotency_key: context.id('key') });
    const answer = await context.target.submit(envelope);
    context.demandAnswer(answer, 202, 'a submit of a whole envelope');
    const body = answer.json;
    const must = (holds: boolean, expected: string): boolean => context.must(holds, expected, said(answer), answer);
    must(isObject(body) && body['accepted'] === true, '`accepted` is true');
    for (const name of ['job_id', 'request_id', 'idempotency_key']) {
      must(textAt(body, name) === envelope[name], `\`${name}\` is the one that was sent, ${envelope[name]}`);
    }
    must(jobStatuses.includes(textAt(body, 'status') ?? ''), `\`status\` is one of ${jobStatuses.join(', ')}`);
    const projection = textAt(body, 'projection_status') ?? '';
    must(projectionStatuses.includes(projection), `\`projection_status\` is one of ${projectionStatuses.join(', ')}`);
    must(numberAt(body, 'projection_lag', 'event_count') !== undefined, '`projection_lag` is there');
    if (textAt(body, 'status') !== 'queued') {
      const later = (await context.target.eventsOf(String(envelope['job_id']))).slice(1);
      must(later.length > 0, '`status` is `queued`, unless something happened to the job already');
    }
    const more = await context.target.submit(context.envelope({ conformance_extra: { of: 'a later version' } }));
    context.should(isGood(more), 'a member that nobody knows does no harm', said(more), more);
  }),

  check('enqueue.submit.append-before-ack', async (context) => {
    for (const _ of times(LOOKS)) {
      const { jobId, answer } = await taken(context, context.envelope());
      const seen = await context.target.eventsOf(jobId, 'job.accepted');
      const expected = `one job.accepted of ${jobId} in /v1/events as soon as the submit is answered`;
      if (!context.must(seen.length === 1, expected, `${seen.length} of them`, answer)) return;
    }
  }),

  check('enqueue.submit.event-correlates', async (context) => {
    const { target } = context;
    const before = await target.ready();
    const envelope = context.envelope({ idempotency_key: context.id('key'), payload: { conformance: 'correlates' } });
    const { jobId, answer } = await taken(context, envelope);
    const body = answer.json;
    const must = (holds: boolean, expected: string, observed: unknown = said(answer)): boolean =>
      context.must(holds, expected, observed, answer);
    const last = textAt(body, 'last_event_id');
    const events = await target.eventsOf(jobId);
    const named = events.find((event) => event['event_id'] === last);
    if (must(named !== undefined, '`last_event_id` is an event of the job', `${last}, of ${shown(events)}`)) {
      // What a worker adds may have a request id of its own.
      const ids = named?.['event_type'] === 'job.accepted' ? ['request_id', 'job_id'] : ['job_id'];
      must(
        ids.every((name) => named?.[name] === textAt(body, name)),
        'the event has the ids of the answer',
        named,
      );
    }
    const count = numberAt(before, 'projection_lag', 'event_count') ?? 0;
    const grown = (numberAt(body, 'projection_lag', 'event_count') ?? 0) > count;
    must(grown, `\`projection_lag.event_count\` is more than the ${count} before`);
    if (before['ready'] === true) {
      must(textAt(body, 'projection_status') === 'current', '`projection_status` is `current` where all is well');
    }
    const [accepted] = await target.eventsOf(jobId, 'job.accepted');
    for (const [name, sent] of [
      ['job_type', envelope['job_type']],
      ['idempotency_key', envelope['idempotency_key']],
      ['job_payload', envelope['payload']],
    ] as const) {
      const kept = isObject(accepted?.['payload']) ? accepted['payload'][name] : undefined;
      context.should(
        same(kept, sent),
        `payload.${name} of job.accepted is what was sent, ${shown(sent)}`,
        kept,
        answer,
      );
    }
  }),

  check('enqueue.submit.in-status', async (context) => {
    for (const [what, more] of [
      ['with a key', { idempotency_key: context.id('key') }],
      ['without a key', {}],
    ] as const) {
      const envelope = context.envelope(more);
      const { jobId } = await taken(context, envelope);
      const answer = await context.target.readExchange('/v1/status');
      const jobs = objectsAt(answer.json, 'queue', 'jobs').filter((job) => job['job_id'] === jobId);
      const count = `one entry of a job ${what} in queue.jobs`;
      if (!context.must(jobs.length === 1, count, `${jobs.length} of them`, answer)) continue;
      const job = jobs[0] as JsonObject;
      for (const name of ['request_id', 'job_type', 'idempotency_key']) {
        const expected = `${name} ${envelope[name] ?? 'absent'}`;
        context.must((job[name] ?? '') === (envelope[name] ?? ''), expected, job, answer);
      }
      // Whether a number comes as one is judged with the shapes.
      context.must(Number(job['attempt']) >= 0, '`attempt` is 0 or more', job, answer);
      context.must(Number(job['max_attempts']) >= 1, '`max_attempts` is 1 or more', job, answer);
      context.must((textAt(job, 'last_event_id') ?? '') !== '', '`last_event_id` is there', job, answer);
    }
  }),

  check('enqueue.submit.payload-roundtrip', async (context) => {
    const { jobId } = await taken(context, context.envelope({ payload: ROUND_TRIP }));
    const answer = await context.target.readExchange('/v1/status');
    const job = await queuedJob(jobId, context.target);
    const [event] = await context.target.eventsOf(jobId, 'job.accepted');
    const stored = isObject(event?.['payload']) ? event['payload']['job_payload'] : undefined;
    for (const [name, value] of Object.entries(ROUND_TRIP)) {
      const of = (payload: unknown): unknown => (isObject(payload) ? payload[name] : undefined);
      const expected = `payload member ${shown(name)}: ${shown(value)}`;
      context.must(same(of(job['payload']), value), `${expected} in /v1/status`, of(job['payload']), answer);
      context.should(same(of(stored), value), `${expected} in job.accepted`, of(stored));
    }
  }),

  check('enqueue.submit.generated-ids', async (context) => {
    const envelope = omitting(context.envelope(), 'job_id', 'request_id', 'payload');
    const first = await taken(context, envelope);
    const second = await taken(context, envelope);
    for (const { answer } of [first, second]) {
      for (const name of ['job_id', 'request_id']) {
        const id = textAt(answer.json, name) ?? '';
        context.must(/^\S+$/.test(id), `a \`${name}\` that is not empty and has no white space`, said(answer), answer);
      }
    }
    context.must(first.jobId !== second.jobId, 'another job_id for each', `${first.jobId} twice`, second.answer);
  }),

  check('enqueue.submit.generated-ids-concurrent', async (context) => {
    const { target } = context;
    // An id that is made from the body is another check's mistake.
    const bodies = times(CALLERS).map((caller) =>
      omitting(context.envelope({ payload: { conformance: context.id('payload'), caller } }), 'job_id', 'request_id'),
    );
    const answers = await together(bodies, (body) => target.submit(body));
    const refused = answers.find((answer) => !isGood(answer));
    context.demand(refused === undefined, `${CALLERS} submits at once are taken`, refused && said(refused), refused);
    const ids = new Set(answers.map((answer) => textAt(answer.json, 'job_id') ?? ''));
    context.must(ids.size === CALLERS, `${CALLERS} different job_ids`, `${ids.size}: ${shown([...ids])}`, answers[0]);
    const events = await acceptedAs(ids, target);
    context.must(events.length === CALLERS, `${CALLERS} events job.accepted`, `${events.length} of them`, answers[0]);
  }),

  check('enqueue.submit.job-types', async (context) => {
    const { target } = context;
    const answers: Exchange[] = [];
    for (const jobType of jobTypes) {
      const answer = await target.submit(context.envelope({ job_type: jobType, payload: {} }));
      answers.push(answer);
      context.should(isGood(answer), `a submit of ${jobType} with an empty payload is taken`, said(answer), answer);
      const jobId = textAt(answer.json, 'job_id');
      if (isGood(answer) && jobId !== undefined) await target.cancel(jobId, { reason: 'it was only asked whether' });
    }
    if (!answers.some(isGood)) throw new NotTested('no type at all is taken');
  }),
];
