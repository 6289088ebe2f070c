/** Who may submit: the two ways to show a token, and all that is none. */
import { check } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { textAt } from '../json.js';
import { swapCase } from '../target/curl.js';
import type { Ask, Exchange } from '../target/exchange.js';
import { OwnServer } from '../target/own-server.js';
import { NoStart } from '../target/server-process.js';
import type { Target } from '../target/target.js';
import { mustTellError, patiently } from './steps.js';

type Headers = Readonly<Record<string, string>>;
type Way = readonly [what: string, headers: Headers];

/** Each of these ways in is refused, and nothing comes of it. */
async function mustDeny(context: Context, ways: readonly Way[], target: Target = context.target): Promise<void> {
  await context.mustAppendNothing(
    'submits that are denied',
    async () => {
      for (const [what, headers] of ways) {
        const answer = await target.submit(context.envelope(), { auth: 'none', headers });
        context.mustAnswer(answer, 403, what);
      }
    },
    target,
  );
}

function bothCarriers(target: Target, what: string, token: string): Way[] {
  return [
    [`${what} in ${target.tokenHeader}`, { [target.tokenHeader]: token }],
    [`${what} as a bearer`, { Authorization: `Bearer ${token}` }],
  ];
}

function wrongWays(target: Target): Way[] {
  const { token } = target;
  const others: readonly (readonly [string, string])[] = [
    ['another text as long as the token', [...token].map((each) => (each === 'x' ? 'y' : 'x')).join('')],
    ['the token with another end', `${token.slice(0, -1)}${token.endsWith('x') ? 'y' : 'x'}`],
    ['the token and one character more', `${token}x`],
    ['the token without its last character', token.slice(0, -1)],
    ['the token in the other case', swapCase(token)],
    ['nothing', ''],
  ];
  return others
    .filter(([, text]) => text !== token)
    .flatMap(([what, text]) => bothCarriers(target, what, text))
    .concat([['"Bearer" alone', { Authorization: 'Bearer' }]]);
}

/** An origin and the value of Sec-Fetch-Site come with a token that is valid. */
function withToken(target: Target, name: string, value: string): Way {
  return [`a valid token and ${name}: ${value}`, { [target.tokenHeader]: target.token, [name]: value }];
}

