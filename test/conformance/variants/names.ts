/** Names that a server is free to choose: of its events, of itself, of its files. */
import { createHash } from 'node:crypto';
import type { Asked } from '../wire.js';
import { type Behind, eachText, variant } from './variant.js';

const EVENT_ID = /evt_\S+$/;
const ID_MEMBERS = ['event_id', 'last_event_id', 'snapshot_id'];
const CURSORS = ['since', 'after_id'];

/** The same for the same event, after a restart too. */
function uuidOf(eventId: string): string {
  const hex = createHash('sha256').update(eventId).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** Events have UUIDs for ids; who goes on from one is understood. */
export const otherEventIds = variant('uuid-event-ids', 'events have UUIDs for their ids', (behind) => {
  const known = new Map<string, string>();
  const learn = (eventId: string): string => {
    const uuid = uuidOf(eventId);
    known.set(uuid, eventId);
    return uuid;
  };
  return {
    ask: (asked) => translated(asked, known, behind, learn),
    edit: (body) => eachText(body, ID_MEMBERS, (text) => text.replace(EVENT_ID, learn)),
  };
});

/** A cursor of another process is looked for in the whole history. */
async function translated(
  asked: Asked,
  known: ReadonlyMap<string, string>,
  behind: Behind,
  learn: (eventId: string) => string,
): Promise<Asked | undefined> {
  if (!/^(\/v1)?\/events$/.test(asked.path) || asked.query === '') return undefined;
  const query = new URLSearchParams(asked.query);
  for (const name of CURSORS) {
    const cursor = query.get(name);
    if (cursor === null || cursor === '') continue;
    if (!known.has(cursor)) for (const { event_id } of (await behind.read('/v1/events')).events) learn(event_id);
    query.set(name, known.get(cursor) ?? `${cursor}-is-unknown`);
  }
  return { ...asked, query: query.toString() };
}

const OTHERS: Readonly<Record<string, string>> = {
  daemon: 'jobs-r-us',
  actor: 'urn:somebody',
  ledger: 'data/log.db',
  source_ledger: 'data/log.db',
};

export const otherNames = variant('other-names', 'the server, its callers and its files are called otherwise', {
  edit: (body) => eachText(body, Object.keys(OTHERS), (text, name) => OTHERS[name] ?? text),
});
