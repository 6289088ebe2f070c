/** What becomes of jobs when the process dies between two of their steps. */
import { check, NotTested } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { type JsonObject, same, shown, textAt } from '../json.js';
import type { OwnServer } from '../target/own-server.js';
import { taken, times } from './steps.js';
import { hanging, idOf, pastLease, untilEnded, untilWorkIsDone } from './work.js';

/** More than there are workers, where none can be left out. */
const BUSY = 12;

export const restartChecks = [
  check('execute.cancel.durable', async (context) => {
    const { server, works } = await serverWithIdleQueue(context);
    const envelope = works ? context.work('complete') : context.envelope();
    const { jobId } = await taken(context, envelope, server);
    const answer = await server.cancel(jobId, { reason: 'and then the process dies' });
    context.demand(isGood(answer), 'a cancel of a job that is there is answered well', said(answer), answer);
    const status = textAt(answer.json, 'job', 'status');
    if (status !== 'cancelled') throw new NotTested(`the job was not cancelled, but is ${status}`);
    await server.crash({ withoutWorkers: false });
    const expected = 'a job that was cancelled is cancelled after SIGKILL and a new start';
    const after = await server.job(jobId);
    context.must(after?.['status'] === 'cancelled', expected, after, answer);
    if (works) await untilWorkIsDone(context, server);
    const claims = await server.eventsOf(jobId, 'job.claimed');
    context.must(claims.length === 0, 'nobody takes a job that was cancelled', claims[0], answer);
  }),

  check('execute.state.terminal-final', async (context) => {
    const server = await context.server();
    const ids: string[] = [];
    for (const fate of ['complete', 'fail'] as const) {
      if (context.profile.workload?.[fate] !== undefined)
        ids.push((await taken(context, context.work(fate), server)).jobId);
    }
    const cancelled = await taken(context, context.envelope(), server);
    await server.cancel(cancelled.jobId);
    ids.push(cancelled.jobId);
    const before: JsonObject[] = [];
    for (const jobId of ids) before.push(await untilEnded(context, jobId, server));
    const claims = await claimsOf(server, ids);
    await pastLease(context, {});
    await server.crash();
    await mustBeAsBefore(context, server, before);
    if (context.profile.workload?.complete !== undefined) await untilWorkIsDone(context, server);
    await mustBeAsBefore(context, server, before);
    const now = await claimsOf(server, ids);
    context.must(now.length === claims.length, 'no job that has ended is run again', now.at(-1));
  }),

  check('execute.restart.queued-runs', async (context) => {
    const server = await context.server({ stopped: true });
    await startWithoutTakers(context, server);
    const { jobId, answer } = await taken(context, context.work('complete'), server);
    const isTaken = (await server.eventsOf(jobId, 'job.claimed')).length > 0;
    if (isTaken) throw new NotTested('a worker was quicker: start.command_without_workers of the profile would help');
    await server.crash({ withoutWorkers: false });
    // Whatever kept the workers away from it.
    await server.cancelSubmitted([jobId]);
    const job = await untilEnded(context, jobId, server);
    context.must(job['status'] === 'completed', 'a job that was queued before SIGKILL completes', job, answer);
    await server.quiet();
    const ends = await server.eventsOf(jobId, 'job.completed');
    context.must(ends.length === 1, `one job.completed of ${jobId}`, `${ends.length} of them`, answer);
  }),
];

/** A server that takes no jobs, where the profile has such a command, and a workload to start again with. */
async function serverWithIdleQueue(context: Context): Promise<{ server: OwnServer; works: boolean }> {
  const { start, workload } = context.profile;
  const works = start?.commandWithoutWorkers !== undefined && workload?.complete !== undefined;
  return { server: await context.server(works ? { withoutWorkers: true } : {}), works };
}

async function startWithoutTakers(context: Context, server: OwnServer): Promise<void> {
  if (context.profile.start?.commandWithoutWorkers !== undefined) return server.start({ withoutWorkers: true });
  await server.start();
  await hanging(context, server);
  for (const _ of times(BUSY)) await taken(context, context.work('hang'), server);
}

async function claimsOf(server: OwnServer, ids: readonly string[]): Promise<readonly JsonObject[]> {
  const events = await server.events();
  return events.filter((event) => event['event_type'] === 'job.claimed' && ids.includes(String(event['job_id'])));
}

async function mustBeAsBefore(context: Context, server: OwnServer, before: readonly JsonObject[]): Promise<void> {
  for (const job of before) {
    const now = await server.job(idOf(job));
    for (const name of ['status', 'failure', 'artifacts', 'attempt']) {
      const expected = `job ${idOf(job)} has ended: ${name} ${shown(job[name] ?? 'absent')}, as before the new start`;
      context.must(same(now?.[name], job[name]), expected, now?.[name]);
    }
  }
}
