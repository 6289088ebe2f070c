/** Every view comes from the ledger: after a new start, without anything but it, beside garbage. */
import { check, NotTested } from '../check.js';
import type { Context } from '../context.js';
import { contractPart } from '../contract-parts.js';
import { terminal } from '../fold.js';
import { at, firstDifference, instant, type JsonObject, listAt, textAt, without } from '../json.js';
import { allFiles, removeAllBut } from '../target/files.js';
import type { OwnServer } from '../target/own-server.js';
import { kindTypes } from './consumer-jobs.js';
import { someJobs } from './steady.js';

const MOMENTS = ['now', 'rebuilt_at', 'generated_at'];
const JOBS_END_WITHIN_MS = 20_000;
/** A mistake that makes something of a job that only waits needs some time to show. */
const WAITS_MS = 11_000;

export const rebuildChecks = [
  check('project.rebuild.restart-equal', async (context) => {
    const server = await withHistory(context);
    const before = await viewsOf(server);
    await server.crash();
    await mustEqual(context, server, before, 'after kill -9 and a new start');
  }),

  check('project.rebuild.from-ledger-only', async (context) => {
    const { ledger, start } = context.profile;
    if (ledger === undefined) throw new NotTested('the profile does not say where the ledger is (ledger.paths)');
    const server = await withHistory(context);
    const before = await viewsOf(server);
    await server.stop();
    const configuration = start?.seedDir === undefined ? [] : allFiles(start.seedDir);
    removeAllBut(server.dataDir, [...ledger.paths, ...ledger.keep, ...configuration]);
    await server.start();
    await mustEqual(context, server, before, 'with nothing but the ledger left');
  }),

  check(
    'project.rebuild.bad-cache',
    async (context) => {
      const server = await withHistory(context);
      const before = await viewsOf(server);
      await server.stop();
      await server.damage('cache');
      await server.start();
      const after = await viewsOf(server);
      const reasons = listAt(await server.ready(), 'degraded_reasons');
      if (reasons.length > 0) return;
      const difference = firstDifference(before, after);
      context.must(difference === undefined, 'beside garbage in its caches: the views as before', difference);
    },
    { option: 'projection-cache' },
  ),

  /** Judged over all answers by monitor/status-oracle.ts; here a job has waited for long enough. */
  check('project.rebuild.oracle', async (context) => {
    const [jobId = ''] = await waitingJob(context);
    const createdAt = instant(textAt(await context.target.job(jobId), 'created_at')) ?? Date.now();
    const restMs = Math.min(WAITS_MS, createdAt + WAITS_MS - Date.now());
    if (restMs > 0) await context.pause(restMs);
    await context.target.status();
    await context.target.consumer('/snapshot/latest');
    await context.target.events();
  }),
];

async function waitingJob(context: Context): Promise<string[]> {
  return context.waitingJobId === undefined ? someJobs(context, 1) : [context.waitingJobId];
}

/** Jobs in every list, some ended; nobody works on them any more. */
async function withHistory(context: Context): Promise<OwnServer> {
  const withoutWorkers = context.profile.start?.commandWithoutWorkers !== undefined;
  const server = await context.server({ withoutWorkers });
  const ids: string[] = [];
  for (const job_type of [...kindTypes, ...kindTypes]) {
    const envelope = context.envelope({ job_type, payload: {} });
    await context.accepted(envelope, server);
    ids.push(String(envelope['job_id']));
  }
  const cancelled = withoutWorkers ? ids.slice(0, kindTypes.length) : ids;
  for (const jobId of cancelled) await server.cancel(jobId);
  for (const jobId of cancelled) await server.untilStatus(jobId, terminal, JOBS_END_WITHIN_MS);
  await server.quiet();
  return server;
}

async function viewsOf(server: OwnServer): Promise<JsonObject> {
  const status = contractPart('Status', await server.status());
  const snapshot = contractPart('ConsumerSnapshot', await server.consumer('/snapshot/latest'));
  const views = { queue: at(status, 'queue'), projections: at(status, 'projections'), snapshot };
  return without(views, MOMENTS) as JsonObject;
}

async function mustEqual(context: Context, server: OwnServer, before: JsonObject, when: string): Promise<void> {
  const difference = firstDifference(before, await viewsOf(server));
  context.must(difference === undefined, `${when}: projections and snapshot as before, but for the time`, difference);
}
