/**
 * What the contract leaves open, done in another way than our daemon does it: a front that changes all answers alike. A
 * program that judges by the contract must not see any of it.
 */
import type { Changes } from '../front.js';
import type { Room } from '../fronted-daemon.js';
import { type Answer, type Asked, type Body, bodyOf, withBody } from '../wire.js';

/** What a variant may ask of the daemon behind the front. */
export type Behind = Pick<Room, 'read'>;

export interface Varied extends Changes {
  /** What becomes of the JSON of each answer that has some; before `answer`, and parsed once for all variants. */
  edit?(body: Body, status: number): unknown;
}

export interface Variant {
  readonly name: string;
  readonly what: string;
  readonly make: (behind: Behind) => Varied;
}

export type Json = Readonly<Record<string, unknown>>;

export function variant(name: string, what: string, made: Varied | ((behind: Behind) => Varied)): Variant {
  return { name, what, make: typeof made === 'function' ? made : () => made };
}

/** One after the other, as far as each goes; the last one that writes in its own way does. */
export function together(variants: readonly Variant[], behind: Behind): Changes {
  const all = variants.map(({ make }) => make(behind));
  const write = all.findLast((each) => each.write !== undefined)?.write;
  return {
    async ask(asked, sender) {
      let now: Asked = asked;
      for (const { ask } of all) {
        const changed = await ask?.(now, sender);
        if (changed !== undefined && 'status' in changed) return changed;
        now = changed ?? now;
      }
      return now;
    },
    async answer(answer, asked, sender) {
      let now = edited(answer, all);
      for (const each of all) now = (await each.answer?.(now, asked, sender)) ?? now;
      return now;
    },
    ...(write && { write }),
  };
}

function edited(answer: Answer, all: readonly Varied[]): Answer {
  const body = bodyOf(answer);
  if (body === undefined) return answer;
  return withBody(
    answer,
    all.reduce<unknown>((now, { edit }) => (edit === undefined ? now : edit(now as Body, answer.status)), body),
  );
}

/** What somebody sent, and gets back as it was. */
const OPAQUE = new Set(['payload', 'job_payload']);

/**
 * Every object that the contract describes, the innermost first; what a caller sent is left alone, but the payload of an
 * event is the server's own.
 */
export function eachObject(value: unknown, edit: (object: Json, name: string) => Json, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => eachObject(each, edit, name));
  if (typeof value !== 'object' || value === null) return value;
  const isEvent = 'event_type' in value;
  const members = Object.entries(value).map(([member, inner]) => {
    const isLeft = OPAQUE.has(member) && !(isEvent && member === 'payload');
    return [member, isLeft ? inner : eachObject(inner, edit, member)] as const;
  });
  return edit(Object.fromEntries(members), name);
}

/** Texts of some members, wherever they stand outside of what a caller sent. */
export function eachText(
  value: unknown,
  names: readonly string[],
  edit: (text: string, name: string) => string,
): unknown {
  return eachObject(value, (object) =>
    Object.fromEntries(
      Object.entries(object).map(([name, inner]) => [
        name,
        typeof inner === 'string' && names.includes(name) ? edit(inner, name) : inner,
      ]),
    ),
  );
}
