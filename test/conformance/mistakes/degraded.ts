/** Mistakes in what is said, and done, when lines of the ledger are damaged. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf, type Body, bodyOf, routeOf, withBody } from '../wire.js';
import { jobTypes } from './job-types.js';
import {
  ANY_READ,
  CONSUMER,
  EVENTS,
  edits,
  type Mistaken,
  mistake,
  READY,
  type Room,
  SUBMIT,
  TRIGGER,
} from './mistake.js';

/** The same with nothing degraded in it. */
export function asIfWhole(body: Body): Body {
  const text = JSON.stringify(body, (name, value: unknown) => {
    if (name === 'degraded_reasons' || name === 'corrupt') return undefined;
    if (name === 'corrupt_record_count') return 0;
    if (name === 'degraded') return false;
    if (name === 'ready') return true;
    return value;
  });
  return JSON.parse(
    text
      .replaceAll('"degraded"', '"current"')
      .replaceAll('"current":false', '"degraded":false')
      .replaceAll('"corrupt"', '"complete"'),
  );
}

function lastLineOf({ ledgerText }: Room): string | undefined {
  const line = ledgerText.split('\n').at(-1) ?? '';
  return line === '' ? undefined : line;
}

/** What a lenient reader makes of half a line. */
function halfAnEvent(line: string): Record<string, unknown> {
  const texts = [...line.matchAll(/"(event_id|event_type|job_id|request_id|occurred_at|actor)":"([^"]*)"/g)];
  return { schema_version: 1, ...Object.fromEntries(texts.map(([, name = '', value]) => [name, value])) };
}

function spoilsReads(isOdd: boolean): Mistaken {
  return {
    answer: (answer, { method }) =>
      isOdd && method === 'GET' && answer.status === 200 ? answerOf(500, { error: 'invalid job type' }) : undefined,
  };
}

export const degradedMistakes = [
  mistake('observe.health.up-while-degraded', 'a damaged ledger ends the start', ({ read }) => ({
    async started() {
      if ((await read('/v1/ready')).projection_lag.degraded) throw new Error('the ledger is damaged');
    },
  })),
  mistake('observe.degraded.not-ready', 'damaged lines are passed over in silence', edits(ANY_READ, asIfWhole)),
  mistake(
    'observe.degraded.corrupt-listed',
    'damaged lines are never listed',
    edits(EVENTS, (body) => void delete body.corrupt),
  ),
  mistake(
    'observe.degraded.survivors',
    'the replay ends at the first bad line',
    edits(EVENTS, (body) => {
      const gap = body.events.findIndex(({ seq }, at) => seq !== at + 1);
      if (gap >= 0) body.events.length = gap;
    }),
  ),
  mistake('observe.degraded.reads-do-not-write', 'a look at ready puts the bad line aside', ({ folder }) => ({
    answer(answer, asked) {
      if (!READY.test(routeOf(asked)) || bodyOf(answer)?.projection_lag.degraded !== true) return undefined;
      const aside = join(folder, '.agents', 'daemon', 'ledger', 'quarantine');
      mkdirSync(aside, { recursive: true });
      writeFileSync(join(aside, `line-${process.hrtime.bigint()}`), 'bad');
      return { ...answer };
    },
  })),
  mistake('observe.degraded.torn-tail', 'half a line is served as an event', (room) => {
    const line = lastLineOf(room);
    return edits(EVENTS, ({ events }) => {
      if (line?.includes('"event_id"')) events.push(halfAnEvent(line) as (typeof events)[0]);
    });
  }),
  mistake('observe.degraded.bad-meaning', 'a job type that nobody knows spoils every read', ({ ledgerText }) => {
    const types = [...ledgerText.matchAll(/"job_type":"([^"]*)"/g)].map(([, type = '']) => type);
    return spoilsReads(types.some((type) => !jobTypes.has(type)));
  }),
  mistake('enqueue.durable.torn-tail-append', 'a record is glued to a torn one', (room) => {
    const torn = lastLineOf(room) !== undefined;
    return {
      async ask(asked) {
        const body = torn && SUBMIT.test(routeOf(asked)) ? bodyOf(asked) : undefined;
        if (body === undefined) return undefined;
        const { projection_lag, projection_status, last_event_id } = await room.read('/v1/ready');
        const { job_id = 'job-glued', request_id = 'request-glued' } = body;
        return answerOf(202, {
          accepted: true,
          job_id,
          request_id,
          status: 'queued',
          projection_lag,
          projection_status,
          last_event_id,
        });
      },
    };
  }),
  mistake('enqueue.durable.degraded-ack', 'the acknowledgement says current', edits(SUBMIT, asIfWhole)),
  mistake('project.consumer.degraded', 'the consumer is always told that all is well', edits(CONSUMER, asIfWhole)),
  mistake('project.trigger.not-ready', 'the trigger does not ask for ready', ({ ask }) => ({
    async answer(answer, asked) {
      if (answer.status !== 503 || !TRIGGER.test(routeOf(asked))) return undefined;
      const accepted = bodyOf(await ask('POST', '/v1/jobs', bodyOf(asked)));
      if (accepted === undefined) return undefined;
      const { job_id, request_id, status, last_event_id } = accepted;
      const { job_type } = bodyOf(asked) ?? accepted;
      return withBody(
        { ...answer, status: 202 },
        { accepted: true, job_id, request_id, job_type, status, last_event_id, snapshot_status: 'degraded' },
      );
    },
  })),
];
