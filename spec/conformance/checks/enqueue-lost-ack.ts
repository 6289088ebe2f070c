/** Whoever never saw the answer asks again with the same key, and gets the one job. */
import { check, NotApplicable } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { type JsonObject, shown, textAt } from '../json.js';
import { type Exchange, NoAnswer } from '../target/exchange.js';
import type { OwnServer } from '../target/own-server.js';
import { acceptedAs, keyed, mustBeOneJob, needKnownByKey, taken, times } from './steps.js';

const VANISHING = 30;
const LANES = 5;
/** What was sent by a client that vanished may still be worked on for so long. */
const APPEARS_WITHIN_MS = 1_000;

const SUBMITTERS = 16;
const LOOK_EVERY_MS = 10;
const PACE_MS = 15;
const KILLS = 2;
/** After the first answer: before it there is nothing that could be lost. */
const KILL_AFTER_MS = { least: 80, more: 300 };
const ANSWERS_WITHIN_MS = 60_000;
/** Each of which is asked for once more afterwards. */
const MOST_KEYS = 400;

interface Sent {
  readonly key: string;
  readonly envelope: JsonObject;
  /** Of the submit before the kill; undefined where no good answer came. */
  jobId: string | undefined;
  answer: Exchange | undefined;
}

export const lostAckChecks = [
  check('enqueue.lost-ack.client-abort', async (context) => {
    const { target } = context;
    const known = context.id('key');
    await needKnownByKey(context, await taken(context, keyed(context, known)), known);
    const keys = times(VANISHING).map(() => context.id('key'));
    await context.inLanes(keys, LANES, (key) => target.sendAndVanish('/v1/jobs', keyed(context, key)));
    const everySecond = keys.filter((_, index) => index % 2 === 0);
    // Half of them are asked for at once, while the first may still be on its way; all of them once it has arrived.
    await context.inLanes(everySecond, LANES, (key) => target.submit(keyed(context, key)));
    await appeared(context, keys);
    const answers = await context.inLanes(keys, LANES, (key) => target.submit(keyed(context, key)));
    const refused = answers.find((answer) => !isGood(answer));
    const expected = 'a retry after a broken connection is taken';
    context.must(refused === undefined, expected, refused && said(refused), refused);
    await mustBeOneEach(context, keys, answers, target);
  }),

  check(
    'enqueue.lost-ack.kill-in-flight',
    async (context) => {
      const server = await context.server();
      const known = context.id('key');
      await needKnownByKey(context, await taken(context, keyed(context, known), server), known, server);
      for (const _ of times(KILLS)) {
        const sent = await submitUntilKilled(context, server);
        await server.start();
        await mustBeWhole(context, sent, server);
      }
    },
    { deadlineMs: 300_000 },
  ),

  check('enqueue.lost-ack.failpoint', failpoints),
];

/** Waits until the jobs of all keys are there, or had their time: a server need not work for a client that is gone. */
async function appeared(context: Context, keys: readonly string[]): Promise<void> {
  const end = Date.now() + APPEARS_WITHIN_MS;
  while (Date.now() < end && (await acceptedAs(keys, context.target)).length < keys.length) await context.pause(50);
}

async function mustBeOneEach(
  context: Context,
  keys: readonly string[],
  answers: readonly Exchange[],
  target = context.target,
): Promise<void> {
  const events = await target.events();
  const ids = new Map<string, Set<string>>(keys.map((key) => [key, new Set()]));
  for (const [index, answer] of answers.entries()) {
    const jobId = textAt(answer.json, 'job_id');
    if (isGood(answer) && jobId !== undefined) ids.get(keys[index] ?? '')?.add(jobId);
  }
  for (const [index, [key, jobs]] of [...ids].entries()) {
    const accepted = events.filter(
      (event) =>
        event['event_type'] === 'job.accepted' &&
        (jobs.has(textAt(event, 'job_id') ?? '') || textAt(event, 'payload', 'idempotency_key') === key),
    );
    const expected = `one job.accepted for the key ${key}`;
    const observed = `${accepted.length}: ${shown(accepted.map((event) => event['event_id']))}`;
    if (!context.must(accepted.length === 1, expected, observed, answers[index])) return;
  }
}

