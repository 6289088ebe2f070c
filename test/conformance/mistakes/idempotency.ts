/**
 * Mistakes in knowing a job again. Where a job should have been known and is not, the daemon gets the key or the id with a
 * mark behind it, which is taken away from all that it says: so it looks like a second job of the same name.
 */

import type { Sender } from '../front.js';
import { type Body, bodyOf, routeOf, type WireJob, withHeader } from '../wire.js';
import {
  asksOtherwise,
  edits,
  editsQueue,
  isTerminal,
  type Mistaken,
  mistake,
  pause,
  type Room,
  SUBMIT,
  TRIGGER,
} from './mistake.js';

const MARK = /~again[0-9a-z]+/g;

let marks = 0;

/** Submits, some of which are changed; marks never show. */
function marking(
  change: (body: Body, room: Room) => Body | undefined | Promise<Body | undefined>,
  route = SUBMIT,
): (room: Room) => Mistaken {
  return (room) => ({
    ...asksOtherwise(route, (body) => change(body, room)),
    answer: unmarked,
  });
}

const unmarked: NonNullable<Mistaken['answer']> = (answer) => {
  const text = answer.body.toString('utf8');
  return MARK.test(text) ? { ...answer, body: Buffer.from(text.replace(MARK, '')) } : undefined;
};

function marked(text: string): string {
  return `${text}~again${(++marks).toString(36)}`;
}

/** Longer ones have no room for a mark. */
const LONGEST_MARKED = 200;

function keyOf({ idempotency_key: key }: Body): string | undefined {
  return typeof key === 'string' && key !== '' && key.length <= LONGEST_MARKED ? key : undefined;
}

async function jobsWhere(room: Room, holds: (job: WireJob) => boolean): Promise<WireJob[]> {
  return (await room.read('/v1/status')).queue.jobs.filter(holds);
}

/** Looks first, and writes a moment later: who comes in between is not seen. */
function unlocked(member: 'idempotency_key' | 'job_id'): (room: Room) => Mistaken {
  return () => {
    const firsts = new Map<string, string>();
    const change = async (body: Body): Promise<Body | undefined> => {
      const name = body[member];
      if (typeof name !== 'string' || name === '') return undefined;
      const first = firsts.get(name);
      if (first !== undefined) return { ...body, [member]: first };
      await pause(30);
      const own = firsts.has(name) ? marked(name) : name;
      if (!firsts.has(name)) firsts.set(name, own);
      return own === name ? undefined : { ...body, [member]: own };
    };
    return { ...asksOtherwise(SUBMIT, change), answer: unmarked };
  };
}

/** A client that goes away leaves its key behind, and the next one with it is taken for another. */
function afterDisconnect(): Mistaken {
  const left = new Set<string>();
  return {
    ...asksOtherwise(SUBMIT, (body) => {
      const key = keyOf(body);
      if (key === undefined || !left.delete(key)) return undefined;
      return { ...body, idempotency_key: marked(key) };
    }),
    async answer(answer, asked, sender: Sender) {
      if (SUBMIT.test(routeOf(asked))) {
        await pause(20);
        const key = sender.isGone() ? /"idempotency_key":"([^"]+)"/.exec(asked.body.toString('utf8'))?.[1] : undefined;
        if (key !== undefined) left.add(key);
      }
      return unmarked(answer, asked, sender);
    },
  };
}

