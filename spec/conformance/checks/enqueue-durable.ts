/** What was acknowledged is there after SIGKILL, and what was there before it is as it was. */
import { check } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { listAt, objectsAt, same, shown, textAt } from '../json.js';
import type { OwnServer } from '../target/own-server.js';
import { damaged } from './damaged.js';
import { acceptedAs, keyed, mustBegin, omitting, taken, times } from './steps.js';

const KILLS = 20;
const TORN_TRIES = 3;

export const durableChecks = [
  check(
    'enqueue.durable.kill9',
    async (context) => {
      const server = await context.server();
      for (const _ of times(KILLS)) await mustOutliveKill(context, server);
    },
    { deadlineMs: 480_000 },
  ),

  check('enqueue.durable.history', async (context) => {
    const server = await context.server();
    for (const index of times(6)) {
      const { jobId } = await taken(context, context.envelope({ payload: { conformance: index } }), server);
      if (index % 2 === 0) await server.cancel(jobId, { reason: `the ${index}th`, request_id: context.id('cancel') });
    }
    await taken(context, keyed(context, context.id('key')), server);
    const before = await server.events();
    await server.crash();
    const answer = await server.readExchange('/v1/events');
    mustBegin(context, before, objectsAt(answer.json, 'events'));
    const again = await server.submit(context.envelope());
    context.must(isGood(again), 'a submit after the new start is taken', said(again), again);
    mustBegin(context, before, await server.events());
  }),

  check('enqueue.durable.fresh-ids', async (context) => {
    const server = await context.server();
    const anonymous = omitting(context.envelope(), 'job_id', 'request_id');
    for (const _ of times(3)) await taken(context, anonymous, server);
    const before = await server.events();
    const eventIds = new Set(before.map((event) => event['event_id']));
    const jobIds = new Set(before.map((event) => event['job_id']));
    await server.crash();
    for (const _ of times(3)) {
      const { jobId, answer } = await taken(context, anonymous, server);
      context.must(!jobIds.has(jobId), 'a job_id that no job before the new start has', jobId, answer);
      jobIds.add(jobId);
      const last = textAt(answer.json, 'last_event_id');
      if (last === undefined) continue;
      context.must(!eventIds.has(last), 'an event_id that no event before the new start has', last, answer);
    }
    const events = await server.events();
    const ids = events.map((event) => event['event_id']);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    context.must(twice === undefined, 'each event_id once in /v1/events', twice);
  }),

  check('enqueue.durable.torn-tail-append', async (context) => {
    const { server } = await damaged(context, 'torn-tail');
    const envelope = context.envelope({ payload: { conformance: 'behind a torn record' } });
    let answer = await server.submit(envelope);
    context.should(isGood(answer), 'a submit behind a torn record is taken at once', said(answer), answer);
    for (let tries = 1; tries < TORN_TRIES && !isGood(answer); tries += 1) answer = await server.submit(envelope);
    context.demand(isGood(answer), `a submit is taken within ${TORN_TRIES} tries`, said(answer), answer);
    await mustBeThere(context, server, textAt(answer.json, 'job_id') ?? '', 'behind a torn record');
    await server.crash();
    await mustBeThere(context, server, textAt(answer.json, 'job_id') ?? '', 'behind a torn record, after a new start');
  }),

  check('enqueue.durable.degraded-ack', async (context) => {
    const { server } = await damaged(context, 'middle');
    const envelope = context.envelope();
    const answer = await server.submit(envelope);
    const events = await acceptedAs([String(envelope['job_id']), String(envelope['request_id'])], server);
    if (answer.status === 503) {
      context.must(events.length === 0, '503 over a damaged ledger, and no event', events[0], answer);
      return;
    }
    const expected = 'a submit over a damaged ledger is taken, or refused with 503';
    context.demand(isGood(answer), expected, said(answer), answer);
    const projection = textAt(answer.json, 'projection_status');
    const degraded = '`projection_status` of the acknowledgement is not `current` over a damaged ledger';
    context.must(projection !== undefined && projection !== 'current', degraded, said(answer), answer);
    const reasons = listAt(answer.json, 'degraded_reasons');
    context.must(reasons.length > 0, 'at least one of `degraded_reasons` in the acknowledgement', said(answer), answer);
    await server.crash();
    await mustBeThere(context, server, String(envelope['job_id']), 'acknowledged over a damaged ledger');
  }),
];

async function mustOutliveKill(context: Context, server: OwnServer): Promise<void> {
  const envelope = context.envelope({ payload: { conformance: context.id('payload'), list: [1, { two: null }] } });
  const { jobId, answer } = await taken(context, envelope, server);
  await server.crash();
  const [event] = await server.eventsOf(jobId, 'job.accepted');
  context.demand(event !== undefined, `job ${jobId}, acknowledged before SIGKILL, is in /v1/events`, 'gone', answer);
  for (const name of ['request_id', 'job_id']) {
    const expected = `${name} ${shown(envelope[name])}, as it was acknowledged`;
    context.must(event?.[name] === textAt(answer.json, name), expected, event, answer);
  }
  const job = await server.job(jobId);
  context.demand(job !== undefined, `job ${jobId}, acknowledged before SIGKILL, is in the queue`, 'gone', answer);
  const payload = `its payload ${shown(envelope['payload'])}`;
  context.must(same(job?.['payload'], envelope['payload']), payload, job?.['payload'], answer);
  const last = textAt(answer.json, 'last_event_id');
  const ids = (await server.eventsOf(jobId)).map((each) => each['event_id']);
  context.must(last === undefined || ids.includes(last), `its event ${last}`, shown(ids), answer);
}

async function mustBeThere(context: Context, server: OwnServer, jobId: string, of: string): Promise<void> {
  const events = await server.eventsOf(jobId, 'job.accepted');
  context.must(events.length === 1, `${of}: one job.accepted of ${jobId}`, `${events.length} of them`);
  const job = await server.job(jobId);
  context.must(job !== undefined, `${of}: job ${jobId} in the queue`, 'it is not there');
}
