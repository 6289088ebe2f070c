/** The consumer's views: their shapes, and that they are the same state as `/v1/status`. */
import { check, Late, NotTested } from '../check.js';
import type { Context } from '../context.js';
import { consumerReads } from '../contract-routes.js';
import { type SchemaName, shapeProblem } from '../contract-schemas.js';
import { at, firstDifference, numberAt, objectsAt, same, shown, textAt } from '../json.js';
import { consumerLists } from '../monitor/consumer-oracle.js';
import type { Target } from '../target/target.js';
import { compare, mustBe, mustBeOneSnapshot } from './consumer-compare.js';
import { kindTypes, mixedJobs, oneOfEachKind, readAll, workEndsWithinMs } from './consumer-jobs.js';
import { someJobs, steady } from './steady.js';

const shapeOf: Readonly<Record<(typeof consumerReads)[number], SchemaName>> = {
  '/health': 'ConsumerHealth',
  '/snapshot/latest': 'ConsumerSnapshot',
  '/runs': 'ConsumerRuns',
  '/jobs': 'ConsumerJobs',
  '/wiki': 'ConsumerWiki',
};
export const consumerChecks = [
  check('project.consumer.shapes', async (context) => {
    await someJobs(context, 1);
    for (const path of consumerReads) {
      const answer = await context.target.get(context.target.consumerBase + path);
      if (!context.mustAnswer(answer, 200, `GET ${answer.path} without a token`)) continue;
      const problem = shapeProblem(shapeOf[path], answer.json);
      context.must(problem === undefined, `GET ${answer.path}: a body of the shape ${shapeOf[path]}`, problem, answer);
    }
  }),

  check('project.consumer.empty', async (context) => {
    const server = await context.server();
    for (const name of ['runs', 'jobs', 'wiki']) {
      const answer = await server.readExchange(`${server.consumerBase}/${name}`);
      mustBe(context, answer, [name], []);
    }
    const snapshot = await server.readExchange(`${server.consumerBase}/snapshot/latest`);
    for (const name of ['runs', 'jobs', 'wiki']) mustBe(context, snapshot, ['resources', name], []);
    mustBe(context, snapshot, ['status'], 'current');
    const health = await server.readExchange(`${server.consumerBase}/health`);
    for (const name of ['runs', 'jobs', 'wiki']) mustBe(context, health, ['resource_counts', name], 0);
    mustBe(context, health, ['snapshot_status'], 'current');
    mustBe(context, health, ['ready'], true);
  }),

  check('project.consumer.lists-equal-snapshot', async (context) => {
    // Each list needs two to have an order.
    await oneOfEachKind(context);
    const ids = await oneOfEachKind(context);
    // Some worker may be quicker with one of them.
    for (const jobId of ids.slice(0, 2)) await context.target.cancel(jobId);
    const { seen } = await steady(context.target, () => readAll(context.target));
    const health = await context.target.readExchange(`${context.target.consumerBase}/health`);
    const isSame = textAt(health.json, 'snapshot_id') === textAt(seen.snapshot.json, 'snapshot_id');
    for (const [name, answer] of Object.entries(seen.lists)) {
      const listed = at(answer.json, name);
      const held = at(seen.snapshot.json, 'resources', name);
      const difference = firstDifference(held, listed, name);
      context.must(
        difference === undefined,
        `${answer.path} lists resources.${name} of the snapshot`,
        difference,
        answer,
      );
      const count = numberAt(health.json, 'resource_counts', name);
      const length = objectsAt(seen.snapshot.json, 'resources', name).length;
      context.must(!isSame || count === length, `resource_counts.${name} of the health is ${length}`, count, health);
    }
  }),

  check('project.consumer.equals-status', async (context) => {
    await mixedJobs(context);
    const { seen, events } = await steady(context.target, async () => ({
      status: await context.target.readExchange('/v1/status'),
      consumer: await context.target.readExchange(`${context.target.consumerBase}/jobs`),
    }));
    const jobs = objectsAt(seen.status.json, 'queue', 'jobs');
    const resources = objectsAt(seen.consumer.json, 'jobs');
    const ids = jobs.map((job) => job['job_id']);
    const hidden = events.find((event) => event['event_type'] === 'job.accepted' && !ids.includes(event['job_id']));
    if (hidden !== undefined) {
      throw new NotTested(`the queue does not show job ${hidden['job_id']}, see enqueue.submit.in-status`);
    }
    const theirs = resources.map((resource) => resource['job_id']);
    const missing = ids.filter((id) => !theirs.includes(id));
    const extra = theirs.filter((id) => !ids.includes(id));
    const difference = `missing ${shown(missing)}, too many ${shown(extra)}`;
    context.must(missing.length + extra.length === 0, 'the jobs of /v1/status', difference, seen.consumer);
    // Two jobs of one id are told where they are accepted.
    const single = jobs.filter((job) => ids.indexOf(job['job_id']) === ids.lastIndexOf(job['job_id']));
    for (const job of single) {
      const resource = resources.find((each) => each['job_id'] === job['job_id']);
      if (resource !== undefined) compare(context, job, resource, seen.consumer);
    }
  }),

  check('project.consumer.live-status', async (context) => {
    const server = await context.server();
    const envelope = context.work('hang');
    const jobId = String(envelope['job_id']);
    await context.accepted(envelope, server);
    await server.untilStatus(jobId, ['running'], workEndsWithinMs);
    await shouldShow(context, server, jobId, 'running');
    const withoutWorkers = context.profile.start?.commandWithoutWorkers !== undefined;
    await server.crash({ withoutWorkers });
    await untilItWaits(context, server, jobId, withoutWorkers);
    await shouldShow(context, server, jobId, 'retry_waiting');
  }),

  check('project.consumer.kinds', async (context) => {
    const ids = await oneOfEachKind(context);
    const lists = await readAll(context.target);
    const { lists: answers } = lists;
    const [run, dream, wiki, plain] = ids;
    const wanted = { jobs: [run, dream, wiki, plain], runs: [run, dream], wiki: [wiki] };
    for (const [name, kind] of consumerLists) {
      const answer = answers[name];
      const resources = objectsAt(answer.json, name);
      const ours = resources.filter((each) => ids.includes(textAt(each, 'job_id') ?? '')).map((each) => each['job_id']);
      const expected = `of ${kindTypes.join(', ')}, /${name} holds ${shown(wanted[name])}`;
      context.must(same(ours, wanted[name]), expected, ours, answer);
      for (const resource of resources) {
        context.must(resource['resource_kind'] === kind, `resource_kind ${kind} in /${name}`, resource, answer);
        const id = textAt(resource, 'resource_id') ?? '';
        const isTaken = resources.some((each) => each['resource_id'] === id && each['job_id'] !== resource['job_id']);
        context.must(id !== '' && !isTaken, `a resource_id that is unique in /${name}`, resource, answer);
      }
    }
  }),

  check('project.consumer.snapshot-identity', async (context) => {
    const path = `${context.target.consumerBase}/snapshot/latest`;
    await someJobs(context, 1);
    const { seen, events } = await steady(context.target, async () => ({
      first: await context.target.readExchange(path),
      second: await context.target.readExchange(path),
      health: await context.target.readExchange(`${context.target.consumerBase}/health`),
      status: await context.target.readExchange('/v1/status'),
    }));
    const { first, second } = seen;
    const [id, again] = [first, second].map((answer) => textAt(answer.json, 'snapshot_id'));
    context.must(id === again, `snapshot_id stays ${id} while nothing is added`, again, second);
    const head = textAt(events.at(-1), 'event_id');
    const named = textAt(second.json, 'source', 'last_event_id');
    context.must(named === head, `source.last_event_id is the head of the ledger, ${head}`, named, second);
    mustBeOneSnapshot(context, second, seen.health, seen.status);
    await someJobs(context, 1);
    const third = await context.target.readExchange(path);
    const later = textAt(third.json, 'snapshot_id');
    context.must(later !== id, `another snapshot_id than ${id} once something was added`, later, third);
  }),

  check('project.consumer.provenance', async (context) => {
    const ids = await oneOfEachKind(context);
    const { seen, events } = await steady(context.target, () => readAll(context.target));
    const known = new Set(events.map((event) => textAt(event, 'event_id')));
    for (const [name] of consumerLists) {
      for (const resource of objectsAt(seen.lists[name].json, name)) {
        if (!ids.includes(textAt(resource, 'job_id') ?? '')) continue;
        const links = objectsAt(resource, 'provenance');
        context.should(links.length > 0, 'a link to where a resource comes from', resource, seen.lists[name]);
        for (const link of links) {
          const event = textAt(link, 'event_id');
          const isKnown = event === undefined || known.has(event);
          context.should(isKnown, 'an event_id that /v1/events has', link, seen.lists[name]);
        }
      }
    }
  }),

  check('project.consumer.read-only', async (context) => {
    const paths = consumerReads.map((path) => context.target.consumerBase + path);
    const asks = paths.flatMap((path) => ['POST', 'PUT', 'DELETE'].map((method) => ({ path, method })));
    await context.mustAppendNothing('methods that consumer reads do not have, with the token', async () => {
      const answers = await context.inLanes(asks, 4, (ask) =>
        context.target.ask({
          ...ask,
          auth: 'header',
          ...(ask.method === 'DELETE' ? {} : { body: context.envelope() }),
        }),
      );
      for (const answer of answers) {
        const what = `${answer.method} ${answer.path}`;
        if (!context.mustAnswer(answer, 405, what)) continue;
        const allow = answer.headers['allow'] ?? '';
        context.must(/\bGET\b/i.test(allow), `${what}: Allow names GET`, allow === '' ? 'no Allow' : allow, answer);
      }
    });
  }),

  /** Judged over all answers by monitor/consumer-oracle.ts. */
  check('project.consumer.no-storage-handle', async (context) => {
    await someJobs(context, 1);
    for (const path of consumerReads) await context.target.readExchange(context.target.consumerBase + path);
  }),
];

/** Where there are workers, one may take it again before anybody looks. */
async function untilItWaits(context: Context, server: Target, jobId: string, isCertain: boolean): Promise<void> {
  try {
    await server.untilStatus(jobId, ['retry_waiting'], context.leaseMs + workEndsWithinMs);
  } catch (error) {
    if (isCertain || !(error instanceof Late)) throw error;
    throw new NotTested('the job was claimed again before it was seen waiting (start.command_without_workers helps)');
  }
}

/** A status that is live is compared in one moment: the queue is read on both sides of the consumer. */
async function shouldShow(context: Context, target: Target, jobId: string, status: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const before = textAt(await target.job(jobId), 'status');
    const answer = await target.readExchange(`${target.consumerBase}/jobs`);
    const after = textAt(await target.job(jobId), 'status');
    if (before !== status || after !== status) continue;
    const seen = textAt(
      objectsAt(answer.json, 'jobs').find((each) => each['job_id'] === jobId),
      'status',
    );
    context.should(seen === status, `the consumer sees job ${jobId} ${status}, as the queue does`, seen, answer);
    return;
  }
  throw new NotTested(`the job was not seen ${status} for long enough`);
}
