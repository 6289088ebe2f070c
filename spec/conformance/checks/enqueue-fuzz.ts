/** Envelopes of every wrongness, made from the seed of the run: none may be a fault of the server. */
import { check } from '../check.js';
import type { Context } from '../context.js';
import { said } from '../context.js';
import type { JsonObject } from '../json.js';
import { shown, textAt } from '../json.js';
import type { Random } from '../random.js';
import { acceptedAs } from './steps.js';

const ENVELOPES = 200;
const LANES = 8;
const DEPTHS = [24, 70, 2_000];

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Values that somebody may not have thought of, as JSON. */
const ODD_VALUES = [
  'null',
  'true',
  '0',
  '-0',
  '-1',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '123456789012345678901234567890',
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e"',
  '"../../etc/passwd"',
  '"%00%2f"',
  `"${'x'.repeat(5_000)}"`,
  '[]',
  '{}',
  '[null]',
  '{"":{"":""}}',
  '{"__proto__":{"a":1},"constructor":1}',
  ...DEPTHS.map(nested),
  ...DEPTHS.map((depth) => `{"a":${nested(depth)}}`),
];

const MEMBERS = ['request_id', 'job_id', 'job_type', 'idempotency_key', 'payload', 'status', '__proto__', ''];
/** A word that a server may use itself where an id stands in a path. */
const RESERVED_ID = 'schedule';

interface Fuzzed {
  readonly what: string;
  readonly body: string | Buffer;
}

function fuzzed(context: Context): Fuzzed[] {
  const { random } = context;
  const made = Array.from({ length: ENVELOPES }, (_, index): Fuzzed => {
    const members = membersOf(context.envelope());
    // Each odd value stands once in the payload and once as a member; then chance decides.
    const value = ODD_VALUES[index % ODD_VALUES.length] as string;
    if (index < ODD_VALUES.length) members.set('payload', `{"conformance_odd":${value}}`);
    else put(members, random.pick(MEMBERS), value, context);
    if (index >= 2 * ODD_VALUES.length && random.whole(2) === 0) {
      put(members, random.pick(MEMBERS), random.pick(ODD_VALUES), context);
    }
    const text = textOf(members);
    return { what: shown(text), body: random.whole(10) === 0 ? cut(text, random) : text };
  });
  return made;
}

/** What names something begins as all names of the run do. */
function put(members: Map<string, string>, name: string, value: string, context: Context): void {
  const isName = /_id$|_key$/.test(name) && /^"./.test(value) && value !== '""' && value !== '" "';
  members.set(name, isName ? `"${context.id('odd')}${value.slice(1)}` : value);
}

function membersOf(envelope: JsonObject): Map<string, string> {
  return new Map(Object.entries(envelope).map(([name, value]) => [name, JSON.stringify(value)]));
}

function textOf(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

/** Ends somewhere, or has a byte that no UTF-8 has. */
function cut(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text);
  const place = random.whole(bytes.length);
  if (random.whole(2) === 0) return bytes.subarray(0, place);
  bytes[place] = 0xff;
  return bytes;
}

export const fuzzChecks = [
  check('enqueue.validate.never-5xx', async (context) => {
    const { target } = context;
    const envelopes = fuzzed(context);
    const isFree = (await target.job(RESERVED_ID)) === undefined;
    if (isFree)
      envelopes.push({ what: 'a reserved id', body: JSON.stringify(context.envelope({ job_id: RESERVED_ID })) });
    const answers = await context.inLanes(envelopes, LANES, ({ body }) => target.submit(body));
    for (const [index, answer] of answers.entries()) {
      context.must(answer.status < 500, `no 5xx for ${envelopes[index]?.what}`, said(answer), answer);
    }
    const health = await target.get('/v1/health');
    context.must(health.status === 200, 'health is well after all that', said(health), health);
    const taken = answers.filter(({ status }) => status === 202);
    const ids = taken.map((answer) => textAt(answer.json, 'job_id') ?? '');
    const known = new Set((await acceptedAs(ids, target)).map((event) => event['job_id']));
    const lost = ids.findIndex((id) => !known.has(id));
    context.must(lost < 0, 'every job that was taken has its job.accepted', ids[lost], taken[lost]);
  }),
];
