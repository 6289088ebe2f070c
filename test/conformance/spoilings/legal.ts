/** What the contract leaves to a server: none of it may be complained of. */
import type { Changes } from '../front.js';
import { pause } from '../mistakes/mistake.js';
import { type Answer, type Asked, bodyOf, routeOf, withBody, withHeader } from '../wire.js';
import type { Spoiling } from './spoiling.js';

type Change = (answer: Answer, asked: Asked) => Answer | undefined | Promise<Answer | undefined>;

function legal(member: string, kind: string, change: Change): Spoiling {
  return { route: '*', member, kind, right: [], probe: ['*'], make: (): Changes => ({ answer: change }) };
}

type Json = Record<string, unknown>;

/** Their names are data. */
const MAPS = ['manifests', 'artifacts', 'artifact_refs'];

/** Every object of an answer, from the inside outwards. */
function everywhere(change: (object: Json) => Json): Change {
  const walk = (value: unknown, above = ''): unknown => {
    if (Array.isArray(value)) return value.map((each) => walk(each));
    if (typeof value !== 'object' || value === null) return value;
    const inner = Object.entries(value).map(([name, each]) => [name, name === 'payload' ? each : walk(each, name)]);
    const object = Object.fromEntries(inner) as Json;
    return MAPS.includes(above) ? object : change(object);
  };
  return (answer) => {
    const body = bodyOf(answer);
    return body === undefined ? undefined : withBody(answer, walk(body));
  };
}

const TIME = /"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d+)Z"/g;
const texts =
  (change: (text: string) => string): Change =>
  (answer) => ({
    ...answer,
    body: Buffer.from(change(answer.body.toString('utf8'))),
  });
/** Additions of this project, in headers and members. */
const OWN_HEADERS = [
  'cache-control',
  'x-content-type-options',
  'etag',
  'agentopsd-error',
  'idempotency-conflict',
  'x-accel-buffering',
];
const OWN_MEMBERS = [
  'seq',
  'prev_hash',
  'commit',
  'segment',
  'segment_line',
  'attention',
  'warnings',
  'verified_through',
];

/** The daemon goes on knowing them by its own. */
const otherIds: Spoiling = {
  ...legal('event ids', 'other ones', () => undefined),
  make: () => ({
    ask: (asked) => (/evt/.test(asked.query) ? undefined : { ...asked, query: asked.query.replace(/ev-/g, 'evt_') }),
    answer: texts((text) => text.replace(/"(snap_)?evt_/g, '"$1ev-')),
  }),
};

export const legalSpoilings: readonly Spoiling[] = [
  legal('nothing', 'as it is', () => undefined),
  legal(
    'members',
    'one more in each object',
    everywhere((object) => ({ ...object, x_other: { of: ['another', null, 1.5] } })),
  ),
  legal(
    'members',
    'in another order',
    everywhere((object) => Object.fromEntries(Object.entries(object).reverse())),
  ),
  legal(
    'members',
    'no additions of this project',
    everywhere((object) => Object.fromEntries(Object.entries(object).filter(([name]) => !OWN_MEMBERS.includes(name)))),
  ),
  legal('headers', 'no additions of this project', (answer) =>
    OWN_HEADERS.reduce((kept, name) => withHeader(kept, name, undefined), answer),
  ),
  legal('headers', 'others', (answer) => withHeader(withHeader(answer, 'x-request-id', 'r-1'), 'server', 'other/1.0')),
  legal('Content-Type', 'with a charset', (answer) =>
    withHeader(answer, 'content-type', 'application/json; charset=utf-8'),
  ),
  legal('Content-Type', 'in capitals', (answer) => withHeader(answer, 'content-type', 'Application/JSON')),
  legal('the text', 'with blanks and line ends', (answer) => {
    const body = bodyOf(answer);
    return body === undefined ? undefined : { ...answer, body: Buffer.from(`${JSON.stringify(body, null, 2)}\n`) };
  }),
  legal(
    'the text',
    'escaped',
    texts((text) =>
      text
        .replace(/[\u0080-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .replaceAll('/', '\\/'),
    ),
  ),
  legal(
    'times',
    'in microseconds',
    texts((text) => text.replace(TIME, '"$1.$2000Z"')),
  ),
  legal(
    'times',
    'as an offset of nothing',
    texts((text) => text.replace(TIME, '"$1.$2+00:00"')),
  ),
  otherIds,
  legal(
    'daemon',
    'another name',
    everywhere((object) => (object['daemon'] === 'agentopsd' ? { ...object, daemon: 'otherd' } : object)),
  ),
  legal(
    'actor',
    'another name',
    everywhere((object) =>
      typeof object['actor'] === 'string' ? { ...object, actor: `who:${object['actor']}` } : object,
    ),
  ),
  legal(
    'error',
    'other words',
    everywhere((object) => (typeof object['error'] === 'string' ? { ...object, error: 'no, not so' } : object)),
  ),
  legal('Allow', 'more methods, small letters', (answer) => {
    const { allow } = answer.headers;
    return typeof allow === 'string' ? withHeader(answer, 'allow', `OPTIONS, ${allow}`) : undefined;
  }),
  legal(
    'output_paths',
    'absent',
    everywhere(({ output_paths: _, ...object }) => object),
  ),
  legal('corrupt', 'an empty list', (answer, asked) => {
    const body = bodyOf(answer);
    return body?.events === undefined || routeOf(asked) !== 'GET /v1/events'
      ? undefined
      : withBody(answer, { corrupt: [], ...body });
  }),
  legal('the answer', '150 ms later', async (answer) => {
    await pause(150);
    return { ...answer };
  }),
];
