/**
 * One thing that is wrong with what passes through: where, and in what way. A correct daemon stands behind it; all else is
 * as that one says. `right` are the checks that it is a matter of, any of which has to complain.
 */
import { idMatches } from '../../../spec/conformance/catalogue.js';
import type { Changes } from '../front.js';
import type { Answer, Asked } from '../wire.js';

export interface Spoiling {
  /** `GET /v1/ready`; `*` for all of them. */
  readonly route: string;
  /** Path of a member in the JSON of the answer, as in places.ts; in words for all else. */
  readonly member: string;
  readonly kind: string;
  /** Patterns of ids. Empty: the contract allows it, and nothing may complain. */
  readonly right: readonly string[];
  /** Patterns of the checks that bring about what it shows in; all others are left out at first. */
  readonly probe: readonly string[];
  readonly make: (room: Room) => Changes;
}

/** Where something is spoiled. */
export interface Room {
  readonly token: string;
  /** Asks the daemon itself. */
  readonly pass: (asked: Asked) => Promise<Answer>;
}

export function nameOf({ route, member, kind }: Pick<Spoiling, 'route' | 'member' | 'kind'>): string {
  return [route, member, kind].join(' | ');
}

export function isRight({ right }: Spoiling, check: string): boolean {
  return right.some((pattern) => idMatches(check, pattern));
}

/**
 * Several of one route that are a matter of the same checks.
 * @param ways by `member | kind`
 * @param probe where other checks than the right ones bring it about
 */
export function spoilings<Way>(
  route: string,
  right: readonly string[],
  ways: Readonly<Record<string, Way>>,
  make: (way: Way) => Spoiling['make'],
  probe: readonly string[] = right,
): Spoiling[] {
  return Object.entries(ways).map(([name, way]) => {
    const [member = '', kind = ''] = name.split(' | ');
    return { route, member, kind, right, probe, make: make(way) };
  });
}

/** Counts from 1 each time that it is asked. */
export function counter(): () => number {
  let count = 0;
  return () => {
    count += 1;
    return count;
  };
}
