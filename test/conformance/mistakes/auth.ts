/** Mistakes in who may change something. */
import { type Asked, answerOf, bodyOf, routeOf, withHeader } from '../wire.js';
import { type Mistaken, mistake, type Room, SUBMIT } from './mistake.js';

const OWN = 'x-agentops-daemon-token';

function isMutation({ method }: Asked): boolean {
  return method === 'POST';
}

function letIn(asked: Asked, { token }: Room): Asked {
  return withHeader(withHeader(asked, OWN, token), 'authorization', undefined);
}

/** What the caller offered; undefined: nothing at all. */
function offered({ headers }: Asked): string | undefined {
  const own = headers[OWN];
  const bearer = headers['authorization'];
  if (typeof own === 'string') return own;
  return typeof bearer === 'string' && /^bearer\b/i.test(bearer) ? bearer.replace(/^bearer\s*/i, '') : undefined;
}

function isRight(asked: Asked, { token }: Room): boolean {
  return offered(asked)?.trim() === token;
}

/** Lets in whom it should not. */
function admits(whom: (asked: Asked, room: Room) => boolean): (room: Room) => Mistaken {
  return (room) => ({
    ask: (asked) => (isMutation(asked) && !isRight(asked, room) && whom(asked, room) ? letIn(asked, room) : undefined),
  });
}

/** Forgets a header of a mutation. */
function overlooks(name: string, when: (value: string) => boolean = () => true): Mistaken {
  return {
    ask(asked) {
      const value = asked.headers[name];
      return isMutation(asked) && typeof value === 'string' && when(value)
        ? withHeader(asked, name, undefined)
        : undefined;
    },
  };
}

function hasTokenElsewhere({ query, headers, body }: Asked, { token }: Room): boolean {
  const basic = /^basic (.*)$/i.exec(String(headers['authorization'] ?? ''))?.[1] ?? '';
  const places = [decodeURIComponent(query), String(headers['cookie'] ?? ''), Buffer.from(basic, 'base64').toString()];
  return [...places, body.toString('utf8')].some((text) => text.includes(token));
}

function readsFirst(asked: Asked): ReturnType<NonNullable<Mistaken['ask']>> {
  if (!SUBMIT.test(routeOf(asked))) return undefined;
  if (asked.body.length > 1_048_576) return answerOf(413, { error: 'too large', max_bytes: 1_048_576 });
  return bodyOf(asked) === undefined ? answerOf(400, { error: 'invalid json' }) : undefined;
}

export const authMistakes = [
  mistake(
    'enqueue.auth.missing',
    'no credential, no check',
    admits((asked) => offered(asked) === undefined),
  ),
  mistake(
    'enqueue.auth.wrong',
    'the beginning of a token is enough',
    admits((asked, { token }) => {
      const given = offered(asked)?.trim();
      return given !== undefined && (given.startsWith(token) || token.startsWith(given));
    }),
  ),
  mistake('enqueue.auth.header-ok', 'only Authorization is read', overlooks(OWN)),
  mistake('enqueue.auth.bearer-ok', 'only the header of its own is read', overlooks('authorization')),
  mistake('enqueue.auth.other-carriers', 'the token is taken from anywhere', admits(hasTokenElsewhere)),
  mistake('enqueue.auth.deny-first', 'the body is read before the caller is known', { ask: readsFirst }),
  mistake('enqueue.auth.origin', 'Origin does not matter', overlooks('origin')),
  mistake(
    'enqueue.auth.fetch-site',
    'the case of a value matters',
    overlooks('sec-fetch-site', (value) => value !== 'cross-site'),
  ),
  mistake('enqueue.auth.cors-closed', 'every origin may read', {
    answer: (answer) => withHeader(answer, 'access-control-allow-origin', '*'),
  }),
  mistake(
    'enqueue.auth.every-route',
    'an alias without its guard',
    admits(({ path }) => path === '/jobs'),
  ),
  mistake('enqueue.auth.off-list-path', 'whatever is posted is a submit', {
    ask: (asked) =>
      /^(?:POST \/v1\/(?:admin|jobs\/[^/]+\/retry)|DELETE \/v1\/jobs$)/.test(routeOf(asked))
        ? { ...asked, method: 'POST', path: '/v1/jobs' }
        : undefined,
  }),
  mistake('enqueue.auth.no-token-configured', 'without a token everybody may', (room) =>
    room.hasToken ? {} : admits(() => true)(room),
  ),
  mistake(
    'enqueue.auth.token-secret',
    'a refusal tells the token',
    (room) => ({
      answer: (answer, asked) =>
        answer.status === 403 && isMutation(asked)
          ? answerOf(403, { error: `daemon mutation denied: got ${offered(asked) ?? ''}, not ${room.token}` })
          : undefined,
    }),
    ['enqueue.auth.missing'],
  ),
  mistake(
    'project.trigger.auth',
    'the trigger has no guard',
    admits(({ path }) => path.includes('/triggers/')),
  ),
];
