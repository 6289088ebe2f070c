/** Looking at one state through several routes: what is compared must not change in between. */
import { NotTested } from '../check.js';
import type { Context } from '../context.js';
import { type JsonObject, listAt, objectsAt, same, textAt } from '../json.js';
import { type Exchange, NoAnswer } from '../target/exchange.js';
import type { Target } from '../target/target.js';

const TRIES = 8;

export interface Steady<T> {
  readonly seen: T;
  /** What `/v1/events` answered before and after. */
  readonly list: Exchange;
  readonly events: readonly JsonObject[];
}

/** Looks while no event comes; tries again where one did. @throws NotTested where one always does */
export async function steady<T>(target: Target, look: () => Promise<T>): Promise<Steady<T>> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    await target.quiet();
    const before = await target.readExchange('/v1/events');
    const seen = await look();
    const after = await target.readExchange('/v1/events');
    if (same(idsOf(before), idsOf(after))) return { seen, list: after, events: objectsAt(after.json, 'events') };
  }
  throw new NotTested('the ledger never stood still: others write all the time');
}

function idsOf({ json }: Exchange): unknown[] {
  return listAt(json, 'events').map((event) => textAt(event, 'event_id'));
}

/** `count` jobs, each with an accepted event, where there is a token. Returns their ids in order. */
export async function someJobs(context: Context, count: number, target: Target = context.target): Promise<string[]> {
  const ids: string[] = [];
  if (!target.hasToken) return ids;
  for (let number = 0; number < count; number += 1) {
    const envelope = context.envelope();
    await context.accepted(envelope, target);
    ids.push(String(envelope['job_id']));
  }
  return ids;
}

/** Events behind a cursor, as a query says. @throws NoAnswer */
export async function page(
  target: Target,
  query: string,
): Promise<{ answer: Exchange; events: readonly JsonObject[] }> {
  const answer = await target.get(`/v1/events?${query}`);
  if (answer.status !== 200) throw new NoAnswer(`status ${answer.status}, where 200 was expected`, answer);
  return { answer, events: objectsAt(answer.json, 'events') };
}

export function eventIds(events: readonly JsonObject[]): string[] {
  return events.map((event) => textAt(event, 'event_id') ?? '');
}
