/** A submit that comes again is the same job, whoever sends it, when, and beside how many others. */
import { check, NotTested } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { terminal } from '../fold.js';
import { objectsAt, same, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import {
  keyed,
  mustBeOneJob,
  mustBeSameJob,
  needKnownById,
  needKnownByKey,
  omitting,
  taken,
  times,
  together,
} from './steps.js';

const CALLERS = 50;
const OTHERS = 20;

export const idempotencyChecks = [
  check('enqueue.idem.job-id', async (context) => {
    const envelope = context.envelope();
    const first = await taken(context, envelope);
    const retry = await context.target.submit(envelope);
    mustBeSameJob(context, 'the same envelope again', first, retry);
    const names = [first.jobId, String(envelope['request_id'])];
    await mustBeOneJob(context, 'the same envelope twice', names, { seen: retry });
  }),

  check('enqueue.idem.key', async (context) => {
    const key = context.id('key');
    const [one, other] = [keyed(context, key), keyed(context, key)];
    const first = await taken(context, one);
    const retry = await context.target.submit(other);
    mustBeSameJob(context, 'the same key again, under another request_id', first, retry);
    for (const answer of [first.answer, retry]) {
      const echoed = textAt(answer.json, 'idempotency_key');
      context.must(echoed === key, `\`idempotency_key\` ${key} in the answer`, echoed, answer);
    }
    const names = [first.jobId, key, String(one['request_id']), String(other['request_id'])];
    await mustBeOneJob(context, 'the same key twice', names, { seen: retry });
  }),

  check('enqueue.idem.key-other-job-id', async (context) => {
    await keyBesideNewId(context);
    await keyBesideOtherId(context);
  }),

  check('enqueue.idem.key-other-body', async (context) => {
    const { target } = context;
    const key = context.id('key');
    const first = await taken(context, keyed(context, key, { payload: { conformance: 'first' } }));
    await needKnownByKey(context, first, key);
    const before = await target.job(first.jobId);
    const otherType = before?.['job_type'] === 'wiki.build' ? 'wiki.forge' : 'wiki.build';
    await context.mustAppendNothing('a key with another body', async () => {
      for (const [what, more] of [
        ['another payload', { payload: { conformance: 'second', more: [1] } }],
        ['another job_type', { job_type: otherType, payload: { conformance: 'first' } }],
      ] as const) {
        const retry = await target.submit(keyed(context, key, more));
        mustBeSameJob(context, `the same key with ${what}`, first, retry);
        const after = await target.job(first.jobId);
        for (const name of ['payload', 'job_type']) {
          const expected = `the ${name} of the first submit, ${shown(before?.[name])}`;
          context.must(same(after?.[name], before?.[name]), expected, after?.[name], retry);
        }
      }
    });
  }),

  check('enqueue.idem.request-id-is-trace', async (context) => {
    const envelope = omitting(context.envelope(), 'job_id');
    const first = await taken(context, { ...envelope, payload: { conformance: 'first' } });
    const second = await taken(context, { ...envelope, payload: { conformance: 'second' } });
    const expected = 'two jobs of two submits that have only their request_id in common';
    context.must(first.jobId !== second.jobId, expected, `${first.jobId} twice`, second.answer);
  }),

  check('enqueue.idem.stable-request-id', async (context) => {
    const key = context.id('key');
    const envelope = keyed(context, key);
    const first = await taken(context, envelope);
    await needKnownByKey(context, first, key);
    const { answer } = await taken(context, keyed(context, key));
    const expected = `\`request_id\` ${envelope['request_id']}, that of the first submit`;
    const observed = textAt(answer.json, 'request_id');
    context.must(observed === envelope['request_id'], expected, observed, answer);
  }),

  check('enqueue.idem.empty-key', async (context) => {
    const first = await taken(context, keyed(context, ''));
    const second = await taken(context, keyed(context, ''));
    const expected = 'two jobs of two submits whose key is empty';
    context.must(first.jobId !== second.jobId, expected, `${first.jobId} twice`, second.answer);
  }),

  check('enqueue.idem.concurrent-key', async (context) => {
    const before = context.id('key');
    await needKnownByKey(context, await taken(context, keyed(context, before)), before);
    const key = context.id('key');
    const envelopes = times(CALLERS).map(() => keyed(context, key));
    const answers = await together(envelopes, (envelope) => context.target.submit(envelope));
    mustAllBeTaken(context, answers);
    const ids = new Set(answers.filter(isGood).map((answer) => textAt(answer.json, 'job_id')));
    context.must(ids.size === 1, `one job_id for ${CALLERS} submits with one key`, shown([...ids]), answers[0]);
    const names = [key, ...envelopes.map((envelope) => String(envelope['request_id']))];
    await mustBeOneJob(context, `${CALLERS} submits with one key at once`, names, { seen: answers[0] });
  }),

  check('enqueue.idem.concurrent-job-id', async (context) => {
    await needKnownById(context, await taken(context, context.envelope()));
    const jobId = context.id('job');
    const callers = times(CALLERS).map(() => context.envelope({ job_id: jobId }));
    const others = times(OTHERS).map(() => context.envelope());
    const mixed = callers.flatMap((each, index) => [each, ...others.slice(index, index + 1)]);
    const answers = await together(mixed, (envelope) => context.target.submit(envelope));
    mustAllBeTaken(context, answers);
    const names = [jobId, ...callers.map((envelope) => String(envelope['request_id']))];
    await mustBeOneJob(context, `${CALLERS} submits with one job_id at once`, names, { seen: answers[0] });
  }),

  check('enqueue.idem.after-terminal', async (context) => {
    const { target } = context;
    const key = context.id('key');
    const envelope = context.envelope({ idempotency_key: key });
    const first = await taken(context, envelope);
    await needKnownByKey(context, first, key);
    await needKnownById(context, first);
    const cancel = await target.cancel(first.jobId, { reason: 'to see whether it is known afterwards' });
    const status = textAt(await target.job(first.jobId), 'status') ?? '';
    if (!terminal.includes(status)) throw new NotTested(`the job does not end by a cancel: ${said(cancel)}`);
    await context.mustAppendNothing('a submit of a job that has ended', async () => {
      for (const [what, retried] of [
        ['its key', keyed(context, key)],
        ['its job_id', context.envelope({ job_id: first.jobId })],
        ['both', context.envelope({ job_id: first.jobId, idempotency_key: key })],
      ] as const) {
        const retry = await target.submit(retried);
        const of = `a submit with ${what}, after the job's end`;
        if (!mustBeSameJob(context, of, first, retry)) continue;
        const observed = textAt(retry.json, 'status');
        context.must(observed === status, `${of}: \`status\` ${status}`, observed, retry);
      }
    });
  }),

  check('enqueue.idem.after-restart', async (context) => {
    const server = await context.server();
    const key = context.id('key');
    const envelope = context.envelope({ idempotency_key: key });
    const first = await taken(context, envelope, server);
    await needKnownByKey(context, first, key, server);
    await needKnownById(context, first, server);
    await server.crash();
    const retries = [keyed(context, key), context.envelope({ job_id: first.jobId })];
    for (const [index, what] of ['its key', 'its job_id'].entries()) {
      const retry = await server.submit(retries[index]);
      mustBeSameJob(context, `a submit with ${what}, after SIGKILL and a new start`, first, retry);
    }
    const names = [first.jobId, key, ...[envelope, ...retries].map((each) => String(each['request_id']))];
    await mustBeOneJob(context, 'the submits before and after SIGKILL', names, { target: server });
  }),
];

function mustAllBeTaken(context: Context, answers: readonly Exchange[]): void {
  const refused = answers.find((answer) => !isGood(answer));
  context.must(
    refused === undefined,
    `all of ${answers.length} submits at once are taken`,
    refused && said(refused),
    refused,
  );
}

/** The key is known: the id that comes with it this time is nobody's. */
async function keyBesideNewId(context: Context): Promise<void> {
  const { target } = context;
  const key = context.id('key');
  const newId = context.id('new');
  const first = await taken(context, context.envelope({ idempotency_key: key }));
  const retry = await target.submit(context.envelope({ idempotency_key: key, job_id: newId }));
  mustBeSameJob(context, 'a known key beside a new job_id', first, retry);
  const events = await target.eventsOf(newId);
  context.must(events.length === 0, `no event of the job_id ${newId}`, events[0], retry);
  const status = await target.readExchange('/v1/status');
  const jobs = objectsAt(status.json, 'queue', 'jobs').filter((job) => job['job_id'] === newId);
  context.must(jobs.length === 0, `no job ${newId} in the queue`, jobs[0], status);
}

/** The key is of one job, the id of another. */
async function keyBesideOtherId(context: Context): Promise<void> {
  const { target } = context;
  const key = context.id('key');
  const ofId = await taken(context, context.envelope());
  await needKnownById(context, ofId);
  const ofKey = await taken(context, context.envelope({ idempotency_key: key }));
  const both = { job_id: ofId.jobId, idempotency_key: key };
  const answers: Exchange[] = [];
  await context.mustAppendNothing('the key of one job beside the id of another', async () => {
    for (const _ of times(2)) answers.push(await target.submit(context.envelope(both)));
  });
  const ids = answers.map((answer) => textAt(answer.json, 'job_id'));
  const [first] = answers;
  context.must(
    ids.every((id) => id === ids[0]),
    'the same job for the same question',
    shown(ids),
    first,
  );
  context.should(ids[0] === ofKey.jobId, `the job of the key, ${ofKey.jobId}`, ids[0], first);
}
