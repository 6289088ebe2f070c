/** `GET /v1/status`: one state, told in several places. */
import { check } from '../check.js';
import type { Context } from '../context.js';
import { projectionNames, projectionStatuses } from '../contract-words.js';
import { at, firstDifference, instant, isObject, type JsonObject, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import { eventIds, someJobs, steady } from './steady.js';

const emptyLists: readonly (readonly string[])[] = [
  ['queue', 'jobs'],
  ['projections', 'jobs'],
  ['projections', 'rpi', 'runs'],
  ['projections', 'dream', 'runs'],
  ['projections', 'wiki', 'jobs'],
  ['projections', 'openclaw', 'resources', 'runs'],
  ['projections', 'openclaw', 'resources', 'jobs'],
  ['projections', 'openclaw', 'resources', 'wiki'],
];

export const statusChecks = [
  check('observe.status.agrees-with-ready', async (context) => {
    const [jobId] = await someJobs(context, 1);
    if (jobId !== undefined) await context.target.cancel(jobId);
    const { seen } = await steady(context.target, async () => ({
      ready: await context.target.ready(),
      status: await context.target.readExchange('/v1/status'),
    }));
    for (const name of ['ready', 'projection_lag']) {
      const difference = firstDifference(seen.ready[name], at(seen.status.json, name), name);
      context.must(difference === undefined, `\`${name}\` of /v1/status is that of /v1/ready`, difference, seen.status);
    }
    const manifests = at(seen.status.json, 'projections', 'manifests');
    const statuses = Object.values(isObject(manifests) ? manifests : {}).map((manifest) => textAt(manifest, 'status'));
    const projection = textAt(seen.ready, 'projection_status');
    const isCurrent = statuses.length > 0 && statuses.every((status) => status === 'current');
    const expected = '`projection_status` of /v1/ready is `current` where every manifest of /v1/status is';
    context.must(!isCurrent || projection === 'current', expected, projection, seen.status);
  }),

  check('observe.status.empty-arrays', async (context) => {
    const server = await context.server();
    const status = await server.readExchange('/v1/status');
    const events = await server.readExchange('/v1/events');
    const isEmpty = (answer: Exchange, path: readonly string[]): void => {
      const list = at(answer.json, ...path);
      const holds = Array.isArray(list) && list.length === 0;
      context.must(holds, `on an empty data folder: ${path.join('.')} is []`, shown(list ?? 'absent'), answer);
    };
    for (const path of emptyLists) isEmpty(status, path);
    isEmpty(events, ['events']);
  }),

  check('observe.status.manifests', async (context) => {
    await someJobs(context, 2);
    const answer = await context.target.readExchange('/v1/status');
    const manifests = at(answer.json, 'projections', 'manifests');
    context.must(isObject(manifests), '`projections.manifests` is an object', shown(manifests), answer);
    if (!isObject(manifests)) return;
    for (const name of projectionNames) {
      context.must(isObject(manifests[name]), `a manifest of ${name}`, Object.keys(manifests), answer);
    }
    const head = textAt(answer.json, 'projections', 'last_event_id');
    for (const [name, manifest] of Object.entries(manifests)) judgeManifest(context, name, manifest, head, answer);
  }),

  check('observe.status.head-equals-ledger-head', async (context) => {
    await context.target.status();
    await someJobs(context, 1);
    const { seen, events, list } = await steady(context.target, () => context.target.readExchange('/v1/status'));
    const head = eventIds(events).at(-1);
    const heads: readonly (readonly [string, Exchange, readonly string[]])[] = [
      ['/v1/events', list, ['last_event_id']],
      ['/v1/status', seen, ['projection_lag', 'last_event_id']],
      ['/v1/status', seen, ['queue', 'last_event_id']],
      ['/v1/status', seen, ['projections', 'last_event_id']],
    ];
    for (const [route, answer, path] of heads) {
      const named = textAt(answer.json, ...path);
      const expected = `${path.join('.')} of ${route} is the id of the last event, ${head}`;
      context.must(named === head, expected, named, answer);
    }
  }),
];

function judgeManifest(
  context: Context,
  name: string,
  manifest: unknown,
  head: string | undefined,
  answer: Exchange,
): void {
  const must = (holds: boolean, expected: string): boolean =>
    context.must(holds, `manifest ${name}: ${expected}`, shown(manifest as JsonObject), answer);
  must(textAt(manifest, 'projection') === name, '`projection` is its key');
  must(projectionStatuses.includes(textAt(manifest, 'status') ?? ''), '`status` is current, stale or degraded');
  must(instant(at(manifest, 'rebuilt_at')) !== undefined, '`rebuilt_at` is RFC 3339');
  if (head !== undefined) {
    must(textAt(manifest, 'last_event_id') === head, `\`last_event_id\` is that of the projections, ${head}`);
  }
}
