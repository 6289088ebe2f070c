/**
 * The stage reduce: statements that say the same become one, and each is compared with what `.agents/learnings` holds
 * already. What people wrote there is known; a learning of an earlier run gets the new places.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BuiltinContext } from '../builtin-context.js';
import type { FoundStatement, Ingested } from './ingest.js';
import { type KnownLearnings, readLearnings } from './known-learnings.js';
import { learningName, mergePlaces, type Place } from './learning.js';
import { createLikeness } from './likeness.js';
import { LEARNINGS_FOLDER } from './sources.js';
import type { StatementKind } from './statements.js';

export interface Group {
  readonly statement: string;
  readonly kind: StatementKind;
  /** Relative to the root: where it is learned, or will be. */
  readonly file: string;
  /** `more`: an earlier run learned it, and now it was found in further places. */
  readonly status: 'new' | 'more' | 'known';
  /** Those of an earlier run among them. */
  readonly places: readonly Place[];
  /** Paths of the sources of this run that say so. Sorted. */
  readonly found: readonly string[];
  /** How many statements it stands for. */
  readonly said: number;
}
export interface Reduced {
  /** Sorted by file. */
  readonly groups: readonly Group[];
  /** The agent that was asked too; absent where none was. */
  readonly reduced_by?: string;
  /** Why what it said could not be used. */
  readonly agent_problem?: string;
}

/** Statements that are compared with all others before the thread does anything else. */
const PLACED_AT_ONCE = 100;

interface Gathered {
  readonly base: KnownLearnings['known'][number] | undefined;
  readonly members: FoundStatement[];
}

export async function reduce(context: BuiltinContext, { statements }: Ingested): Promise<Reduced> {
  const { known } = await readLearnings(context.root, context.signal);
  // What is longest says most: of several it stands for the others.
  const candidates = [...statements].sort(byLength);
  const likeness = createLikeness([...known, ...candidates].map(({ text }) => text));
  const gathered = new Map<number, Gathered>();
  const rest = restEvery(PLACED_AT_ONCE, context.signal);
  for (const base of known) {
    await rest();
    const { index, isNew } = likeness.place(base.text);
    if (isNew) gathered.set(index, { base, members: [] });
  }
  for (const statement of candidates) {
    await rest();
    const { index } = likeness.place(statement.text);
    const group = gathered.get(index) ?? { base: undefined, members: [] };
    group.members.push(statement);
    gathered.set(index, group);
  }
  const groups = [...gathered.values()].flatMap((group) => groupOf(group) ?? []);
  return { groups: groups.sort((a, b) => (a.file < b.file ? -1 : 1)) };
}

/** The longest first; of equals the order of the texts, then of the sources, so that nothing is left to chance. */
function byLength(a: FoundStatement, b: FoundStatement): number {
  if (a.text.length !== b.text.length) return b.text.length - a.text.length;
  const [ofA, ofB] = a.text === b.text ? [a.source, b.source] : [a.text, b.text];
  return ofA < ofB ? -1 : ofA > ofB ? 1 : 0;
}

/** Lets the thread show that it lives, once so many steps. */
function restEvery(steps: number, signal: AbortSignal): () => Promise<void> {
  let done = 0;
  return async () => {
    done += 1;
    if (done % steps !== 0) return;
    signal.throwIfAborted();
    await nextTurn();
  };
}

/** Undefined for a learning that nothing was found for. */
function groupOf({ base, members }: Gathered): Group | undefined {
  const [first] = members;
  if (first === undefined) return undefined;
  const here = mergePlaces([], members.map(placeOf));
  const counted = { found: [...new Set(members.map(({ source }) => source))].sort(), said: members.length };
  if (base === undefined) {
    const file = `${LEARNINGS_FOLDER}/${learningName(first.text)}`;
    return { statement: first.text, kind: first.kind, file, status: 'new', places: here, ...counted };
  }
  const { text: statement, file, learning } = base;
  if (learning === undefined) return { statement, kind: first.kind, file, status: 'known', places: here, ...counted };
  const places = mergePlaces(learning.sources, here);
  const status = JSON.stringify(places) === JSON.stringify(learning.sources) ? 'known' : 'more';
  return { statement, kind: learning.kind, file, status, places, ...counted };
}

function placeOf({ source, heading }: FoundStatement): Place {
  return { path: source, ...(heading === '' ? {} : { heading }) };
}
