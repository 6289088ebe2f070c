/** Mistakes that a killed process shows: what was acknowledged and is not there, and what comes back changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type Asked, answerOf, type Body, bodyOf, routeOf, type WireEvent } from '../wire.js';
import {
  asksOtherwise,
  CANCEL,
  CONSUMER,
  EVENTS,
  edits,
  isTerminal,
  type Mistake,
  type Mistaken,
  mistake,
  pause,
  type Room,
  STATUS,
  SUBMIT,
} from './mistake.js';

const jobInPath = /^POST \/v1\/jobs\/[^/]+\/cancel$/;

/**
 * Acknowledges at once and writes later. `hides`: whoever looks waits until it is written, so that only a killed process
 * shows it; the answer is the true one of a twin that is asked later, guessed now.
 */
function writesLater(
  room: Room,
  afterMs: number,
  hides: boolean,
  guess: (asked: Asked) => Promise<Answer | undefined>,
): Mistaken {
  const pending = new Set<Promise<unknown>>();
  return {
    async ask(asked) {
      const forged = asked.method === 'POST' ? await guess(asked) : undefined;
      if (forged !== undefined) {
        const body = bodyOf(asked);
        const ids = bodyOf(forged);
        const { job_id, request_id } = ids ?? {};
        const writing = pause(afterMs)
          .then(() => room.ask('POST', asked.path, { request_id, job_id, ...body }))
          .finally(() => pending.delete(writing));
        pending.add(writing);
        return forged;
      }
      if (hides) await Promise.all(pending);
      return undefined;
    },
  };
}

/** What a submit of a new job is answered, before it is written; undefined for all else. */
function guessSubmit(room: Room): (asked: Asked) => Promise<Answer | undefined> {
  let count = 0;
  const seen = new Map<string, Answer>();
  return async (asked) => {
    const body = SUBMIT.test(routeOf(asked)) ? bodyOf(asked) : undefined;
    if (body === undefined || asked.headers['x-agentops-daemon-token'] === '' || typeof body.job_type !== 'string')
      return undefined;
    const name = body.idempotency_key ?? body.job_id;
    if (name !== undefined && seen.has(name)) return undefined;
    const { status, queue } = await jobsNow(room);
    if (queue.some((job) => job.job_id === body.job_id || job.idempotency_key === name)) return undefined;
    const job_id = body.job_id ?? `job-later-${process.pid}-${++count}`;
    const request_id = body.request_id ?? `request-later-${process.pid}-${count}`;
    const { projection_lag, last_event_id } = status;
    const lag = { ...projection_lag, event_count: projection_lag.event_count + 1 };
    const key = body.idempotency_key === undefined ? {} : { idempotency_key: body.idempotency_key };
    const forged = answerOf(202, {
      accepted: true,
      job_id,
      request_id,
      status: 'queued',
      last_event_id,
      projection_status: 'current',
      projection_lag: lag,
      ...key,
    });
    if (name !== undefined) seen.set(name, forged);
    return forged;
  };
}

async function jobsNow(room: Room): Promise<{ status: Body; queue: Body['queue']['jobs'] }> {
  const status = await room.read('/v1/status');
  return { status, queue: status.queue.jobs };
}

export function guessCancel(room: Room): (asked: Asked) => Promise<Answer | undefined> {
  return async (asked) => {
    const isCancel = CANCEL.test(routeOf(asked)) || jobInPath.test(routeOf(asked));
    const jobId = isCancel ? bodyOf(asked)?.job_id : undefined;
    if (jobId === undefined) return undefined;
    const { status, queue } = await jobsNow(room);
    const job = queue.find(({ job_id }) => job_id === jobId);
    if (job === undefined || isTerminal(job)) return undefined;
    const { projection_lag } = status;
    return answerOf(202, {
      cancelled: true,
      outcome: 'cancelled',
      job: { ...job, status: 'cancelled' },
      projection_status: 'current',
      projection_lag,
    });
  };
}

function onRestart(room: Room, mistaken: Mistaken): Mistaken {
  return room.ledgerText === '' ? {} : mistaken;
}

