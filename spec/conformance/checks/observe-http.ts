/** What HTTP asks of every read: methods, unknown paths, errors, who may read, shapes, the short paths. */
import { check, NotTested } from '../check.js';
import type { Context } from '../context.js';
import { contractPart } from '../contract-parts.js';
import { readPaths, routeFor } from '../contract-routes.js';
import { firstDifference, isObject, shown, textAt, without } from '../json.js';
import { isJsonType } from '../monitor/answer-rules.js';
import type { Auth } from '../target/exchange.js';
import { someJobs } from './steady.js';

const MOMENTS = ['now', 'rebuilt_at', 'generated_at'];
const SAME_STATE_TRIES = 4;

export const httpChecks = [
  check('observe.http.method-405', async (context) => {
    const auth: Auth = context.target.hasToken ? 'header' : 'none';
    const asks = readPaths.flatMap((path) =>
      ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({ method, path, auth })),
    );
    await context.mustAppendNothing('methods that read routes do not have', async () => {
      const answers = await context.inLanes(asks, 4, (ask) => context.target.ask(ask));
      for (const answer of answers) {
        const what = `${answer.method} ${answer.path}`;
        if (!context.mustAnswer(answer, 405, what)) continue;
        const allow = answer.headers['allow'] ?? '';
        context.must(/\bGET\b/i.test(allow), `${what}: Allow names GET`, allow === '' ? 'no Allow' : allow, answer);
        const error = textAt(answer.json, 'error') ?? '';
        context.must(error !== '', `${what}: a body whose \`error\` says why`, answer.text, answer);
      }
    });
  }),

  check('observe.http.unknown-path', async (context) => {
    const word = context.id('nowhere');
    for (const path of [`/v1/${word}`, `/${word}`]) {
      const answer = await context.target.get(path);
      if (!context.mustAnswer(answer, 404, `GET of a path that nobody knows, ${path}`)) continue;
      const error = isObject(answer.json) && isJsonType(answer) ? (textAt(answer.json, 'error') ?? '') : '';
      context.should(error !== '', `${path}: JSON whose \`error\` says why`, shown(answer.text), answer);
    }
  }),

  /** Judged over all answers by monitor/answer-rules.ts; here some are brought about. */
  check('observe.http.json-errors', async (context) => {
    const { target } = context;
    await target.get('/v1/events?since=no-such-id');
    await target.get('/v1/events?limit=abc');
    await target.ask({ method: 'DELETE', path: '/v1/status' });
    await target.ask({ method: 'POST', path: '/v1/jobs', body: { job_type: 'openclaw.snapshot' } });
    if (context.timesJudged() === 0) throw new NotTested('no request was refused');
  }),

  check('observe.http.no-token-needed', async (context) => {
    const wrong = 'not-the-token-of-this-target';
    const carriers: readonly (readonly [string, Record<string, string>])[] = [
      ['without a token', {}],
      [`with a wrong token in ${context.target.tokenHeader}`, { [context.target.tokenHeader]: wrong }],
      ['with a wrong bearer token', { Authorization: `Bearer ${wrong}` }],
    ];
    for (const path of readPaths) {
      for (const [how, headers] of carriers) {
        context.mustAnswer(await context.target.get(path, headers), 200, `GET ${path} ${how}`);
      }
    }
  }),

  /** Judged over all answers by monitor/answer-rules.ts. */
  check('observe.http.schema-all', async (context) => {
    const [jobId] = await someJobs(context, 1);
    for (const path of readPaths) await context.target.get(path);
    if (jobId !== undefined) await context.target.cancel(jobId);
    await context.target.get('/v1/status');
  }),

  check(
    'observe.alias.unversioned',
    async (context) => {
      await context.needOption('aliases', async () => (await context.target.get('/health')).status === 200);
      for (const path of readPaths) await context.target.get(path.slice(3));
      await someJobs(context, 1);
      for (const path of readPaths) await mustBeAlike(context, path, path.slice(3));
    },
    { option: 'aliases' },
  ),
];

async function mustBeAlike(context: Context, path: string, alias: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await context.target.quiet();
    const versioned = await context.target.readExchange(path);
    const short = await context.target.get(alias);
    const schema = routeFor(path, context.target.consumerBase)?.schema;
    const known = (body: unknown): unknown =>
      without(schema === undefined ? body : contractPart(schema, body), MOMENTS);
    const difference = firstDifference(known(versioned.json), known(short.json));
    if (difference !== undefined && attempt < SAME_STATE_TRIES) continue;
    const expected = `GET ${alias} answers what GET ${path} answers, but for the time`;
    context.may(short.status === 200 && difference === undefined, expected, difference ?? short.status, short);
    return;
  }
}