export const idempotencyMistakes = [
  mistake('enqueue.idem.job-id', 'an id that is there is taken again', () => {
    const ids = new Set<string>();
    return marking((body) => {
      if (typeof body.job_id !== 'string' || body.job_id.trim() === '' || ids.size === ids.add(body.job_id).size - 1)
        return undefined;
      const { idempotency_key: _, ...others } = body;
      return { ...others, job_id: marked(body.job_id) } as Body;
    })({} as Room);
  }),
  mistake(
    'enqueue.idem.key',
    'only an id is known again',
    marking((body) => {
      const key = keyOf(body);
      return key === undefined || body.job_id !== undefined ? undefined : { ...body, idempotency_key: marked(key) };
    }),
  ),
  mistake(
    'enqueue.idem.key-other-job-id',
    'the id wins over the key',
    marking((body) => {
      const key = keyOf(body);
      return key === undefined || body.job_id === undefined ? undefined : { ...body, idempotency_key: marked(key) };
    }),
  ),
  mistake('enqueue.idem.key-other-body', 'the last payload wins', () => {
    const payloads = new Map<string, unknown>();
    const shows = editsQueue((job) => {
      if (job.idempotency_key !== undefined && payloads.has(job.idempotency_key))
        job.payload = payloads.get(job.idempotency_key);
    });
    const hears = asksOtherwise(SUBMIT, (body) => {
      const key = keyOf(body);
      if (key !== undefined) payloads.set(key, body.payload);
      return undefined;
    });
    return { ...shows, ...hears };
  }),
  mistake('enqueue.idem.request-id-is-trace', 'a request id is taken for a key', () => {
    const ids = new Map<string, string>();
    return {
      ...asksOtherwise(SUBMIT, (body) => {
        const known = keyOf(body) === undefined && body.job_id === undefined ? ids.get(body.request_id) : undefined;
        return known === undefined ? undefined : { ...body, job_id: known };
      }),
      answer(answer, asked) {
        const found = /"job_id":"([^"]+)","status"/.exec(answer.body.toString('utf8'))?.[1];
        const request = /"request_id":"([^"]+)"/.exec(asked.body.toString('utf8'))?.[1];
        if (SUBMIT.test(routeOf(asked)) && found !== undefined && request !== undefined) ids.set(request, found);
        return undefined;
      },
    };
  }),
  mistake(
    'enqueue.idem.stable-request-id',
    'the answer has the request id of the retry',
    edits(SUBMIT, (body, asked) => {
      const own = bodyOf(asked)?.request_id;
      if (typeof own === 'string') body.request_id = own.trim();
    }),
  ),
  mistake(
    'enqueue.idem.empty-key',
    'no text is a key too',
    asksOtherwise(SUBMIT, (body) => (body.idempotency_key === '' ? { ...body, idempotency_key: 'empty' } : undefined)),
  ),
  mistake('enqueue.idem.concurrent-key', 'a key is looked up without a lock', unlocked('idempotency_key')),
  mistake('enqueue.idem.concurrent-job-id', 'an id is looked up without a lock', unlocked('job_id')),
  mistake(
    'enqueue.idem.after-terminal',
    'what has ended is forgotten',
    marking(async (body, room) => {
      const key = keyOf(body);
      if (key === undefined) return undefined;
      const ended = await jobsWhere(room, (job) => isTerminal(job) && job.idempotency_key === key);
      if (ended.length === 0) return undefined;
      const { job_id: _, ...others } = body;
      return { ...others, idempotency_key: marked(key) } as Body;
    }),
  ),
  mistake('enqueue.idem.after-restart', 'keys are known until the next start', (room) => {
    const old = new Set([...room.ledgerText.matchAll(/"idempotency_key":"([^"]*)"/g)].map(([, key = '']) => key));
    return marking((body) => {
      const key = keyOf(body);
      return key !== undefined && old.has(key) ? { ...body, idempotency_key: marked(key) } : undefined;
    })(room);
  }),
  mistake('enqueue.lost-ack.client-abort', 'a retry after a broken connection is a second job', afterDisconnect),
  mistake(
    'project.trigger.same-queue',
    'the trigger has keys of its own',
    marking((body) => {
      const key = keyOf(body);
      return key === undefined ? undefined : { ...body, idempotency_key: `${key}~again0` };
    }, TRIGGER),
  ),
];

/** Answers a failpoint as if it stood behind the append. */
export const failpointMistake = mistake(
  'enqueue.lost-ack.failpoint',
  'the failpoint before the append stands behind it',
  {
    ask: (asked) =>
      asked.headers['x-agentops-failpoint'] === 'before_append'
        ? withHeader(asked, 'x-agentops-failpoint', 'after_append_before_ack')
        : undefined,
  },
);
