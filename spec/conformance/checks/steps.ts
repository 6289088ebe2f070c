/** What several checks do on their way to what they look at. */
import { NotTested } from '../check.js';
import { type Context, said } from '../context.js';
import { isObject, type JsonObject, same, shown, textAt } from '../json.js';
import { type Ask, type Exchange, NoAnswer } from '../target/exchange.js';
import type { Target } from '../target/target.js';

/** A submit that was taken. */
export interface Taken {
  readonly jobId: string;
  readonly answer: Exchange;
}

/** Submits with the token and needs a good answer that names a job. @throws Ended */
export async function taken(context: Context, envelope: JsonObject, target: Target = context.target): Promise<Taken> {
  const answer = await context.accepted(envelope, target);
  const jobId = textAt(answer.json, 'job_id') ?? '';
  context.demand(jobId !== '', 'the answer of a submit names its job', said(answer), answer);
  return { jobId, answer };
}

/** The same but for the members named. */
export function omitting(envelope: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(envelope).filter(([name]) => !names.includes(name)));
}

/** The events by which a job was accepted that has one of these as its id, its request id or its key. */
export async function acceptedAs(names: Iterable<string>, target: Target): Promise<readonly JsonObject[]> {
  const wanted = new Set(names);
  const has = (name: string | undefined): boolean => name !== undefined && wanted.has(name);
  return (await target.events()).filter(
    (event) =>
      event['event_type'] === 'job.accepted' &&
      (has(textAt(event, 'job_id')) ||
        has(textAt(event, 'request_id')) ||
        has(textAt(event, 'payload', 'idempotency_key'))),
  );
}

/** Only one job may have come of everything that was sent under these names. */
export async function mustBeOneJob(
  context: Context,
  of: string,
  names: Iterable<string>,
  { target = context.target, seen }: { target?: Target; seen?: Exchange | undefined } = {},
): Promise<void> {
  const found = await acceptedAs(names, target);
  const observed = `${found.length} of them: ${shown(found.map((event) => event['event_id']))}`;
  context.must(found.length === 1, `${of}: one job.accepted`, observed, seen);
}

/** A job as the queue shows it. @throws NotTested where it is not shown: other checks tell that */
export async function queuedJob(jobId: string, target: Target): Promise<JsonObject> {
  const job = await target.job(jobId);
  if (job === undefined) throw new NotTested(`the queue does not show job ${jobId}, see enqueue.submit.in-status`);
  return job;
}

/** An answer to a retry is of the same kind as the first one, and names the same job. */
export function mustBeSameJob(context: Context, of: string, { jobId, answer: first }: Taken, retry: Exchange): boolean {
  const expected = `${of}: ${first.status} with job_id ${jobId}`;
  const holds = retry.status === first.status && textAt(retry.json, 'job_id') === jobId;
  return context.must(holds, expected, said(retry), retry);
}

/** An envelope that is known again by its key alone. */
export function keyed(context: Context, key: string, more: JsonObject = {}): JsonObject {
  return omitting(context.envelope({ idempotency_key: key, ...more }), 'job_id');
}

/** Where a key is never known again, nothing can be said of when it is forgotten. @throws NotTested */
export async function needKnownByKey(context: Context, { jobId }: Taken, key: string, target = context.target) {
  const retry = await target.submit(keyed(context, key));
  if (textAt(retry.json, 'job_id') === jobId) return;
  throw new NotTested('a key is not known again even at once, see enqueue.idem.key');
}

/** The same for ids. @throws NotTested */
export async function needKnownById(context: Context, { jobId }: Taken, target = context.target): Promise<void> {
  const retry = context.envelope({ job_id: jobId });
  await target.submit(retry);
  const events = await acceptedAs([jobId, String(retry['request_id'])], target);
  if (events.length !== 1) throw new NotTested('a job_id is not known again even at once, see enqueue.idem.job-id');
}

/** What was read before is the beginning of what is read now. */
export function mustBegin(context: Context, before: readonly JsonObject[], now: readonly JsonObject[]): void {
  const index = before.findIndex((event, place) => !same(event, now[place]));
  const expected = `event ${index + 1} of ${before.length} as before: ${shown(before[index])}`;
  context.must(index < 0, expected, now[index] ?? `only ${now.length} events`);
}

/** The error of an answer is told as the contract has it. */
export function mustTellError(context: Context, answer: Exchange, of: string): void {
  const error = isObject(answer.json) ? answer.json['error'] : undefined;
  context.must(
    typeof error === 'string' && error.trim() !== '',
    `${of}: an object with a text in \`error\``,
    said(answer),
    answer,
  );
}

/** A body that is refused. */
export interface Refused {
  readonly what: string;
  /** Made anew for every try, so that each has ids of its own. */
  readonly body: () => Ask['body'];
}

/** Each body is answered with 400, and nothing comes of it. */
export async function mustRefuse(context: Context, refused: readonly Refused[], status = 400): Promise<void> {
  await context.mustAppendNothing('bodies that are refused', async () => {
    for (const { what, body } of refused) {
      const sent = body();
      const answer = await context.target.submit(sent ?? '');
      context.mustAnswer(answer, status, what);
    }
  });
}

const TRIES = 3;

/**
 * For bodies that are answered before they were read: a server may close too early for the client to see the answer, and
 * is given more chances.
 * @throws NoAnswer
 */
export async function patiently(ask: () => Promise<Exchange>): Promise<Exchange> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof NoAnswer) || attempt === TRIES) throw error;
    }
  }
}

/** The whole answers of many requests at the same time. */
export function together<Item>(items: readonly Item[], ask: (item: Item) => Promise<Exchange>): Promise<Exchange[]> {
  return Promise.all(items.map(ask));
}

export function times(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
