/** How a request is changed on its way to the daemon. */
import { type Answer, type Asked, type Body, bodyOf, routeOf, withBody, withHeader } from '../wire.js';
import { type Room, type Spoiling, spoilings } from './spoiling.js';

export const SUBMIT = /^POST \/v1\/jobs$/;
export const CANCEL = /^POST \/v1\/jobs\/(?:cancel|[^/]+\/cancel)$/;
export const CANCEL_BY_PATH = /^POST \/v1\/jobs\/(?!cancel$)[^/]+\/cancel$/;
export const TRIGGER = /triggers/;
const EVENTS = /^GET \/v1\/events$/;

/** Undefined leaves it as it is; an answer is given in the daemon's place. */
export type Way = (asked: Asked, room: Room) => Asked | Answer | undefined;

/** Spoilings of requests. @param ways by `member | kind` */
export function asked(route: string, right: readonly string[], ways: Readonly<Record<string, Way>>): Spoiling[] {
  return spoilings(route, right, ways, (way) => (room) => ({ ask: (request) => way(request, room) }));
}

export const onRoute =
  (route: RegExp, change: Way): Way =>
  (request, room) =>
    route.test(routeOf(request)) ? change(request, room) : undefined;

/** @param change gets an object of its own; undefined leaves all as it is */
export const body = (route: RegExp, change: (body: Body) => unknown): Way =>
  onRoute(route, (request) => {
    const sent = bodyOf(request);
    const changed = sent === undefined || Array.isArray(sent) ? undefined : change(structuredClone(sent));
    return changed === undefined ? undefined : withBody(request, changed);
  });

/** One member that is there; `undefined` takes it away. */
export const member = (route: RegExp, name: string, change: (value: unknown) => unknown): Way =>
  body(route, (sent) => (sent[name] === undefined ? undefined : { ...sent, [name]: change(sent[name]) }));

/** A text that is not blank; whatever else a member may be stays what it is. */
export const text = (route: RegExp, name: string, change: (value: string) => unknown): Way =>
  member(route, name, (value) => (typeof value === 'string' && value.trim() !== '' ? change(value) : value));

export const query = (change: (query: URLSearchParams) => unknown): Way =>
  onRoute(EVENTS, (request) => {
    const before = new URLSearchParams(request.query);
    const after = new URLSearchParams(request.query);
    change(after);
    return after.toString() === before.toString() ? undefined : { ...request, query: after.toString() };
  });

export const header = (route: RegExp, name: string, value: (room: Room, before: string) => string | undefined): Way =>
  onRoute(route, (request, room) => {
    const before = request.headers[name];
    const now = value(room, String(before ?? ''));
    return now === before ? undefined : withHeader(request, name, now);
  });

export const dropped = (route: RegExp, name: string): Way => header(route, name, () => undefined);