function idsOf({ ledgerText }: Room): Set<string> {
  return new Set([...ledgerText.matchAll(/"event_id":"([^"]*)"/g)].map(([, id = '']) => id));
}

function latestOf(events: readonly WireEvent[], old: ReadonlySet<string>): WireEvent[] {
  const last = new Map(events.filter(({ event_id }) => old.has(event_id)).map((event) => [event.job_id, event]));
  return events.filter((event) => !old.has(event.event_id) || last.get(event.job_id) === event);
}

/** A side file holds what the projections are made from. */
function fromSideFile({ folder, ledgerText }: Room): Mistaken {
  const path = join(folder, '.agents', 'daemon', 'side.json');
  const isLost = ledgerText.includes('"job.accepted"') && readOr(path, '') === '';
  writeFileSync(path, '{"kept":true}\n');
  return isLost
    ? edits(STATUS, ({ projections }) => {
        projections.jobs = [];
        projections.rpi.runs = [];
        projections.dream.runs = [];
        projections.wiki.jobs = [];
      })
    : {};
}

export function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export const durableMistakes = [
  mistake('enqueue.submit.append-before-ack', 'acknowledged half a second before it is written', (room) =>
    writesLater(room, 500, false, guessSubmit(room)),
  ),
  mistake('enqueue.lost-ack.kill-in-flight', 'acknowledged a moment before it is written', (room) =>
    writesLater(room, 150, true, guessSubmit(room)),
  ),
  mistake('enqueue.durable.kill9', 'written once a second', (room) =>
    writesLater(room, 1_000, true, guessSubmit(room)),
  ),
  mistake('execute.cancel.durable', 'a cancel is acknowledged before it is written', (room) =>
    writesLater(room, 1_000, true, guessCancel(room)),
  ),
  mistake('enqueue.durable.history', 'a start keeps the last event of each job', (room) => {
    const old = idsOf(room);
    return onRestart(
      room,
      edits(EVENTS, (body) => {
        body.events = latestOf(body.events, old);
      }),
    );
  }),
  mistake('enqueue.durable.fresh-ids', 'the numbers of jobs begin anew with each start', () => {
    let count = 0;
    return asksOtherwise(SUBMIT, (body) =>
      body.job_id === undefined && body.idempotency_key === undefined
        ? { ...body, job_id: `job-${++count}` }
        : undefined,
    );
  }),
  mistake('enqueue.durable.append-failure', 'an append that failed is acknowledged', {
    answer(answer, asked) {
      const body = answer.status >= 500 && SUBMIT.test(routeOf(asked)) ? bodyOf(asked) : undefined;
      if (body === undefined) return undefined;
      const { job_id = 'job-lost', request_id = 'request-lost' } = body;
      const projection_lag = { event_count: 1, corrupt_record_count: 0, degraded: false };
      return answerOf(202, {
        accepted: true,
        job_id,
        request_id,
        status: 'queued',
        projection_status: 'current',
        projection_lag,
      });
    },
  }),
  mistake('execute.state.terminal-final', 'what had ended waits again after a start', (room) => {
    const ended = new Set(
      [...room.ledgerText.matchAll(/"event_type":"job\.(?:completed|failed|cancelled)"[^\n]*?"job_id":"([^"]*)"/g)].map(
        ([, id = '']) => id,
      ),
    );
    return edits(STATUS, ({ queue }) => {
      for (const job of queue.jobs) if (ended.has(job.job_id)) job.status = 'queued';
    });
  }),
  mistake('project.rebuild.restart-equal', 'a start forgets the wiki', (room) =>
    onRestart(
      room,
      edits(STATUS, ({ projections }) => {
        projections.wiki.jobs = [];
      }),
    ),
  ),
  mistake('project.rebuild.from-ledger-only', 'the projections are read from a file of their own', fromSideFile),
  mistake('project.rebuild.bad-cache', 'a spoiled cache is believed', ({ cacheTexts }) =>
    cacheTexts.some((text) => !isJson(text))
      ? edits(CONSUMER, (body) => {
          const lists = body.resources ?? body;
          if (lists.jobs !== undefined) lists.jobs = [];
        })
      : {},
  ),
];

/** Nothing that a wire shows, and nothing that a killed process loses. */
export const syncMistake: Mistake = {
  ...mistake('enqueue.durable.fsync-probe', 'what is written is not made certain of', {}),
  preload: './mistakes/unsynced-disk.js',
};
