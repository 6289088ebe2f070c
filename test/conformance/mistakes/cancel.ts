/** Mistakes in cancelling: what is answered, what is written, and who may. */
import { type Answer, type Asked, answerOf, bodyOf, routeOf, type WireEvent, type WireJob, withBody } from '../wire.js';
import { guessCancel } from './durable.js';
import {
  asksOtherwise,
  CANCEL,
  EVENTS,
  edits,
  editsQueue,
  isTerminal,
  type Mistaken,
  mistake,
  type Room,
} from './mistake.js';

const FIRST_LATE_MS = 400;

/** The job that a cancel names in its body. */
function jobIdOf(asked: Asked): string | undefined {
  return CANCEL.test(routeOf(asked)) ? bodyOf(asked)?.job_id : undefined;
}

/** Events that the ledger does not have, each behind the one that was the last when it was made. */
class Forgeries {
  readonly #behind = new Map<string, WireEvent[]>();

  /** The last event of a type of this job once more, with another id. */
  async repeat({ read }: Room, jobId: string, type: string, reason: string): Promise<void> {
    const { events, last_event_id: head = '' } = await read('/v1/events');
    const event = events.findLast((each) => each.job_id === jobId && each.event_type === type);
    if (event === undefined) return;
    const list = this.#behind.get(head) ?? [];
    const event_id = `${event.event_id}-${list.length + 2}`;
    this.#behind.set(head, [...list, { ...event, event_id, payload: { ...event.payload, reason } }]);
  }

  readonly shows = edits(EVENTS, (body) => {
    body.events = body.events.flatMap((event) => [event, ...(this.#behind.get(event.event_id) ?? [])]);
  });
}

/** Told and shown, but never written. */
function inMemory(room: Room): Mistaken {
  const cancelled = new Set<string>();
  const guess = guessCancel(room);
  return {
    async ask(asked) {
      const jobId = jobIdOf(asked);
      if (jobId === undefined || cancelled.has(jobId)) return undefined;
      const forged = await guess(asked);
      if (forged !== undefined) cancelled.add(jobId);
      return forged;
    },
    ...editsQueue((job) => {
      if (cancelled.has(job.job_id)) job.status = 'cancelled';
    }),
  };
}

/** A second one writes too. */
function repeats(room: Room): Mistaken {
  const forgeries = new Forgeries();
  return {
    async answer(answer, asked, sender) {
      const jobId = jobIdOf(asked);
      if (jobId === undefined || bodyOf(answer)?.outcome !== 'already_terminal_cancelled')
        return forgeries.shows.answer?.(answer, asked, sender);
      await forgeries.repeat(room, jobId, 'job.cancelled', String(bodyOf(asked)?.['reason']));
      return { ...answer };
    },
  };
}

/** Two that look at the same moment both write. */
function unlocked(room: Room): Mistaken {
  const forgeries = new Forgeries();
  const since = new Map<string, number>();
  return {
    ask(asked) {
      const jobId = jobIdOf(asked);
      if (jobId !== undefined && !since.has(jobId)) since.set(jobId, Date.now());
      return undefined;
    },
    async answer(answer, asked, sender) {
      const jobId = jobIdOf(asked);
      const body = bodyOf(answer);
      if (jobId === undefined || body?.outcome !== 'already_terminal_cancelled')
        return forgeries.shows.answer?.(answer, asked, sender);
      if (Date.now() - (since.get(jobId) ?? 0) > FIRST_LATE_MS) return undefined;
      await forgeries.repeat(room, jobId, 'job.cancelled', String(bodyOf(asked)?.['reason']));
      return withBody(answer, { ...body, outcome: 'cancelled' });
    },
  };
}

/** Shows jobs otherwise, from the moment that a cancel of them was answered in some way. */
function shows(when: RegExp, change: (job: WireJob) => void, afterMs = 0): (room: Room) => Mistaken {
  return () => {
    const since = new Map<string, number>();
    const queue = editsQueue((job) => {
      const at = since.get(job.job_id);
      if (at !== undefined && Date.now() - at >= afterMs) change(job);
    });
    return {
      answer(answer, asked, sender) {
        const jobId = jobIdOf(asked);
        const outcome = bodyOf(answer)?.outcome;
        if (jobId !== undefined && outcome !== undefined && when.test(outcome) && !since.has(jobId)) {
          since.set(jobId, Date.now());
        }
        return queue.answer?.(answer, asked, sender);
      },
    };
  };
}

/** What had ended is cancelled all the same. */
function overrides(room: Room): Mistaken {
  const ended = /^already_terminal_(?:completed|failed)$/;
  const shown = shows(ended, (job) => void Object.assign(job, { status: 'cancelled' }))(room);
  return {
    async answer(answer, asked, sender) {
      const changed = await shown.answer?.(answer, asked, sender);
      const body = jobIdOf(asked) === undefined ? undefined : bodyOf(answer);
      if (body === undefined || !ended.test(body.outcome)) return changed;
      return withBody(answer, {
        ...body,
        cancelled: true,
        outcome: 'cancelled',
        job: { ...body.job, status: 'cancelled' },
      });
    },
  };
}

async function newestOpen({ read }: Room): Promise<string | undefined> {
  return (await read('/v1/status')).queue.jobs.findLast((job) => !isTerminal(job))?.job_id;
}

const PATH_FORM = /^POST \/v1\/jobs\/[^/]+\/cancel$/;

export const cancelMistakes = [
  mistake('execute.cancel.queued', 'a cancel is known, and not written', inMemory),
  mistake('execute.cancel.repeat', 'a second cancel is an event too', repeats),
  mistake('execute.cancel.finished', 'a cancel overrides what has ended', overrides),
  mistake(
    'execute.cancel.running',
    'the worker of a cancelled job has the last word',
    shows(/^cancelled$/, (job) => void Object.assign(job, { status: 'completed' }), FIRST_LATE_MS),
  ),
  mistake('execute.cancel.unknown', 'a job that is not there is answered like one that is', {
    answer(answer: Answer, asked: Asked) {
      const job_id = answer.status === 404 ? jobIdOf(asked) : undefined;
      if (job_id === undefined) return undefined;
      return answerOf(202, { cancelled: false, outcome: 'already_terminal_cancelled', job: { job_id } });
    },
  }),
  mistake('execute.cancel.bad-request', 'no job_id means the newest job', (room) =>
    asksOtherwise(CANCEL, async (body) => {
      const job_id = body.job_id === undefined ? await newestOpen(room) : undefined;
      return job_id === undefined ? undefined : { ...body, job_id };
    }),
  ),
  mistake('execute.cancel.denied-no-effect', 'who may not cancel is told so, afterwards', ({ ask }) => ({
    async answer(answer, asked) {
      if (answer.status !== 403 || jobIdOf(asked) === undefined) return undefined;
      await ask('POST', '/v1/jobs/cancel', bodyOf(asked));
      return { ...answer };
    },
  })),
  mistake(
    'execute.cancel.correlates',
    'the request id of a cancel becomes that of the job',
    editsQueue((job) => {
      if (job.status === 'cancelled') job.request_id = job.request_ids.at(-1) ?? job.request_id;
    }),
  ),
  mistake('execute.cancel.concurrent', 'whether it is cancelled is looked up without a lock', unlocked),
  mistake('execute.cancel.path-form', 'the id in the path is not read', {
    ask: (asked) => (PATH_FORM.test(routeOf(asked)) ? { ...asked, path: '/v1/jobs/cancel' } : undefined),
  }),
];
