/** The consumer's trigger, and its views over a damaged ledger. */
import { check } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { jobTypes, triggerTypes } from '../contract-words.js';
import { at, type JsonObject, listAt, objectsAt, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import { damaged } from './damaged.js';
import { keyed, needKnownByKey, queuedJob, taken } from './steps.js';

export const triggerChecks = [
  check('project.consumer.degraded', async (context) => {
    const { server } = await damaged(context, 'middle');
    const health = await server.get(`${server.consumerBase}/health`);
    context.demandAnswer(health, 200, `GET ${health.path} over a damaged ledger`);
    const must = (holds: boolean, expected: string): boolean => context.must(holds, expected, said(health), health);
    must(at(health.json, 'ready') === false, '`ready` is false');
    must(textAt(health.json, 'snapshot_status') === 'degraded', '`snapshot_status` is `degraded`');
    must(listAt(health.json, 'degraded_reasons').length > 0, 'a reason in `degraded_reasons`');
    const snapshot = await server.get(`${server.consumerBase}/snapshot/latest`);
    context.demandAnswer(snapshot, 200, `GET ${snapshot.path} over a damaged ledger`);
    const status = textAt(snapshot.json, 'status');
    context.must(status === 'degraded', '`status` of the snapshot is `degraded`', status, snapshot);
  }),

  check('project.trigger.allowlisted', async (context) => {
    const { ready } = await context.target.ready();
    for (const job_type of triggerTypes) {
      const envelope = context.envelope({ job_type, payload: {}, idempotency_key: context.id('key') });
      const answer = await context.target.trigger(envelope);
      if (!context.mustAnswer(answer, 202, `a trigger of ${job_type}`)) continue;
      const accepted = await context.target.eventsOf(String(envelope['job_id']), 'job.accepted');
      context.must(
        accepted.length === 1,
        `${job_type}: one job.accepted is there at once`,
        `${accepted.length}`,
        answer,
      );
      const echoed = ['request_id', 'job_id', 'job_type'] as const;
      for (const name of echoed) {
        context.must(
          at(answer.json, name) === envelope[name],
          `${name} ${shown(envelope[name])}`,
          said(answer),
          answer,
        );
      }
      context.must(at(answer.json, 'accepted') === true, '`accepted` is true', said(answer), answer);
      const [key, last] = ['idempotency_key', 'last_event_id'].map((name) => textAt(answer.json, name));
      const sent = textAt(envelope, 'idempotency_key');
      context.must(key === undefined || key === sent, `idempotency_key ${sent}`, said(answer), answer);
      context.should(
        key === sent && last !== undefined,
        '`idempotency_key` and `last_event_id` are there',
        said(answer),
        answer,
      );
      const snapshot = textAt(answer.json, 'snapshot_status');
      const isCurrent = ready !== true || snapshot === 'current';
      context.should(isCurrent, '`snapshot_status` is `current` where all is well', snapshot, answer);
      for (const name of ['status', 'snapshot_status']) {
        context.must((textAt(answer.json, name) ?? '') !== '', `\`${name}\` is there`, said(answer), answer);
      }
      await context.target.cancel(String(envelope['job_id']));
    }
  }),

  check('project.trigger.not-allowlisted', async (context) => {
    const others = jobTypes.filter((type) => !triggerTypes.includes(type));
    const bodies: readonly (readonly [string, JsonObject])[] = [
      ...others.map((job_type) => [job_type, { job_type, payload: {} }] as const),
      ['an unknown type', { job_type: 'not-a-job', payload: {} }],
      ['no type', { payload: {} }],
    ];
    await context.mustAppendNothing('triggers of types that are not on the list', async () => {
      for (const [what, body] of bodies) {
        context.mustAnswer(
          await context.target.trigger({ request_id: context.id('request'), ...body }),
          400,
          `a trigger of ${what}`,
        );
      }
    });
  }),

  check('project.trigger.auth', async (context) => {
    const { target } = context;
    const headers: readonly (readonly [string, Parameters<typeof target.trigger>[1]])[] = [
      ['without a token', { auth: 'none' }],
      ['with a wrong token', { auth: 'none', headers: { [target.tokenHeader]: 'not-the-token-of-this-target' } }],
      ['from a foreign origin', { headers: { Origin: 'https://evil.example' } }],
    ];
    await context.mustAppendNothing('triggers of somebody who may not', async () => {
      for (const [how, more] of headers) {
        const body = { job_type: triggerTypes[0], request_id: context.id('request'), payload: {} };
        context.mustAnswer(await target.trigger(body, more), 403, `a trigger ${how}`);
      }
    });
  }),

  check('project.trigger.not-ready', async (context) => {
    const { server } = await damaged(context, 'middle');
    await context.mustAppendNothing(
      'a trigger over a damaged ledger',
      async () => {
        const answer = await server.trigger({
          job_type: triggerTypes[0],
          request_id: context.id('request'),
          payload: {},
        });
        if (!context.mustAnswer(answer, 503, 'a trigger over a damaged ledger')) return;
        context.must((textAt(answer.json, 'error') ?? '') !== '', '`error` says why', said(answer), answer);
        const degraded = at(answer.json, 'projection_lag', 'degraded');
        context.must(degraded === true, '`projection_lag.degraded` is true', said(answer), answer);
      },
      server,
    );
  }),

  check('project.trigger.bad-input', async (context) => {
    const { target } = context;
    const over = context.profile.maxBodyBytes + 1024;
    await context.mustAppendNothing('triggers that are none', async () => {
      context.mustAnswer(await target.trigger('{"job_type": "openclaw.snapshot"'), 400, 'a trigger with broken JSON');
      const padded = { job_type: triggerTypes[0], payload: { pad: 'x'.repeat(over) } };
      context.mustAnswer(
        await target.trigger(padded),
        413,
        `a trigger of more than ${context.profile.maxBodyBytes} bytes`,
      );
      const get = await target.ask({ path: `${target.consumerBase}/triggers/jobs`, auth: 'header' });
      if (!context.mustAnswer(get, 405, 'GET of the trigger, with the token')) return;
      const allow = get.headers['allow'] ?? '';
      context.must(
        /\bPOST\b/i.test(allow),
        'GET of the trigger: Allow names POST',
        allow === '' ? 'no Allow' : allow,
        get,
      );
    });
  }),

  check('project.trigger.same-queue', async (context) => {
    // A queue that knows no key again, or does not show what it took, is another check's.
    const key = context.id('key');
    const plain = await taken(context, keyed(context, key));
    await needKnownByKey(context, plain, key);
    await queuedJob(plain.jobId, context.target);
    const viaTrigger = (body: JsonObject): Promise<Exchange> => context.target.trigger(body);
    const viaSubmit = (body: JsonObject): Promise<Exchange> => context.target.submit(body);
    await mustBeOneJob(context, 'a trigger, then a submit', viaTrigger, viaSubmit);
    await mustBeOneJob(context, 'a submit, then a trigger', viaSubmit, viaTrigger);
  }),
];

type Send = (body: JsonObject) => Promise<Exchange>;

async function mustBeOneJob(context: Context, how: string, first: Send, second: Send): Promise<void> {
  const body = { job_type: triggerTypes[0], payload: {}, idempotency_key: context.id('key') };
  const one = await first({ ...body, request_id: context.id('request') });
  const other = await second({ ...body, request_id: context.id('request') });
  for (const answer of [one, other]) context.demand(isGood(answer), `${how} with one key`, said(answer), answer);
  const jobId = textAt(one.json, 'job_id') ?? '';
  const again = textAt(other.json, 'job_id');
  context.must(again === jobId, `${how} with one key: the same job, ${jobId}`, again, other);
  const accepted = (await context.target.events()).filter(
    (event) =>
      event['event_type'] === 'job.accepted' && at(event, 'payload', 'idempotency_key') === body.idempotency_key,
  );
  const ofJob = (await context.target.eventsOf(jobId, 'job.accepted')).length;
  const count = Math.max(accepted.length, ofJob);
  context.must(count === 1, `${how} with one key: one job.accepted`, `${count}`, other);
  context.must((await context.target.job(jobId)) !== undefined, `job ${jobId} in /v1/status`, 'absent', other);
  const consumer = await context.target.readExchange(`${context.target.consumerBase}/jobs`);
  const isThere = objectsAt(consumer.json, 'jobs').some((each) => each['job_id'] === jobId);
  context.must(isThere, `job ${jobId} in the consumer's jobs`, 'absent', consumer);
}
