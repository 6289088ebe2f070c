/** A damaged ledger: said honestly, everything else kept, nothing repaired by looking. */
import { check } from '../check.js';
import { type Context, said } from '../context.js';
import { consumerReads, readPaths } from '../contract-routes.js';
import { shapeProblem } from '../contract-schemas.js';
import { at, isObject, type JsonObject, listAt, numberAt, objectsAt, same, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';
import { fingerprint } from '../target/files.js';
import type { OwnServer } from '../target/own-server.js';
import { damaged } from './damaged.js';
import { eventIds } from './steady.js';

const SETTLES_WITHIN_MS = 6_000;
const SETTLED_AFTER_MS = 700;
const ALONE_MS = 2_000;

export const degradedChecks = [
  check('observe.degraded.not-ready', async (context) => {
    const { server } = await damaged(context, 'middle');
    const ready = await server.get('/v1/ready');
    context.demandAnswer(ready, 200, 'GET /v1/ready over a damaged ledger');
    const must = (holds: boolean, expected: string): boolean => context.must(holds, expected, said(ready), ready);
    must(at(ready.json, 'ready') === false, '`ready` is false');
    must(textAt(ready.json, 'ledger_replay_status') === 'corrupt', '`ledger_replay_status` is `corrupt`');
    must(textAt(ready.json, 'projection_status') === 'degraded', '`projection_status` is `degraded`');
    must(
      (numberAt(ready.json, 'projection_lag', 'corrupt_record_count') ?? 0) >= 1,
      '`corrupt_record_count` is 1 or more',
    );
    const reasons = listAt(ready.json, 'degraded_reasons');
    must(
      reasons.some((reason) => typeof reason === 'string' && reason.trim() !== ''),
      'a reason in `degraded_reasons`',
    );
    const status = await server.get('/v1/status');
    context.demandAnswer(status, 200, 'GET /v1/status over a damaged ledger');
    const manifests = at(status.json, 'projections', 'manifests');
    for (const [name, manifest] of Object.entries(isObject(manifests) ? manifests : {})) {
      const seen = textAt(manifest, 'status');
      context.must(seen === 'degraded', `manifest ${name} is \`degraded\``, seen, status);
    }
    const openclaw = textAt(status.json, 'projections', 'openclaw', 'status');
    context.must(openclaw === 'degraded', '`projections.openclaw.status` is `degraded`', openclaw, status);
  }),

  check('observe.degraded.corrupt-listed', async (context) => {
    const { server } = await damaged(context, 'middle');
    const events = await server.get('/v1/events');
    context.demandAnswer(events, 200, 'GET /v1/events over a damaged ledger');
    const corrupt = listAt(events.json, 'corrupt');
    context.must(corrupt.length >= 1, '`corrupt` lists what is damaged', at(events.json, 'corrupt'), events);
    for (const record of corrupt) {
      context.must((numberAt(record, 'line_number') ?? 0) >= 1, '`line_number` is 1 or more', record, events);
      context.must((textAt(record, 'error') ?? '') !== '', '`error` says what is wrong', record, events);
    }
    const count = numberAt(await server.ready(), 'projection_lag', 'corrupt_record_count');
    context.must(
      count === corrupt.length,
      `as many as \`corrupt_record_count\` says, ${count}`,
      corrupt.length,
      events,
    );
  }),

  check('observe.degraded.survivors', async (context) => {
    const { server, before } = await damaged(context, 'middle');
    const answer = await server.get('/v1/events');
    context.demandAnswer(answer, 200, 'GET /v1/events over a damaged ledger');
    const after = objectsAt(answer.json, 'events');
    const count = Math.max(1, numberAt(await server.ready(), 'projection_lag', 'corrupt_record_count') ?? 0);
    mustSurvive(context, before, after, count, answer);
  }),

  check('observe.degraded.reads-do-not-write', async (context) => {
    const { server } = await damaged(context, 'middle');
    const paths = [...readPaths, ...consumerReads.map((path) => server.consumerBase + path)];
    const readAll = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) for (const path of paths) await server.get(path);
    };
    const written = await writtenBy(context, server, readAll);
    context.must(written.length === 0, 'no file of the data folder changed by reads', `changed: ${shown(written)}`);
  }),

  check('observe.degraded.torn-tail', async (context) => {
    const { server, before } = await damaged(context, 'torn-tail');
    const ready = await server.get('/v1/ready');
    context.mustAnswer(ready, 200, 'GET /v1/ready behind a record that was cut in half');
    const answer = await server.get('/v1/events');
    context.demandAnswer(answer, 200, 'GET /v1/events behind a record that was cut in half');
    const after = objectsAt(answer.json, 'events');
    const whole = before.slice(0, -1);
    const torn = eventIds(before).at(-1);
    const lost = whole.findIndex((event, place) => !same(event, after[place]));
    context.must(lost < 0, `event ${lost + 1} as it was: ${shown(whole[lost])}`, after[lost], answer);
    for (const event of after.slice(whole.length)) {
      const isHalf = textAt(event, 'event_id') === torn || shapeProblem('Events', { events: [event] }) !== undefined;
      context.must(!isHalf, 'half a record is never served as an event', event, answer);
    }
  }),

  check('observe.degraded.bad-meaning', async (context) => {
    const { server, before, jobIds } = await damaged(context, 'bad-meaning');
    const [ready, status, events] = [
      await server.get('/v1/ready'),
      await server.get('/v1/status'),
      await server.get('/v1/events'),
    ];
    for (const answer of [ready, status, events]) {
      context.mustAnswer(answer, 200, `GET ${answer.path} over a job type that nobody knows`);
    }
    if (events.status !== 200 || status.status !== 200) return;
    const jobs = objectsAt(status.json, 'queue', 'jobs');
    const gone = jobIds.filter((id) => !jobs.some((job) => job['job_id'] === id));
    context.must(gone.length <= 1, 'every other job is still there', `missing: ${gone.join(', ')}`, status);
    const after = eventIds(objectsAt(events.json, 'events'));
    const lost = eventIds(before).filter((id) => !after.includes(id));
    const told = at(ready.json, 'ready') === false && listAt(ready.json, 'degraded_reasons').length > 0;
    context.must(lost.length <= 1 || told, 'every other event is still there', `missing: ${lost.join(', ')}`, events);
    const isOpen = told || (gone.length === 0 && lost.length === 0);
    context.must(isOpen, 'what is not taken is told as degraded, with a reason', said(ready), ready);
  }),
];

