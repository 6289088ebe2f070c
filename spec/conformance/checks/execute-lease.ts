/** Leases: what happens to a job whose worker is gone, and to a worker whose job is another's. */
import { check, NotTested } from '../check.js';
import type { Context } from '../context.js';
import { instant, type JsonObject, numberAt, shown, textAt } from '../json.js';
import type { OwnServer } from '../target/own-server.js';
import { mustBegin, times } from './steps.js';
import {
  hanging,
  idOf,
  LEASES_END_WITHIN_MS,
  pastLease,
  reclaimWithinMs,
  untilReclaimed,
  untilWorkIsDone,
  WORK_WITHIN_MS,
} from './work.js';

/** A lease that ended so long ago is over by every clock. */
const CLOCK_SLACK_MS = 1_000;
const KILLS_AT_MOST = 10;
const STARTS = 3;

const leasesEnd = { deadlineMs: LEASES_END_WITHIN_MS };

export const leaseChecks = [
  check(
    'execute.lease.expiry',
    async (context) => {
      const server = await context.server();
      const before = await hanging(context, server);
      const jobId = idOf(before);
      await server.kill();
      await startWithoutWorkers(server);
      await context.until(`job ${jobId} to be retry_waiting, or taken again`, reclaimWithinMs(context), async () => {
        const answer = await server.readExchange('/v1/status');
        const job = await server.job(jobId);
        context.demand(job !== undefined, `job ${jobId} is not lost`, 'it is not in the queue', answer);
        const end = instant(job?.['lease_expires_at']) ?? Number.POSITIVE_INFINITY;
        const isOver = answer.startedAt > end + CLOCK_SLACK_MS;
        const isRunning = job?.['status'] === 'running';
        context.demand(!(isOver && isRunning), 'a job whose lease has run out is not shown as running', job, answer);
        const isTaken = isRunning && (numberAt(job, 'attempt') ?? 0) > (numberAt(before, 'attempt') ?? 0);
        return isTaken || job?.['status'] === 'retry_waiting' ? true : undefined;
      });
    },
    leasesEnd,
  ),

  check(
    'execute.lease.reclaim',
    async (context) => {
      const server = await context.server();
      const before = await hanging(context, server);
      const history = await server.events();
      await server.crash();
      const after = await untilReclaimed(context, before, server);
      for (const name of ['attempt', 'lease_epoch']) {
        const expected = `${name} ${(numberAt(before, name) ?? 0) + 1} of the next claim`;
        context.must(numberAt(after, name) === (numberAt(before, name) ?? 0) + 1, expected, after[name]);
      }
      const token = textAt(after, 'claim_token') ?? '';
      const expected = `another claim_token than ${textAt(before, 'claim_token')}`;
      context.must(token !== '' && token !== textAt(before, 'claim_token'), expected, token);
      mustBegin(context, history, await server.events());
    },
    leasesEnd,
  ),

  check(
    'execute.lease.no-early-reclaim',
    async (context) => {
      // A start that is slower than the lease says nothing; the monitors look at every other claim of the run.
      for (const _ of times(STARTS)) if (await isJudgedByReclaim(context)) return;
    },
    leasesEnd,
  ),

  check(
    'execute.lease.fencing',
    async (context) => {
      const { target } = context;
      const job = await hanging(context);
      await target.cancel(idOf(job));
      if (context.ownsProcess) await stopBeyondLease(context);
      await target.events();
      if (context.timesJudged() === 0) throw new NotTested('no event of a worker names its claim_token or lease_epoch');
    },
    leasesEnd,
  ),

  check('execute.retry.exhaustion', exhaustion, leasesEnd),
];

/** Whether the new process was there before the lease of the old one ended, so that its claim could have been too early. */
async function isJudgedByReclaim(context: Context): Promise<boolean> {
  const server = await context.server();
  const before = await hanging(context, server);
  const jobId = idOf(before);
  await server.crash();
  const startedAt = Date.now();
  await untilReclaimed(context, before, server);
  const events = await server.eventsOf(jobId);
  const claims = events.filter((event) => event['event_type'] === 'job.claimed');
  const [first, second] = claims;
  context.demand(second !== undefined, `a second job.claimed of ${jobId}`, shown(events));
  const between = events.slice(events.indexOf(first as JsonObject) + 1, events.indexOf(second as JsonObject));
  if (between.some((event) => event['event_type'] === 'job.lease_expired')) return true;
  const told = [first, ...between].map((event) => instant(textAt(event, 'payload', 'lease_expires_at')));
  const end = told.findLast((each) => each !== undefined) ?? instant(before['lease_expires_at']) ?? 0;
  const at = instant(second?.['occurred_at']) ?? 0;
  const expected = `no claim before the lease ends, ${new Date(end).toISOString()}, unless it was given up`;
  context.must(at >= end, expected, second);
  return at < end || startedAt < end;
}

/** Leases end, and nobody takes the jobs: where the profile can't have that, whoever looks has to be quick. */
async function startWithoutWorkers(server: OwnServer): Promise<void> {
  try {
    await server.start({ withoutWorkers: true });
  } catch (error) {
    if (!(error instanceof NotTested)) throw error;
    await server.start({ withoutWorkers: false });
  }
}

/** The process stands still until its leases are over, and then goes on as if nothing had been. */
async function stopBeyondLease(context: Context): Promise<void> {
  const server = await context.server();
  const job = await hanging(context, server);
  const jobId = idOf(job);
  const before = (await server.eventsOf(jobId)).length;
  server.suspend();
  await pastLease(context, job);
  server.resume();
  await context.until(`anything to happen to job ${jobId} after a stop`, reclaimWithinMs(context), async () =>
    (await server.eventsOf(jobId)).length > before ? true : undefined,
  );
  await server.status();
  await server.events();
}

/** The process dies in every attempt. */
async function exhaustion(context: Context): Promise<void> {
  const server = await context.server();
  let job = await hanging(context, server);
  const jobId = idOf(job);
  const most = numberAt(job, 'max_attempts') ?? context.profile.maxAttempts ?? 1;
  if (most > KILLS_AT_MOST) throw new NotTested(`max_attempts ${most}: more than ${KILLS_AT_MOST} kills`);
  while ((numberAt(job, 'attempt') ?? 0) < most) {
    await server.crash();
    job = await untilReclaimed(context, job, server);
    const attempt = numberAt(job, 'attempt') ?? 0;
    context.demand(attempt <= most, `\`attempt\` never exceeds max_attempts, ${most}`, attempt);
  }
  await server.crash();
  const within = WORK_WITHIN_MS + reclaimWithinMs(context);
  const ended = await context.until(`job ${jobId} to be given up`, within, async () => {
    const now = await server.job(jobId);
    const attempt = numberAt(now, 'attempt') ?? 0;
    context.demand(attempt <= most, `\`attempt\` never exceeds max_attempts, ${most}`, attempt);
    if (now?.['status'] === 'retry_waiting') {
      const expected = '`retry_exhausted` is true while the last attempt waits for its end';
      context.should(now['retry_exhausted'] === true, expected, now);
    }
    return now !== undefined && /^(failed|completed|cancelled)$/.test(String(now['status'])) ? now : undefined;
  });
  const code = textAt(ended, 'failure', 'code');
  const holds = ended['status'] === 'failed' && code === 'retry_exhausted';
  context.must(holds, 'failed with code retry_exhausted after the last attempt', ended);
  await untilWorkIsDone(context, server);
  const after = await server.job(jobId);
  context.must(after?.['status'] === 'failed', 'what was given up is not taken again', after);
}
