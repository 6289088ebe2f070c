/** Who may change something: every reason of refusal, on every route that appends, before anything else is looked at. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentopsdError } from '../../lib/base/errors.js';
import { actorOf, authorize, type CallerFacts, denials } from '../../lib/http/auth.js';
import { routes } from '../../lib/http/routes.js';
import { capabilities, type TokenEntry } from '../../lib/storage/token-file.js';
import { legacy, type Served, serve, TOKEN } from '../support/http-kernel.js';

const test = suite('auth');
const entry = (name: string, more: Partial<TokenEntry> = {}): TokenEntry => ({
  name,
  token: `${name}-secret`,
  capabilities: ['submit_job'],
  localOnly: false,
  ...more,
});
const local: CallerFacts = {
  token: Buffer.from(TOKEN),
  remoteAddress: '127.0.0.1',
  origin: undefined,
  fetchSite: undefined,
};
const phoneless = entry('other');
const mutations = routes
  .filter((route) => route.capability !== undefined)
  .flatMap(({ path, alias }) => (alias === undefined ? [path] : [path, alias]));

function reason(
  facts: Partial<CallerFacts>,
  tokens: readonly TokenEntry[] = [legacy],
  allowedOrigins: readonly string[] = [],
): string {
  try {
    return `ok ${authorize({ ...local, ...facts }, 'submit_job', { tokens, allowedOrigins })}`;
  } catch (error) {
    return (error as AgentopsdError).message.replace('daemon mutation denied: ', '');
  }
}

test('each reason has its cause (A2)', () => {
  const phone = entry('phone');
  const with_ = (token: string, more: Partial<CallerFacts> = {}) => ({ token: Buffer.from(token), ...more });
  assert.is(reason({}), 'ok legacy');
  assert.is(reason({}, []), denials.notConfigured);
  assert.is(reason({ token: undefined }), denials.mismatch);
  assert.is(reason({ remoteAddress: '10.0.0.7' }), denials.notLocal);
  assert.is(reason({ remoteAddress: undefined }), denials.notLocal);
  assert.is(reason({ remoteAddress: '::ffff:127.0.0.1' }), 'ok legacy');
  assert.is(reason({ remoteAddress: '::1' }), 'ok legacy');
  assert.is(reason({ origin: 'null' }), denials.origin);
  assert.is(reason({ origin: 'https://evil.example' }), denials.origin);
  assert.is(
    reason({ origin: 'https://ok.example', fetchSite: 'cross-site' }, [legacy], ['https://ok.example']),
    'ok legacy',
  );
  for (const fetchSite of ['cross-site', 'CROSS-SITE', 'same-site', 'whatever'])
    assert.is(reason({ fetchSite }), denials.fetchSite);
  for (const fetchSite of ['none', 'same-origin']) assert.is(reason({ fetchSite }), 'ok legacy');
  assert.is(reason(with_('phone-secret'), [legacy, phone]), 'ok phone');
  assert.is(reason(with_('phone-secret', { remoteAddress: '10.0.0.7' }), [phone]), 'ok phone');
  assert.is(
    reason(with_('phone-secret', { remoteAddress: '10.0.0.7' }), [entry('phone', { localOnly: true })]),
    denials.localOnly,
  );
  assert.is(reason(with_('phone-secret'), [entry('phone', { capabilities: ['cancel_job'] })]), denials.capability);
  assert.is(reason(with_('phone-secret'), [entry('phone', { capabilities: ['admin'] })]), 'ok phone');
});

test('a token is taken whole alone, however long it or what is shown is', () => {
  for (const length of [1, 255, 256, 257, 4096]) {
    const token = 't'.repeat(length);
    const long = entry('long', { token, capabilities: ['admin'] });
    assert.is(reason({ token: Buffer.from(token) }, [phoneless, long]), 'ok long', String(length));
    const zero = Buffer.from([0]);
    for (const shown of [token.slice(1), `${token}t`, `${token.slice(1)}T`, 't'.repeat(10_000)])
      assert.is(
        reason({ token: Buffer.from(shown) }, [phoneless, long]),
        denials.mismatch,
        `${length}: ${shown.length}`,
      );
    assert.is(reason({ token: Buffer.concat([Buffer.from(token), zero]) }, [long]), denials.mismatch);
    assert.is(
      reason({ token: Buffer.from(token) }, [phoneless, long]),
      'ok long',
      'what was shown before leaves nothing',
    );
  }
});

test('an actor never names a token, only the name, made harmless (A7)', () => {
  assert.is(actorOf('ao-http', 'phone-submit'), 'ao-http:phone-submit');
  assert.is(actorOf('openclaw-trigger', 'my phone/a.b:c'), 'openclaw-trigger:my_phone_a_b_c');
});

async function withServer(
  run: (served: Served) => Promise<void>,
  tokens: readonly TokenEntry[] = [legacy],
  more: object = {},
): Promise<void> {
  const served = await serve({ dependencies: { tokens, ...more } });
  try {
    await run(served);
  } finally {
    await served.close();
  }
}

test('every route that appends refuses before it looks at anything (A1, A2, O1)', () =>
  withServer(async (served) => {
    assert.ok(mutations.length >= 7);
    for (const template of mutations) {
      const path = template.replace('{id}', 'x');
      for (const body of ['{', 'x'.repeat(2_000_000)]) {
        const headers = { 'Content-Type': 'text/plain' };
        const answer = await served.ask('POST', path, { headers, body });
        assert.is(answer.status, 403, path);
        assert.equal(answer.body, { error: `daemon mutation denied: ${denials.mismatch}` });
      }
    }
    assert.is(served.lastSeq(), 0);
  }));

test('the token counts in the two headers alone, whole (A1)', () =>
  withServer(async (served) => {
    const submit = (headers: Record<string, string>, path = '/v1/jobs') =>
      served.ask('POST', path, { headers, body: { job_type: 'rpi.run', token: TOKEN } });
    const wrong = [`${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase(), '', ' ', `${TOKEN},${TOKEN}`];
    for (const token of wrong) {
      assert.is((await submit({ 'X-AgentOps-Daemon-Token': token })).status, 403, token);
      assert.is((await submit({ Authorization: `Bearer ${token}` })).status, 403, token);
    }
    assert.is((await submit({ Authorization: 'Bearer' })).status, 403);
    assert.is((await submit({ Authorization: TOKEN })).status, 403);
    assert.is((await submit({ Authorization: `Basic ${Buffer.from(`a:${TOKEN}`).toString('base64')}` })).status, 403);
    assert.is((await submit({ Cookie: `token=${TOKEN}` })).status, 403);
    assert.is((await submit({}, `/v1/jobs?token=${TOKEN}`)).status, 403);
    assert.is((await submit({ 'X-AgentOps-Daemon-Token': 'wrong', Authorization: `Bearer ${TOKEN}` })).status, 403);
    assert.is(served.lastSeq(), 0);
    assert.is((await submit({ 'X-AgentOps-Daemon-Token': ` ${TOKEN} ` })).status, 202);
    assert.is((await submit({ Authorization: `Bearer ${TOKEN}` })).status, 202);
    assert.is((await submit({ 'X-AgentOps-Daemon-Token': TOKEN, Authorization: 'Bearer wrong' })).status, 202);
    assert.is((await submit({ 'X-AgentOps-Daemon-Token': ' ', Authorization: `bearer  ${TOKEN}` })).status, 202);
  }));

test('each capability opens its routes alone, and the event names the token (A3)', () => {
  const tokens = capabilities.map((capability) => entry(`only ${capability}`, { capabilities: [capability] }));
  return withServer(async (served) => {
    for (const route of routes.filter(({ capability }) => capability !== undefined)) {
      for (const { token, capabilities: held } of tokens) {
        const answer = await served.ask('POST', route.path.replace('{id}', 'x'), {
          headers: { Authorization: `Bearer ${token}` },
          body: 'no json',
        });
        const may = held.includes('admin') || held.includes(route.capability as (typeof capabilities)[number]);
        assert.is(answer.status, may ? 400 : 403, `${route.path} ${held}`);
        if (!may) assert.match(String(answer.body['error']), denials.capability);
      }
    }
    await served.ask('POST', '/v1/jobs', {
      headers: { Authorization: 'Bearer only submit_job-secret' },
      body: { job_type: 'rpi.run' },
    });
    assert.is(served.ledger.events.at(-1)?.actor, 'ao-http:only_submit_job');
  }, tokens);
});

test('pages of other origins are refused, with a right token too (A4)', () =>
  withServer(async (served) => {
    for (const headers of [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: served.url },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ]) {
      assert.is(
        (await served.mutate('/v1/jobs', { job_type: 'rpi.run' }, { headers })).status,
        403,
        JSON.stringify(headers),
      );
    }
    assert.is(served.lastSeq(), 0);
  }));

test('a page gets nothing to read: no answer has a CORS header, a preflight neither (A4, A8)', () =>
  withServer(async (served) => {
    const asked = {
      Origin: 'https://evil.example',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'x-agentops-daemon-token',
      'Access-Control-Request-Private-Network': 'true',
    };
    for (const { path, alias = path } of routes) {
      for (const target of [path, alias].map((one) => one.replace('{id}', 'x'))) {
        for (const method of ['OPTIONS', 'GET', 'POST']) {
          const answer = await served.ask(method, target, { headers: asked });
          const shares = Object.keys(answer.headers).filter((name) => /^(access-control|cross-origin)/.test(name));
          assert.equal(shares, [], `${method} ${target}`);
          if (method === 'OPTIONS') assert.is(answer.status, 405);
        }
      }
    }
    assert.is(served.lastSeq(), 0);
  }));

test('an allowed origin may', () =>
  withServer(
    async (served) => {
      const headers = { Origin: 'https://ok.example', 'Sec-Fetch-Site': 'cross-site' };
      assert.is((await served.mutate('/v1/jobs', { job_type: 'rpi.run' }, { headers })).status, 202);
    },
    [legacy],
    { http: { reads: 'open', allowed_hosts: [], allowed_origins: ['https://ok.example'] } },
  ));

test('reads need no token and ignore a wrong one (A6)', () =>
  withServer(async (served) => {
    for (const { path } of routes.filter(({ method }) => method === 'GET')) {
      if (path.includes('{')) continue;
      for (const headers of [{}, { 'X-AgentOps-Daemon-Token': 'wrong' }, { Origin: 'https://evil.example' }]) {
        assert.is((await served.ask('GET', path, { headers })).status, 200, path);
      }
    }
  }));

test('reads ask for a token where the configuration says so (A6)', () =>
  withServer(
    async (served) => {
      for (const { path } of routes.filter(({ method }) => method === 'GET')) {
        assert.is((await served.ask('GET', path.replace('{id}', 'x'))).status, 403, path);
        const answer = await served.ask('GET', path.replace('{id}', 'x'), {
          headers: { Authorization: `Bearer ${TOKEN}` },
        });
        assert.is(answer.status, path.includes('{') ? 404 : 200, path);
      }
    },
    [legacy],
    { http: { reads: 'token', allowed_hosts: [], allowed_origins: [] } },
  ));

test('no token at all: nobody may', () =>
  withServer(async (served) => {
    const answer = await served.mutate('/v1/jobs', { job_type: 'rpi.run' });
    assert.equal(answer.body, { error: `daemon mutation denied: ${denials.notConfigured}` });
  }, []));

test.run();
