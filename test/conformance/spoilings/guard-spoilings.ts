/** Guards taken away: the daemon sees a token where none was sent, and no browser where there is one. */
import { type Asked, withHeader } from '../wire.js';
import type { Spoiling } from './spoiling.js';
import { asked, CANCEL, CANCEL_BY_PATH, dropped, header, SUBMIT, TRIGGER, type Way } from './ways.js';

const TOKEN = 'x-agentops-daemon-token';
const ANY = /./;
const EACH_ROUTE = 'enqueue.auth.every-route';

export function guardSpoilings(): Spoiling[] {
  return [...tokenSpoilings(), ...browserSpoilings()];
}

const given = (route: RegExp): Way => header(route, TOKEN, ({ token }) => token);

/** The short paths are told from the long ones only here. */
const givenAt =
  (path: string): Way =>
  (request, { token }) =>
    request.path === path ? withHeader(request, TOKEN, token) : undefined;

/** A token that was shown in some other way counts. */
const counted =
  (isShown: (asked: Asked, token: string) => boolean): Way =>
  (request, { token }) =>
    request.headers[TOKEN] !== token && isShown(request, token) ? withHeader(request, TOKEN, token) : undefined;

function shownToken({ headers }: Asked): string {
  return String(headers[TOKEN] ?? String(headers['authorization'] ?? '').replace(/^Bearer /, ''));
}

function tokenSpoilings(): Spoiling[] {
  return [
    ...asked('*', ['enqueue.auth.*'], { 'token | added to each request': given(ANY) }),
    ...asked('POST /v1/jobs', ['enqueue.auth.*'], { 'token | added': given(SUBMIT) }),
    ...asked('POST /v1/jobs/cancel', ['execute.cancel.denied-no-effect', EACH_ROUTE], {
      'token | added': given(/\/v1\/jobs\/cancel$/),
    }),
    ...asked('POST /v1/jobs/{id}/cancel', [EACH_ROUTE], { 'token | added': given(CANCEL_BY_PATH) }),
    ...asked('POST trigger', ['project.trigger.auth', EACH_ROUTE], { 'token | added': given(TRIGGER) }),
    ...asked('POST /jobs', [EACH_ROUTE], { 'token | added': givenAt('/jobs') }),
    ...asked('POST /jobs/cancel', [EACH_ROUTE], { 'token | added': givenAt('/jobs/cancel') }),
    ...asked('*', ['enqueue.auth.*', 'project.trigger.auth'], {
      'token | any other is taken': counted((request) => shownToken(request) !== ''),
      'token | a longer one is taken': counted((request, token) => shownToken(request).startsWith(token)),
      'token | in another case': counted((request, token) => shownToken(request).toLowerCase() === token.toLowerCase()),
      'token | as ?token=': counted(({ query }, token) => query.includes(token)),
      'token | as a cookie': counted(({ headers }, token) => String(headers['cookie']).includes(token)),
      'token | as Basic': counted(({ headers }) => String(headers['authorization']).startsWith('Basic ')),
      'token | in the body': counted(({ body }, token) => body.includes(token)),
      'token | an empty one is taken': counted(
        ({ headers }) => headers[TOKEN] === '' || headers['authorization'] === 'Bearer',
      ),
    }),
    ...asked('*', ['enqueue.auth.header-ok'], { 'token | the header is dropped': dropped(ANY, TOKEN) }),
    ...asked('*', ['enqueue.auth.bearer-ok'], { 'token | the bearer is dropped': dropped(ANY, 'authorization') }),
  ];
}

function browserSpoilings(): Spoiling[] {
  const checks = { origin: 'enqueue.auth.origin', 'sec-fetch-site': 'enqueue.auth.fetch-site' };
  const each = Object.entries(checks).flatMap(([name, check]) => [
    ...asked('*', [check], { [`${name} | dropped`]: dropped(ANY, name) }),
    ...asked('POST /v1/jobs', [check], { [`${name} | dropped`]: dropped(SUBMIT, name) }),
    ...asked('POST /v1/jobs/cancel', ['execute.cancel.denied-no-effect'], {
      [`${name} | dropped`]: dropped(CANCEL, name),
    }),
  ]);
  return [
    ...each,
    ...asked('POST trigger', ['project.trigger.auth'], { 'origin | dropped': dropped(TRIGGER, 'origin') }),
    ...asked('*', ['enqueue.auth.origin'], {
      'origin | `null` is trusted': (request) =>
        request.headers['origin'] === 'null' ? withHeader(request, 'origin', undefined) : undefined,
    }),
    ...asked('*', ['enqueue.auth.fetch-site'], {
      'sec-fetch-site | in capitals is trusted': (request) =>
        request.headers['sec-fetch-site'] === 'CROSS-SITE'
          ? withHeader(request, 'sec-fetch-site', undefined)
          : undefined,
    }),
  ];
}