/** All but the damaged ones, as they were, in their order. */
function mustSurvive(
  context: Context,
  before: readonly JsonObject[],
  after: readonly JsonObject[],
  damagedRecords: number,
  answer: Exchange,
): void {
  const ids = eventIds(after);
  const missing = eventIds(before).filter((id) => !ids.includes(id));
  const expected = `all but ${damagedRecords} of ${before.length} events`;
  context.must(missing.length <= damagedRecords, expected, `missing: ${shown(missing)}`, answer);
  const kept = before.filter((event) => ids.includes(textAt(event, 'event_id') ?? ''));
  const index = kept.findIndex((event, place) => !same(event, after[place]));
  context.must(index < 0, `in their order, as they were: ${shown(kept[index])}`, after[index], answer);
}

/** Files that change by what is done, and not by themselves. */
async function writtenBy(context: Context, server: OwnServer, action: () => Promise<void>): Promise<string[]> {
  const volatile = context.profile.ledger?.volatile ?? [];
  const look = (): Map<string, string> => fingerprint(server.dataDir, volatile);
  const before = await settled(context, look);
  const startedAt = Date.now();
  await action();
  await context.pause(SETTLED_AFTER_MS);
  const tookMs = Date.now() - startedAt;
  const changed = changes(before, look());
  if (changed.length === 0) return changed;
  const alone = look();
  await context.pause(Math.max(tookMs, ALONE_MS));
  const byThemselves = changes(alone, look());
  return changed.filter((path) => !byThemselves.includes(path));
}

/** What a start writes late is no doing of a read; some files never stand still. */
async function settled(context: Context, look: () => Map<string, string>): Promise<Map<string, string>> {
  const end = Date.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const first = look();
    await context.pause(SETTLED_AFTER_MS);
    if (changes(first, look()).length === 0 || Date.now() > end) return look();
  }
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}
