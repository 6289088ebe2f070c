/** A cancel is final, told once, kept, and asked for by nobody without a token. */
import { check, NotTested } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { at, type JsonObject, listAt, same, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import { cancelledJob, hadEnded, withOpenJob } from './cancelling.js';
import { mustTellError, patiently, queuedJob, taken, times, together } from './steps.js';
import { untilEnded } from './work.js';

const CALLERS = 20;

export const cancelChecks = [
  check('execute.cancel.queued', async (context) => {
    const { target } = context;
    const reason = 'nobody needs it any more';
    const { ready } = await target.ready();
    const { jobId, answer } = await cancelledJob(context, { reason });
    context.mustAnswer(answer, 202, 'a cancel');
    const projection = textAt(answer.json, 'projection_status');
    const isCurrent = ready !== true || projection === 'current';
    context.must(isCurrent, '`projection_status` is `current` where all is well', projection, answer);
    mustSay(context, 'a cancel', answer, { cancelled: true, outcome: 'cancelled', status: 'cancelled' });
    const events = await target.eventsOf(jobId, 'job.cancelled');
    context.must(events.length === 1, `one job.cancelled of ${jobId}`, `${events.length} of them`, answer);
    const shownStatus = textAt(await queuedJob(jobId, target), 'status');
    context.must(shownStatus === 'cancelled', '`status` in the queue: cancelled', shownStatus, answer);
    const kept = at(events[0], 'payload', 'reason');
    context.should(events.length === 0 || kept === reason, `the event's payload.reason: ${reason}`, kept, answer);
  }),

  check('execute.cancel.repeat', async (context) => {
    const { target } = context;
    const { jobId } = await cancelledJob(context, { reason: 'the first reason' });
    const before = await target.eventsOf(jobId, 'job.cancelled');
    const again = await target.cancel(jobId, { reason: 'another reason', request_id: context.id('cancel') });
    const wanted = { cancelled: true, outcome: 'already_terminal_cancelled', status: 'cancelled' };
    context.must(isGood(again), 'a second cancel is answered as the first: 202', said(again), again);
    mustSay(context, 'a second cancel', again, wanted);
    const after = await target.eventsOf(jobId, 'job.cancelled');
    context.must(after.length === before.length, 'no event of a second cancel', after.at(-1), again);
    context.must(same(after[0], before[0]), `the first event as it was: ${shown(before[0])}`, after[0], again);
  }),

  check('execute.cancel.finished', async (context) => {
    const { target } = context;
    for (const [fate, status] of [
      ['complete', 'completed'],
      ['fail', 'failed'],
    ] as const) {
      const { jobId } = await taken(context, context.work(fate));
      const before = await untilEnded(context, jobId);
      if (before['status'] !== status) throw new NotTested(`a job that was to ${fate} is ${before['status']}`);
      const answer = await target.cancel(jobId, { reason: 'too late' });
      const of = `a cancel of a job that has ${status}`;
      context.mustAnswer(answer, 202, of);
      mustSay(context, of, answer, { cancelled: false, outcome: `already_terminal_${status}`, status });
      const events = await target.eventsOf(jobId, 'job.cancelled');
      context.must(events.length === 0, `${of}: no event`, events[0], answer);
      const after = await target.job(jobId);
      for (const name of ['status', 'failure', 'artifacts', 'last_event_id']) {
        const expected = `${of}: ${name} ${shown(before[name] ?? 'absent')}, as before`;
        context.must(same(after?.[name], before[name]), expected, after?.[name], answer);
      }
    }
  }),

  check('execute.cancel.unknown', async (context) => {
    await context.mustAppendNothing('a cancel of an unknown job', async () => {
      const answer = await context.target.cancel(context.id('unknown'));
      if (!context.mustAnswer(answer, 404, 'a cancel of an unknown job')) return;
      mustTellError(context, answer, 'a cancel of an unknown job');
    });
  }),

  check('execute.cancel.bad-request', badRequests),

  check('execute.cancel.denied-no-effect', async (context) => {
    const { target } = context;
    const { jobId } = await taken(context, context.envelope());
    for (const [what, headers] of [
      ['without a token', {}],
      ['with a wrong token', { [target.tokenHeader]: 'not-the-token-of-this-target' }],
      ['of a foreign origin', { [target.tokenHeader]: target.token, Origin: 'https://evil.example' }],
      ['of another site', { [target.tokenHeader]: target.token, 'Sec-Fetch-Site': 'cross-site' }],
    ] as const) {
      const answer = await target.cancel(jobId, {}, { auth: 'none', headers });
      context.mustAnswer(answer, 403, `a cancel ${what}`);
      await mustNotBeCancelled(context, jobId, answer);
    }
  }),

  check('execute.cancel.correlates', async (context) => {
    const { target } = context;
    const requestId = context.id('cancel');
    const { jobId, envelope, answer } = await cancelledJob(context, { request_id: requestId });
    const [event] = await target.eventsOf(jobId, 'job.cancelled');
    const seen = event?.['request_id'];
    context.must(event === undefined || seen === requestId, `request_id ${requestId} in job.cancelled`, seen, answer);
    const job = await queuedJob(jobId, target);
    const own = envelope['request_id'];
    context.must(job['request_id'] === own, `the job's request_id ${own}, as before`, job['request_id'], answer);
    const wasClaimed = (await target.eventsOf(jobId, 'job.claimed')).length > 0;
    const ids = listAt(job, 'request_ids');
    const holds = wasClaimed ? ids[0] === own && ids.includes(requestId) : same(ids, [own, requestId]);
    context.must(holds, `request_ids ${shown([own, requestId])}`, job['request_ids'], answer);
  }),

  check('execute.cancel.concurrent', async (context) => {
    const { target } = context;
    const found = await withOpenJob(context, async (open) => {
      const bodies = times(CALLERS).map((each) => ({ reason: `of ${each}`, request_id: context.id('cancel') }));
      const answers = await together(bodies, (body) => target.cancel(open.jobId, body));
      for (const answer of answers) if (await hadEnded(context, open, answer, target)) return undefined;
      return { ...open, answers };
    });
    const refused = found.answers.find((answer) => !isGood(answer));
    context.must(refused === undefined, `${CALLERS} cancels at once: all 202`, refused && said(refused), refused);
    const events = await target.eventsOf(found.jobId, 'job.cancelled');
    const observed = `${events.length}: ${shown(events.map((event) => event['event_id']))}`;
    context.must(events.length === 1, `${CALLERS} cancels at once: one job.cancelled`, observed, found.answers[0]);
    const outcomes = found.answers.map((answer) => textAt(answer.json, 'outcome'));
    const first = outcomes.filter((outcome) => outcome === 'cancelled').length;
    context.should(first === 1, 'one of them has the outcome `cancelled`', `${first} have`, found.answers[0]);
  }),

  check('execute.cancel.path-form', pathForm),
];

interface Said {
  readonly cancelled: boolean;
  readonly outcome: string;
  readonly status: string;
}

/** What the answer of a cancel has to say. */
function mustSay(context: Context, of: string, answer: Exchange, wanted: Said): void {
  const { cancelled, outcome, status } = wanted;
  for (const [name, value, seen] of [
    ['cancelled', cancelled, at(answer.json, 'cancelled')],
    ['outcome', outcome, at(answer.json, 'outcome')],
    ['job.status', status, at(answer.json, 'job', 'status')],
  ] as const) {
    context.must(seen === value, `${of}: \`${name}\` ${value}`, seen, answer);
  }
}

async function mustNotBeCancelled(context: Context, jobId: string, answer: Exchange): Promise<void> {
  const events = await context.target.eventsOf(jobId, 'job.cancelled');
  context.must(events.length === 0, `a refused cancel: no job.cancelled of ${jobId}`, events[0], answer);
  const status = textAt(await context.target.job(jobId), 'status');
  context.must(status !== 'cancelled', `a refused cancel: job ${jobId} is as before`, status, answer);
}

async function badRequests(context: Context): Promise<void> {
  const { target } = context;
  const limit = context.profile.maxBodyBytes;
  // Something that could be cancelled by mistake.
  const { jobId } = await taken(context, context.envelope());
  await context.mustAppendNothing('cancels that are refused', async () => {
    for (const [what, body, status] of [
      ['no job_id', {}, 400],
      ['an empty job_id', { job_id: '' }, 400],
      ['a blank job_id', { job_id: '   ' }, 400],
      ['a job_id that is no text', { job_id: 5 }, 400],
      ['broken JSON', '{"job_id":', 400],
      [`more than ${limit} bytes`, { job_id: jobId, reason: 'x'.repeat(limit) }, 413],
    ] as const) {
      const answer = await patiently(() => target.post('/v1/jobs/cancel', body));
      context.mustAnswer(answer, status, `a cancel with ${what}`);
    }
  });
}

async function pathForm(context: Context): Promise<void> {
  const { target } = context;
  const at = (jobId: string): string => `/v1/jobs/${encodeURIComponent(jobId)}/cancel`;
  const post = (jobId: string, body?: JsonObject): Promise<Exchange> => target.post(at(jobId), body);
  const { jobId } = await taken(context, context.envelope());
  const mixed = await post(jobId, { job_id: context.id('other') });
  await context.needOption('path-cancel', async () => mixed.status !== 404 && mixed.status !== 405);
  context.may(mixed.status === 400, 'a path that names a job and a body that names another: 400', said(mixed), mixed);
  await mustNotBeCancelled(context, jobId, mixed);
  const { ready } = await target.ready();
  const answer = await withOpenJob(context, async (open) => {
    const seen = await post(open.jobId);
    return (await hadEnded(context, open, seen, target)) ? undefined : seen;
  });
  context.may(isGood(answer), 'a cancel of the job in the path, without a body', said(answer), answer);
  const projection = textAt(answer.json, 'projection_status');
  const isCurrent = ready !== true || projection === 'current';
  context.may(isCurrent, '`projection_status` is `current` where all is well', projection, answer);
  mustSay(context, 'a cancel by the path', answer, { cancelled: true, outcome: 'cancelled', status: 'cancelled' });
}
