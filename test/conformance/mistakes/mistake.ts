/**
 * A mistake of a server, and the check that has to see it. What is written here is shown by a correct daemon whose
 * requests and answers pass through a front; `make` runs once a start, so what it closes over is lost by a restart just as
 * memory is.
 */
import type { Changes } from '../front.js';
import type { Room } from '../fronted-daemon.js';
import { type Answer, type Asked, type Body, bodyOf, routeOf, type WireJob, withBody } from '../wire.js';

export type { Room } from '../fronted-daemon.js';

export interface Mistake {
  /** The check that has to see it. */
  readonly check: string;
  readonly what: string;
  /** Checks that have to run with it, because they bring about what it shows in. */
  readonly beside: readonly string[];
  readonly make: (room: Room) => Mistaken;
  /** A module that the daemon itself loads first, relative to the folder above: for what no front can show. */
  readonly preload?: string;
}

export interface Mistaken extends Changes {
  /** The daemon is there, and nobody has asked it anything yet. */
  started?(): Promise<void>;
}

export function mistake(
  check: string,
  what: string,
  made: Mistaken | ((room: Room) => Mistaken),
  beside: readonly string[] = [],
): Mistake {
  return { check, what, beside, make: typeof made === 'function' ? made : () => made };
}

/** Edits the JSON of the good answers of some routes, in place or by answering another value. */
export function edits(route: RegExp, edit: (body: Body, asked: Asked) => unknown): Mistaken {
  return {
    async answer(answer, asked) {
      if (answer.status >= 300 || !route.test(routeOf(asked))) return undefined;
      const body = bodyOf(answer);
      if (body === undefined) return undefined;
      const before = JSON.stringify(body);
      const after = (await edit(body, asked)) ?? body;
      return JSON.stringify(after) === before ? undefined : withBody(answer, after);
    },
  };
}

/** Changes the JSON of requests to some routes before the daemon sees them; undefined: as it is. */
export function asksOtherwise(
  route: RegExp,
  change: (body: Body, asked: Asked) => Body | Answer | undefined | Promise<Body | Answer | undefined>,
): Mistaken {
  return {
    async ask(asked) {
      const body = route.test(routeOf(asked)) ? bodyOf(asked) : undefined;
      const changed = body && (await change(structuredClone(body), asked));
      if (changed === undefined) return undefined;
      return isAnswer(changed) ? changed : withBody(asked, changed);
    },
  };
}

function isAnswer(value: Body | Answer): value is Answer {
  return Buffer.isBuffer(value.body);
}

/** The queue's jobs in `/v1/status`. */
export function editsQueue(edit: (job: WireJob) => void): Mistaken {
  return edits(STATUS, ({ queue }) => {
    for (const job of queue.jobs) edit(job);
  });
}

export const STATUS = /^GET \/v1\/status$/;
export const READY = /^GET \/v1\/ready$/;
export const EVENTS = /^GET \/v1\/events$/;
export const SUBMIT = /^POST \/v1\/jobs$/;
export const TRIGGER = /^POST \/openclaw\/v1\/triggers\/jobs$/;
export const CANCEL = /^POST \/v1\/jobs\/cancel$/;
export const CONSUMER = /^GET \/openclaw\/v1\//;
export const ANY_READ = /^GET /;

export function isTerminal({ status }: { readonly status: string }): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Replaces text in everything that is answered. */
export function saysOtherwise(pattern: RegExp, by: string): Mistaken {
  return {
    answer(answer) {
      const text = answer.body.toString('utf8');
      const other = text.replace(pattern, by);
      return other === text ? undefined : { ...answer, body: Buffer.from(other) };
    },
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