export const authChecks = [
  check('enqueue.auth.missing', async (context) => {
    await context.mustAppendNothing('a submit without a credential', async () => {
      const answer = await context.target.submit(context.envelope(), { auth: 'none' });
      context.mustAnswer(answer, 403, 'a submit without a credential');
      mustTellError(context, answer, 'a submit without a credential');
    });
  }),

  check('enqueue.auth.wrong', (context) => mustDeny(context, wrongWays(context.target))),

  check('enqueue.auth.header-ok', async (context) => {
    const answer = await context.target.submit(context.envelope(), { auth: 'header' });
    const what = `the token in ${context.target.tokenHeader}`;
    context.must(isGood(answer), `${what} is let in`, said(answer), answer);
  }),

  check('enqueue.auth.bearer-ok', async (context) => {
    const answer = await context.target.submit(context.envelope(), { auth: 'bearer' });
    context.must(isGood(answer), 'the token as a bearer is let in', said(answer), answer);
  }),

  check('enqueue.auth.other-carriers', async (context) => {
    const { target } = context;
    const { token, tokenHeader } = target;
    const basic = Buffer.from(`x:${token}`).toString('base64');
    const asks: readonly (readonly [string, Partial<Ask>, object?])[] = [
      ['the token as ?token=', { path: `/v1/jobs?token=${encodeURIComponent(token)}` }],
      ['the token as ?access_token=', { path: `/v1/jobs?access_token=${encodeURIComponent(token)}` }],
      ['the token as the password of Basic', { headers: { Authorization: `Basic ${basic}` } }],
      ['the token as a cookie', { headers: { Cookie: `token=${token}; ${tokenHeader}=${token}` } }],
      ['the token in the body', {}, { token, payload: { token } }],
    ];
    await context.mustAppendNothing('a token in another place', async () => {
      for (const [what, ask, more = {}] of asks) {
        const body = context.envelope(more as Record<string, unknown>);
        context.mustAnswer(await target.submit(body, { auth: 'none', ...ask }), 403, what);
      }
    });
  }),

  check('enqueue.auth.deny-first', async (context) => {
    const large = JSON.stringify(context.envelope({ payload: { text: 'x'.repeat(2 * context.profile.maxBodyBytes) } }));
    for (const [what, body] of [
      ['no credential and broken JSON', '{"job_type":'],
      ['no credential and no object', '[]'],
      ['no credential and a body of twice the limit', large],
    ] as const) {
      const answer = await patiently(() => context.target.submit(body, { auth: 'none' }));
      context.mustAnswer(answer, 403, what);
    }
  }),

  check('enqueue.auth.origin', (context) => {
    const { target } = context;
    return mustDeny(context, [
      withToken(target, 'Origin', 'https://evil.example'),
      withToken(target, 'Origin', 'null'),
      ['a valid bearer and Origin', { Authorization: `Bearer ${target.token}`, Origin: 'https://evil.example' }],
    ]);
  }),

  check('enqueue.auth.fetch-site', (context) =>
    mustDeny(
      context,
      ['cross-site', 'CROSS-SITE', 'Cross-Site'].map((value) => withToken(context.target, 'Sec-Fetch-Site', value)),
    ),
  ),

  check('enqueue.auth.cors-closed', async (context) => {
    const origin = 'https://evil.example';
    const preflight = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' };
    for (const answer of [
      await context.target.ask({ method: 'OPTIONS', path: '/v1/jobs', headers: { Origin: origin, ...preflight } }),
      await context.target.get('/v1/status', { Origin: origin }),
    ]) {
      const allowed = answer.headers['access-control-allow-origin'];
      const expected = `no Access-Control-Allow-Origin for ${origin}`;
      context.should(allowed === undefined, expected, `${answer.method} ${answer.path}: ${allowed}`, answer);
    }
  }),

  check('enqueue.auth.every-route', async (context) => {
    await mustGuardRoutes(context);
    if (context.target.hasToken) await mustGuardJob(context);
  }),

  check('enqueue.auth.off-list-path', async (context) => {
    const { target } = context;
    await context.mustAppendNothing('what is no route of v0', async () => {
      for (const [method, path] of [
        ['POST', '/v1/admin/rewrite'],
        ['POST', `/v1/jobs/${context.id('job')}/retry`],
        ['DELETE', '/v1/jobs'],
      ] as const) {
        const answer = await target.post(path, context.envelope(), { method });
        context.mustAnswer(answer, [403, 404, 405], `${method} ${path} with a valid token`);
      }
    });
  }),

  check('enqueue.auth.no-token-configured', async (context) => {
    const server = await context.server({ stopped: true, withoutToken: true });
    try {
      await server.start();
    } catch (error) {
      // To refuse to start is as safe.
      if (error instanceof NoStart) return;
      throw error;
    }
    await mustDeny(
      context,
      [
        ['no credential, where no token is configured', {}],
        ...bothCarriers(server, 'the token of other starts', server.token),
        ...bothCarriers(server, 'nothing', ''),
        ...bothCarriers(server, 'the word "undefined"', 'undefined'),
      ],
      server,
    );
  }),

  check('enqueue.auth.token-secret', async (context) => {
    const { target } = context;
    const offered = `offered-${context.id('token')}`;
    const answers: Exchange[] = [
      await target.submit(context.envelope(), { auth: 'none' }),
      await target.submit(context.envelope(), { auth: 'none', headers: { [target.tokenHeader]: offered } }),
      await target.submit(context.envelope(), { auth: 'none', headers: { Authorization: `Bearer ${offered}` } }),
      await target.submit('{"job_type":'),
      await target.submit(context.envelope()),
    ];
    // The valid one is looked for by the monitor, in these and in all other answers.
    for (const answer of answers) {
      context.should(!answer.text.includes(offered), 'an offered token is not repeated', said(answer), answer);
    }
    if (target instanceof OwnServer) {
      const lines = target.output.split('\n').filter((line) => line.includes(target.token));
      context.should(lines.length === 0, 'no token in what the process prints', lines[0]);
    }
  }),
];

/** Bodies that a route would refuse otherwise tell whether the guard stands before it, or whether there is a route. */
async function mustGuardRoutes(context: Context): Promise<void> {
  const { target, profile } = context;
  const claimed = (level: 'enqueue' | 'execute' | 'project'): boolean => profile.claims.includes(level);
  const routes = () =>
    [
      ['/v1/jobs', context.envelope(), claimed('enqueue')],
      ['/v1/jobs/cancel', {}, claimed('execute')],
      [`${target.consumerBase}/triggers/jobs`, context.envelope({ job_type: 'openclaw.snapshot' }), claimed('project')],
      ['/jobs', context.envelope(), false],
      ['/jobs/cancel', {}, false],
      [`/v1/jobs/${context.id('job')}/cancel`, { job_id: context.id('job') }, false],
    ] as const;
  await context.mustAppendNothing('mutations without a credential', async () => {
    for (const [path, body, isClaimed] of routes()) {
      const answer = await target.post(path, body, { auth: 'none' });
      context.mustAnswer(answer, isClaimed ? 403 : [403, 404, 405], `POST ${path} without a credential`);
    }
  });
}

/** A job that is there: a missing guard would cancel it. */
async function mustGuardJob(context: Context): Promise<void> {
  const { target } = context;
  const submitted = await target.submit(context.envelope());
  const jobId = textAt(submitted.json, 'job_id');
  if (!isGood(submitted) || jobId === undefined) return;
  for (const [path, body] of [
    [`/v1/jobs/${encodeURIComponent(jobId)}/cancel`, undefined],
    ['/jobs/cancel', { job_id: jobId }],
  ] as const) {
    const answer = await target.post(path, body, { auth: 'none' });
    context.mustAnswer(answer, [403, 404, 405], `POST ${path} of a job that is there, without a credential`);
  }
}
