/** The answer as a whole: its status, its headers, its text. */
import type { Changes } from '../front.js';
import { type Answer, type Asked, answerOf, bodyOf, routeOf, withBody, withHeader } from '../wire.js';
import { routePattern } from './member-spoilings.js';
import { documentedRoutes } from './members.js';
import { glanceFor, shapeChecks } from './right.js';
import type { Spoiling } from './spoiling.js';

type Change = (answer: Answer, asked: Asked) => Answer | undefined;

const asText = (answer: Answer, change: (text: string) => string): Answer => ({
  ...answer,
  body: Buffer.from(change(answer.body.toString('utf8'))),
});

/** What is done to a good answer; its JSON says the same, or nothing any more. */
const goodOnes: readonly (readonly [member: string, kind: string, change: Change])[] = [
  ['status code', '201', (answer) => ({ ...answer, status: 201 })],
  ['status code', '200 and 202 exchanged', (answer) => ({ ...answer, status: answer.status === 200 ? 202 : 200 })],
  ['status code', '204 without a body', (answer) => ({ ...answer, status: 204, body: Buffer.alloc(0) })],
  ['status code', '503', () => answerOf(503, { error: 'too busy' })],
  ['Content-Type', 'removed', (answer) => withHeader(answer, 'content-type', undefined)],
  ['Content-Type', 'text/plain', (answer) => withHeader(answer, 'content-type', 'text/plain')],
  ['Content-Type', 'text/html', (answer) => withHeader(answer, 'content-type', 'text/html; charset=utf-8')],
  ['Content-Length', 'too small', (answer) => withHeader(answer, 'content-length', `${answer.body.length - 1}`)],
  ['Content-Length', 'too large', (answer) => withHeader(answer, 'content-length', `${answer.body.length + 1}`)],
  ['the text', 'garbage behind it', (answer) => asText(answer, (text) => `${text}x`)],
  ['the text', 'a second value behind it', (answer) => asText(answer, (text) => `${text}{}`)],
  ['the text', 'cut short', (answer) => asText(answer, (text) => text.slice(0, -1))],
  ['the text', 'empty', (answer) => asText(answer, () => '')],
  ['the text', 'in a list', (answer) => asText(answer, (text) => `[${text}]`)],
  ['the text', 'NaN in it', (answer) => asText(answer, (text) => text.replace(/^\{/, '{"conformance":NaN,'))],
  ['the text', 'a member twice', (answer) => asText(answer, twice)],
  ['the text', 'HTML', (answer) => asText(answer, () => '<html><body>ok</body></html>')],
];

/** The first member again, with another value, before the true one. */
function twice(text: string): string {
  return text.replace(/^\{("[^"]*":)/, '{$1"another",$1');
}

interface Refusal {
  readonly what: string;
  readonly is: (asked: Asked, answer: Answer) => boolean;
  readonly statuses: readonly number[];
  readonly right: readonly string[];
}

const on = (route: RegExp, status: number) => (asked: Asked, answer: Answer) =>
  answer.status === status && route.test(routeOf(asked));
const READ = /^[A-Z]+ \/v1\/(?:health|ready|status|events)$/;

const refusals: readonly Refusal[] = [
  {
    what: 'an unknown cursor',
    is: (asked, answer) => on(/\/v1\/events$/, 400)(asked, answer) && /since|after_id/.test(asked.query),
    statuses: [200, 404, 409, 422, 500],
    right: ['observe.events.cursor-unknown'],
  },
  {
    what: 'a bad limit',
    is: (asked, answer) => on(/\/v1\/events$/, 400)(asked, answer) && /limit/.test(asked.query),
    statuses: [200, 404, 422, 500],
    right: ['observe.events.limit-invalid'],
  },
  { what: 'a method of a read', is: on(READ, 405), statuses: [200, 404, 501], right: ['observe.http.method-405'] },
  {
    what: 'a method of a submit or cancel',
    is: on(/^(?!POST)[A-Z]+ \/v1\/jobs(?:\/cancel)?$/, 405),
    statuses: [200, 404, 403],
    right: ['enqueue.http.method-405', 'enqueue.auth.off-list-path'],
  },
  {
    what: 'a method of a consumer read',
    is: on(/\/openclaw\/v1\/(?!triggers)/, 405),
    statuses: [200, 404, 202],
    right: ['project.consumer.read-only'],
  },
  {
    what: 'a method of the trigger',
    is: on(/triggers/, 405),
    statuses: [200, 404],
    right: ['project.trigger.bad-input'],
  },
  {
    what: 'an unknown path',
    is: on(/^GET/, 404),
    statuses: [200, 403, 405, 500],
    right: ['observe.http.unknown-path'],
  },
  {
    what: 'a denied submit',
    is: on(/^POST \/v1\/jobs$/, 403),
    statuses: [401, 404, 400, 202],
    right: ['enqueue.auth.*'],
  },
  {
    what: 'a denied cancel',
    is: on(/^POST \/v1\/jobs\/cancel$/, 403),
    statuses: [401, 404, 400, 202],
    right: ['execute.cancel.denied-no-effect', 'enqueue.auth.every-route'],
  },
  {
    what: 'a denied trigger',
    is: on(/triggers/, 403),
    statuses: [401, 404, 202],
    right: ['project.trigger.auth', 'enqueue.auth.every-route'],
  },
  {
    what: 'a bad submit',
    is: on(/^POST \/v1\/jobs$/, 400),
    statuses: [202, 409, 422, 500, 403],
    right: ['enqueue.validate.*'],
  },
  {
    what: 'a large submit',
    is: on(/^POST \/v1\/jobs$/, 413),
    statuses: [400, 202, 500],
    right: ['enqueue.validate.oversized'],
  },
  {
    what: 'a bad cancel',
    is: on(/^POST \/v1\/jobs\/cancel$/, 400),
    statuses: [404, 202, 422],
    right: ['execute.cancel.bad-request'],
  },
  {
    what: 'a large cancel',
    is: on(/^POST \/v1\/jobs\/cancel$/, 413),
    statuses: [400, 202],
    right: ['execute.cancel.bad-request'],
  },
  {
    what: 'a cancel of an unknown job',
    is: on(/^POST \/v1\/jobs\/cancel$/, 404),
    statuses: [202, 400, 410],
    right: ['execute.cancel.unknown'],
  },
  {
    what: 'a trigger of another type',
    is: (asked, answer) => on(/triggers/, 400)(asked, answer) && bodyOf(asked)?.job_type !== undefined,
    statuses: [202, 403, 422],
    right: ['project.trigger.not-allowlisted'],
  },
  { what: 'a large trigger', is: on(/triggers/, 413), statuses: [400, 202], right: ['project.trigger.bad-input'] },
];

/** What is done to the error of a refusal. */
const errors: readonly (readonly [kind: string, change: Change])[] = [
  ['text/plain', (answer) => withHeader(answer, 'content-type', 'text/plain')],
  ['no `error`', (answer) => withBody(answer, { message: 'it was refused' })],
  ['an empty `error`', (answer) => withBody(answer, { ...bodyOf(answer), error: '' })],
  ['an object in `error`', (answer) => withBody(answer, { error: { message: 'it was refused' } })],
  ['plain words', (answer) => asText(answer, () => 'it was refused')],
  ['no body', (answer) => asText(answer, () => '')],
];

export function answerSpoilings(): Spoiling[] {
  return [...good(), ...refused(), ...allowed()];
}

function good(): Spoiling[] {
  return documentedRoutes().flatMap(({ route }, index) => {
    const pattern = routePattern(route);
    // All of them for the first route of each kind, of the others every third.
    const isFirst = /\/v1\/(?:status|jobs)$|snapshot/.test(route);
    return goodOnes
      .filter((_, each) => isFirst || each % 3 === index % 3)
      .map(([member, kind, change]) => ({
        route,
        member,
        kind,
        right: [...shapeChecks, ...subjectsOf(route)],
        probe: glanceFor(route),
        make: () =>
          answering((answer, asked) =>
            answer.status < 300 && pattern.test(routeOf(asked)) ? change(answer, asked) : undefined,
          ),
      }));
  });
}

function subjectsOf(route: string): string[] {
  if (/^POST \/v1\/jobs$/.test(route)) return ['enqueue.submit.accepted'];
  if (/cancel/.test(route)) return ['execute.cancel.*'];
  if (/triggers/.test(route)) return ['project.trigger.*'];
  if (/openclaw/.test(route)) return ['project.consumer.shapes'];
  return [`observe.${route.split('/').at(-1)}.*`, 'observe.http.no-token-needed'];
}

function refused(): Spoiling[] {
  return refusals.flatMap(({ what, is, statuses, right }, index) => {
    const make = (change: Change): Changes =>
      answering((answer, asked) => (is(asked, answer) ? change(answer, asked) : undefined));
    const base = { route: what, probe: [...right, 'observe.http.json-errors'] };
    const codes = statuses.map((status) => ({
      ...base,
      member: 'status code',
      kind: String(status),
      right,
      make: () => make((answer) => ({ ...answer, status })),
    }));
    const isPath = what === 'an unknown path';
    const texts = errors
      .filter((_, each) => index === 0 || each % 3 === index % 3)
      .map(([kind, change]) => ({
        ...base,
        member: 'error',
        kind,
        right: isPath ? right : ['observe.http.json-errors', ...right],
        make: () => make(change),
      }));
    return [...codes, ...texts];
  });
}

function allowed(): Spoiling[] {
  const kinds: readonly (readonly [string, string | undefined])[] = [
    ['removed', undefined],
    ['another method', 'PATCH'],
  ];
  return refusals
    .filter(({ what }) => what.startsWith('a method'))
    .flatMap(({ what, is, right }) =>
      kinds.map(([kind, value]) => ({
        route: what,
        member: 'Allow',
        kind,
        right,
        probe: right,
        make: () => answering((answer, asked) => (is(asked, answer) ? withHeader(answer, 'allow', value) : undefined)),
      })),
    );
}

function answering(change: Change): Changes {
  return { answer: (answer, asked) => change(answer, asked) };
}