/** Lanes that submit one new key after the other, until the process is killed at a moment of chance. */
async function submitUntilKilled(context: Context, server: OwnServer): Promise<Sent[]> {
  const sent: Sent[] = [];
  let isKilled = false;
  const lane = async (): Promise<void> => {
    while (!isKilled && sent.length < MOST_KEYS) {
      const key = context.id('key');
      const one: Sent = { key, envelope: keyed(context, key), jobId: undefined, answer: undefined };
      sent.push(one);
      try {
        one.answer = await server.submit(one.envelope);
        if (isGood(one.answer)) one.jobId = textAt(one.answer.json, 'job_id');
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        if (isKilled) return;
      }
      // So that submits are on their way until the kill, however quick the server is.
      await context.pause(PACE_MS);
    }
  };
  const lanes = Promise.all(times(SUBMITTERS).map(lane));
  const firstAnswer = (): Promise<true> =>
    context.until(
      'a submit to be taken before SIGKILL',
      ANSWERS_WITHIN_MS,
      async () => (sent.some(({ jobId }) => jobId !== undefined) ? true : undefined),
      LOOK_EVERY_MS,
    );
  try {
    await firstAnswer();
    await context.pause(KILL_AFTER_MS.least + context.random.whole(KILL_AFTER_MS.more));
  } finally {
    isKilled = true;
    await server.kill();
    await lanes;
  }
  return sent;
}

async function mustBeWhole(context: Context, sent: readonly Sent[], server: OwnServer): Promise<void> {
  const events = await server.events();
  const accepted = new Set(
    events.filter((event) => event['event_type'] === 'job.accepted').map((event) => event['job_id']),
  );
  const lost = sent.find(({ jobId }) => jobId !== undefined && !accepted.has(jobId));
  const expected = 'every job that was acknowledged before SIGKILL is there after a new start';
  context.must(lost === undefined, expected, `job ${lost?.jobId} is gone`, lost?.answer);
  const answers = await context.inLanes(sent, SUBMITTERS, ({ key }) => server.submit(keyed(context, key)));
  for (const [index, { jobId, key }] of sent.entries()) {
    const retry = answers[index] as Exchange;
    const observed = textAt(retry.json, 'job_id');
    const holds = isGood(retry) && (jobId === undefined || observed === jobId);
    if (!context.must(holds, `a retry with the key ${key}: job ${jobId ?? 'of its own'}`, said(retry), retry)) break;
  }
  await mustBeOneEach(
    context,
    sent.map(({ key }) => key),
    answers,
    server,
  );
}

/** The header that tests of the server itself use to break a submit at two places. */
async function failpoints(context: Context): Promise<void> {
  const { target } = context;
  const submit = (envelope: JsonObject, failpoint: string): Promise<Exchange> =>
    target.submit(envelope, { headers: { 'X-AgentOps-Failpoint': failpoint } });
  const before = context.envelope({ idempotency_key: context.id('key') });
  const first = await submit(before, 'before_append');
  const isThere = await context.hasOption('failpoints', async () => first.status === 503);
  if (!isThere) throw new NotApplicable('the failpoint header has no effect here');
  for (const [failpoint, envelope, answer, count] of [
    ['before_append', before, first, 0],
    ['after_append_before_ack', ...(await brokenAfter(context, submit)), 1],
  ] as const) {
    context.may(answer.status === 503, `failpoint ${failpoint}: 503`, said(answer), answer);
    const events = await acceptedAs([String(envelope['job_id'])], target);
    context.may(events.length === count, `failpoint ${failpoint}: ${count} job.accepted`, `${events.length}`, answer);
    const retry = await target.submit(envelope);
    const holds = isGood(retry) && textAt(retry.json, 'job_id') === envelope['job_id'];
    context.may(holds, `a plain retry after ${failpoint} is taken`, said(retry), retry);
    await mustBeOneJob(context, `${failpoint} and a plain retry`, [String(envelope['job_id'])], { seen: retry });
  }
}

async function brokenAfter(
  context: Context,
  submit: (envelope: JsonObject, failpoint: string) => Promise<Exchange>,
): Promise<[JsonObject, Exchange]> {
  const envelope = context.envelope({ idempotency_key: context.id('key') });
  return [envelope, await submit(envelope, 'after_append_before_ack')];
}
