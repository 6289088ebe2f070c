/** Jobs that are taken, kept by heartbeats, and come to their end. */
import { check, NotTested } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { failureCodes } from '../contract-words.js';
import { instant, isObject, type JsonObject, numberAt, same, shown, textAt } from '../json.js';
import { taken, times } from './steps.js';
import { hanging, idOf, LEASES_END_WITHIN_MS, pastLease, untilEnded, WORK_WITHIN_MS } from './work.js';

const CLOCK_SLACK_MS = 500;
const HEARTBEATS = 2;
/** What comes in between is not claimed to be a heartbeat's doing. */
const HEARTBEAT_PATIENCE_MS = 30_000;
const SHORT_JOBS = 30;
const SHORT_JOBS_WITHIN_MS = 120_000;

export const workChecks = [
  check('execute.cancel.running', async (context) => {
    const { target } = context;
    const job = await hanging(context);
    const jobId = idOf(job);
    const answer = await target.cancel(jobId, { reason: 'while it runs' });
    context.demand(isGood(answer), 'a cancel of a running job is answered well', said(answer), answer);
    for (const [name, value, seen] of [
      ['outcome', 'cancelled', textAt(answer.json, 'outcome')],
      ['job.status', 'cancelled', textAt(answer.json, 'job', 'status')],
    ] as const) {
      context.must(seen === value, `a cancel of a running job: \`${name}\` ${value}`, seen, answer);
    }
    await pastLease(context, job);
    const now = await target.job(jobId);
    const expected = 'a job that was cancelled while it ran stays cancelled';
    context.must(now?.['status'] === 'cancelled', expected, now?.['status'], answer);
    const events = await target.eventsOf(jobId);
    const end = events.findIndex((event) => event['event_type'] === 'job.cancelled');
    const claim = end < 0 ? undefined : events.slice(end).find((event) => event['event_type'] === 'job.claimed');
    context.must(claim === undefined, 'no claim of a job that was cancelled', claim, answer);
  }),

  check('execute.claim.lease-fields', async (context) => {
    const { jobId } = await taken(context, context.work('hang'));
    await context.target.untilStatus(jobId, ['running'], WORK_WITHIN_MS);
    const answer = await context.target.readExchange('/v1/status');
    const job = await context.target.job(jobId);
    const must = (holds: boolean, expected: string): boolean => context.must(holds, expected, job, answer);
    must((textAt(job, 'claim_token') ?? '') !== '', 'a running job has a `claim_token`');
    must((numberAt(job, 'lease_epoch') ?? 0) >= 1, 'a running job has a `lease_epoch` of 1 or more');
    const end = instant(job?.['lease_expires_at']) ?? 0;
    must(end > answer.startedAt - CLOCK_SLACK_MS, 'a running job has a `lease_expires_at` in the future');
    const attempt = numberAt(job, 'attempt') ?? 0;
    const most = numberAt(job, 'max_attempts') ?? 0;
    must(attempt >= 1 && attempt <= most, 'a running job has an `attempt` from 1 to `max_attempts`');
  }),

  check('execute.heartbeat.extends', heartbeats, { deadlineMs: LEASES_END_WITHIN_MS }),

  check('execute.complete', async (context) => {
    const { jobId, answer } = await taken(context, context.work('complete'));
    const job = await untilEnded(context, jobId);
    context.must(job['status'] === 'completed', 'a job that was promised to complete does', job, answer);
    const events = (await context.target.eventsOf(jobId)).filter(isOfJob);
    const types = events.map((event) => textAt(event, 'event_type')?.slice('job.'.length));
    const order = /^accepted( claimed( heartbeat)*( lease_expired)?)* claimed( heartbeat)* completed$/;
    const expected = 'job.accepted, for each attempt job.claimed and heartbeats, job.completed';
    context.must(order.test(types.join(' ')), expected, types.join(' '), answer);
    const claims = events.filter((event) => event['event_type'] === 'job.claimed');
    for (const [index, claim] of claims.entries()) {
      for (const name of ['attempt', 'lease_epoch']) {
        const value = numberAt(claim, 'payload', name);
        const each = `claim ${index + 1} has ${name} ${index + 1}`;
        context.must(value === undefined || value === index + 1, each, claim, answer);
      }
    }
    const shownAttempt = numberAt(job, 'attempt');
    context.must(shownAttempt === claims.length, `\`attempt\` ${claims.length}, one a claim`, shownAttempt, answer);
    const artifacts = job['artifacts'];
    const areTexts = !isObject(artifacts) || Object.values(artifacts).every((path) => typeof path === 'string');
    context.must(areTexts, '`artifacts` names each as a text', artifacts, answer);
  }),

  check('execute.fail', async (context) => {
    const { jobId, answer } = await taken(context, context.work('fail'));
    const job = await untilEnded(context, jobId);
    context.must(job['status'] === 'failed', 'a job that was promised to fail does', job, answer);
    const code = textAt(job, 'failure', 'code');
    const codes = `\`failure.code\` is one of ${failureCodes.join(', ')}`;
    context.must(failureCodes.includes(code ?? ''), codes, job['failure'], answer);
    const events = await context.target.eventsOf(jobId, 'job.failed');
    context.must(events.length > 0, 'a job.failed of it', shown(await context.target.eventsOf(jobId)), answer);
  }),

  check('execute.queue.no-head-blocking', async (context) => {
    const first = await taken(context, context.work('idle'));
    const second = await taken(context, context.work('complete'));
    const job = await untilEnded(context, second.jobId);
    context.should(job['status'] === 'completed', 'a job behind one that waits completes', job, second.answer);
    const waiting = await context.target.job(first.jobId);
    context.should(waiting?.['status'] === 'queued', 'what nobody takes stays queued', waiting, first.answer);
  }),

  check('execute.queue.exclusive', exclusive, { deadlineMs: 2 * SHORT_JOBS_WITHIN_MS }),
];

