/** `GET /v1/events`: the whole history, in its order. */
import { check, NotTested } from '../check.js';
import type { Context } from '../context.js';
import { at, instant, type JsonObject, listAt, numberAt, objectsAt, same, shown, textAt } from '../json.js';
import { canDamage } from '../target/damage.js';
import type { OwnServer } from '../target/own-server.js';
import type { Target } from '../target/target.js';
import { damaged } from './damaged.js';
import { eventIds, someJobs, steady } from './steady.js';

export const eventChecks = [
  check('observe.events.envelope', async (context) => {
    const [jobId] = await someJobs(context, 1);
    const answer = await context.target.readExchange('/v1/events');
    context.demand(Array.isArray(at(answer.json, 'events')), '`events` is a list', shown(answer.text), answer);
    const events = objectsAt(answer.json, 'events');
    context.must(
      events.some((event) => event['job_id'] === jobId),
      `an event of job ${jobId}, which was accepted`,
      `${events.length} others`,
      answer,
    );
    const last = textAt(events.at(-1), 'event_id');
    const named = textAt(answer.json, 'last_event_id');
    context.must(named === last, `\`last_event_id\` is that of the last event, ${last}`, named, answer);
    for (const event of events) {
      const problem = envelopeProblem(event);
      if (!context.must(problem === undefined, problem ?? '', event, answer)) break;
    }
  }),

  check('observe.events.count-matches-lag', async (context) => {
    await someJobs(context, 1);
    await mustCount(context, context.target);
    // Damaged lines are counted elsewhere, never as events.
    if (context.ownsProcess && canDamage(context.profile))
      await mustCount(context, (await damaged(context, 'middle')).server);
  }),

  check('observe.events.ids-unique', async (context) => {
    const own = context.ownsProcess ? await context.server() : undefined;
    const target: Target = own ?? context.target;
    const ids = await someJobs(context, 10, target);
    await context.inLanes(ids.slice(0, 5), 5, (jobId) => target.cancel(jobId));
    await restarted(own);
    await someJobs(context, 5, target);
    const answer = await target.readExchange('/v1/events');
    const events = objectsAt(answer.json, 'events');
    const seen = new Set<string>();
    for (const id of eventIds(events)) {
      context.must(!seen.has(id), 'every event_id once', `twice: ${id}`, answer);
      context.must(id !== '' && !/\s/.test(id), 'an event_id that is not empty and has no white space', id, answer);
      seen.add(id);
    }
  }),

  check('observe.events.append-only', async (context) => {
    const first = await context.target.events();
    const [jobId] = await someJobs(context, 1);
    const second = await context.target.events();
    mustBegin(context, second, first, 'a submit');
    if (jobId === undefined) throw new NotTested('there is no token');
    await context.target.cancel(jobId);
    mustBegin(context, await context.target.events(), second, 'a cancel');
  }),

  check('observe.events.submission-order', async (context) => {
    const ids = await someJobs(context, 3);
    const events = await context.target.readExchange('/v1/events');
    const accepted = objectsAt(events.json, 'events').filter((event) => event['event_type'] === 'job.accepted');
    const status = await context.target.readExchange('/v1/status');
    for (const [where, list, answer] of [
      ['accepted events', accepted, events],
      ['queue.jobs', objectsAt(status.json, 'queue', 'jobs'), status],
    ] as const) {
      const seen = list.map((each) => textAt(each, 'job_id') ?? '').filter((id) => ids.includes(id));
      const wanted = ids.filter((id) => seen.includes(id));
      const expected = `${where} in the order of submission: ${wanted.join(', ')}`;
      context.must(same(seen, wanted), expected, seen.join(', '), answer);
      if (wanted.length < ids.length) {
        throw new NotTested(`${wanted.length} of ${ids.length} jobs are among the ${where}, see enqueue.submit`);
      }
    }
  }),
];

function envelopeProblem(event: JsonObject): string | undefined {
  if (event['schema_version'] !== 1) return '`schema_version` of an event is 1';
  for (const name of ['event_id', 'request_id', 'job_id', 'event_type', 'actor']) {
    if ((textAt(event, name) ?? '') === '') return `\`${name}\` of an event is a text that is not empty`;
  }
  return instant(event['occurred_at']) === undefined ? '`occurred_at` of an event is RFC 3339' : undefined;
}

async function mustCount(context: Context, target: Target): Promise<void> {
  const { seen, list, events } = await steady(target, () => target.readExchange('/v1/ready'));
  const count = numberAt(seen.json, 'projection_lag', 'event_count');
  context.must(count === events.length, `event_count ${events.length}, as many as /v1/events has`, count, seen);
  const corrupt = numberAt(seen.json, 'projection_lag', 'corrupt_record_count') ?? 0;
  const listed = listAt(list.json, 'corrupt').length;
  const asCounted = `${corrupt} records in \`corrupt\`, as corrupt_record_count says`;
  context.must(listed === corrupt, asCounted, listed, list);
}

async function restarted(own: OwnServer | undefined): Promise<void> {
  await own?.crash();
}

function mustBegin(context: Context, list: readonly JsonObject[], beginning: readonly JsonObject[], by: string): void {
  const index = beginning.findIndex((event, place) => !same(event, list[place]));
  const expected = `after ${by}, event ${index + 1} as it was: ${shown(beginning[index])}`;
  context.must(index < 0, expected, shown(list[index] ?? 'absent'));
}