function isOfJob(event: JsonObject): boolean {
  return textAt(event, 'event_type')?.startsWith('job.') === true;
}

/** A job that runs longer than two heartbeats are apart. */
async function heartbeats(context: Context): Promise<void> {
  const { target, profile } = context;
  const first = await hanging(context);
  const jobId = idOf(first);
  const withinMs = HEARTBEATS * (profile.heartbeatMs ?? profile.leaseMs ?? 0) + HEARTBEAT_PATIENCE_MS;
  const beats = await context.until(`${HEARTBEATS} heartbeats of job ${jobId}`, withinMs, async () => {
    const events = await target.eventsOf(jobId, 'job.heartbeat');
    return events.length >= HEARTBEATS ? events : undefined;
  });
  const job = await target.job(jobId);
  const [before, after] = [first, job].map((each) => instant(each?.['lease_expires_at']));
  const grown = before !== undefined && after !== undefined && after > before;
  const ends = `${first['lease_expires_at']}, then ${job?.['lease_expires_at']}`;
  context.must(grown, 'heartbeats move `lease_expires_at` in the queue on', ends);
  const told = beats.map((event) => textAt(event, 'payload', 'lease_expires_at')).filter((each) => each !== undefined);
  const times = told.map((each) => instant(each) ?? 0);
  const growing = times.every((each, index) => index === 0 || each > (times[index - 1] ?? 0));
  context.must(growing, 'each heartbeat moves `lease_expires_at` on', shown(told));
  for (const name of ['claim_token', 'lease_epoch', 'attempt']) {
    const expected = `${name} ${first[name]}, as before the heartbeats`;
    context.must(same(job?.[name], first[name]), expected, job?.[name]);
  }
  const claims = await target.eventsOf(jobId, 'job.claimed');
  context.must(claims.length === 1, 'no second claim of a job whose worker lives', claims.at(-1));
}

async function exclusive(context: Context): Promise<void> {
  const { target } = context;
  const jobs = await context.inLanes(times(SHORT_JOBS), 4, () => taken(context, context.work('complete')));
  const open = new Set(jobs.map(({ jobId }) => jobId));
  await context.until(`${SHORT_JOBS} jobs to end`, SHORT_JOBS_WITHIN_MS, async () => {
    for (const event of await target.events()) {
      if (/^job\.(completed|failed|cancelled)$/.test(String(event['event_type']))) open.delete(String(event['job_id']));
    }
    return open.size === 0 ? true : undefined;
  });
  const events = await target.events();
  let completed = 0;
  for (const { jobId, answer } of jobs) {
    const own = events.filter((event) => event['job_id'] === jobId);
    const ends = own.filter((event) => event['event_type'] === 'job.completed');
    completed += ends.length;
    context.must(ends.length <= 1, `one job.completed of ${jobId}`, `${ends.length} of them`, answer);
    const overlap = overlapping(own);
    context.must(overlap === undefined, `no claim of ${jobId} while another one holds it`, overlap, answer);
  }
  if (completed === 0) throw new NotTested('none of the jobs that were promised to complete did');
}

/** A claim that came while the lease of the one before still held. */
function overlapping(events: readonly JsonObject[]): JsonObject | undefined {
  let until: number | undefined;
  for (const event of events) {
    const type = textAt(event, 'event_type');
    const at = instant(event['occurred_at']) ?? 0;
    if (type === 'job.claimed' && until !== undefined && at < until) return event;
    const end = instant(textAt(event, 'payload', 'lease_expires_at'));
    if (type === 'job.claimed') until = end ?? Number.POSITIVE_INFINITY;
    else if (type === 'job.heartbeat') until = end ?? until;
    else if (type === 'job.lease_expired') until = undefined;
  }
  return undefined;
}
