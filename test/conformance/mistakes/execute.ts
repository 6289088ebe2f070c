/** Mistakes in the work itself: claims, leases, ends, restarts. A worker's report is changed where it is shown. */
import type { Body, WireEvent, WireJob } from '../wire.js';
import { EVENTS, edits, editsQueue, type Mistaken, mistake, type Room, STATUS } from './mistake.js';

/** Changes both what the queue shows and what the events say. */
function both(queue: (job: WireJob) => void, events: (body: Body) => void): Mistaken {
  const [status, list] = [editsQueue(queue), edits(EVENTS, events)];
  return {
    async answer(answer, asked, sender) {
      return (await status.answer?.(answer, asked, sender)) ?? list.answer?.(answer, asked, sender);
    },
  };
}

function editsEvents(edit: (event: WireEvent) => void): Mistaken {
  return edits(EVENTS, ({ events }) => events.forEach(edit));
}

/** What the first claim of each job says, from the events. */
async function firstClaims({ read }: Room): Promise<Map<string, Record<string, unknown>>> {
  const claims = new Map<string, Record<string, unknown>>();
  for (const { event_type, job_id, payload } of (await read('/v1/events')).events) {
    if (event_type === 'job.claimed' && !claims.has(job_id)) claims.set(job_id, payload);
  }
  return claims;
}

/** A member of the queue's jobs, and of the payloads of events, stays as the first claim had it. */
function staysAsClaimed(name: 'claim_token' | 'lease_expires_at'): (room: Room) => Mistaken {
  return (room) => {
    const status = edits(STATUS, async ({ queue }) => {
      const claims = await firstClaims(room);
      for (const job of queue.jobs) if (job[name] !== undefined) job[name] = String(claims.get(job.job_id)?.[name]);
    });
    const list = edits(EVENTS, async ({ events }) => {
      const claims = await firstClaims(room);
      for (const { job_id, payload } of events) {
        if (payload?.[name] !== undefined) payload[name] = claims.get(job_id)?.[name];
      }
    });
    return {
      async answer(answer, asked, sender) {
        return (await status.answer?.(answer, asked, sender)) ?? list.answer?.(answer, asked, sender);
      },
    };
  };
}

/** However long a start takes, the lease lasts longer. */
function minuteAfter(time: string): string {
  return new Date(Date.parse(time) + 60_000).toISOString();
}

const fails = (event: WireEvent): boolean => event.event_type === 'job.failed';

/** Second attempts are not shown, but for an end that comes out of nothing. */
function skipsClaim(): Mistaken {
  const seen = new Set<string>();
  return editsQueue((job) => {
    if (job.attempt < 2) return;
    job.attempt = 1;
    job.lease_epoch = 1;
    job.status = seen.has(job.job_id) ? 'completed' : 'retry_waiting';
    seen.add(job.job_id);
  });
}

/** Jobs that were accepted before this start, and that nobody had taken, are left alone. */
function forgetsQueued({ ledgerText }: Room): Mistaken {
  const named = (type: string): Set<string> =>
    new Set(
      [...ledgerText.matchAll(new RegExp(`"event_type":"job\\.${type}"[^\\n]*?"job_id":"([^"]*)"`, 'g'))].map(
        ([, id = '']) => id,
      ),
    );
  const claimed = named('claimed');
  const left = new Set([...named('accepted')].filter((id) => !claimed.has(id)));
  return both(
    (job) => {
      if (left.has(job.job_id)) Object.assign(job, { status: 'queued', attempt: 0 });
    },
    (body) => {
      body.events = body.events.filter((event) => !left.has(event.job_id) || event.event_type === 'job.accepted');
    },
  );
}

export const executeMistakes = [
  mistake(
    'execute.claim.lease-fields',
    'nobody says how long a lease lasts',
    editsQueue((job) => void delete job.lease_expires_at),
  ),
  mistake('execute.heartbeat.extends', 'a heartbeat moves nothing', staysAsClaimed('lease_expires_at')),
  mistake(
    'execute.complete',
    'a job completes that nobody has claimed',
    edits(EVENTS, (body) => {
      body.events = body.events.filter(({ event_type }) => event_type !== 'job.claimed');
    }),
  ),
  mistake(
    'execute.fail',
    'a failure is a completion',
    both(
      (job) => {
        if (job.status !== 'failed') return;
        job.status = 'completed';
        delete job['failure'];
      },
      ({ events }) => {
        for (const event of events.filter(fails)) event.event_type = 'job.completed';
      },
    ),
  ),
  mistake('execute.state.legal-edges', 'what waits for another attempt is completed without one', skipsClaim),
  mistake(
    'execute.state.replay-oracle',
    'a table beside the events drifts',
    editsQueue((job) => {
      if (job.status === 'cancelled') job.attempt++;
    }),
  ),
  mistake(
    'execute.lease.expiry',
    'a lease that has run out still runs',
    editsQueue((job) => {
      if (job.status === 'retry_waiting') job.status = 'running';
    }),
  ),
  mistake('execute.lease.reclaim', 'a claim token is used again', staysAsClaimed('claim_token')),
  mistake(
    'execute.lease.no-early-reclaim',
    'a start takes up at once whatever ran',
    edits(EVENTS, (body) => {
      body.events = body.events.filter(({ event_type }) => event_type !== 'job.lease_expired');
      for (const { occurred_at, payload } of body.events) {
        if (payload?.['lease_expires_at'] !== undefined) payload['lease_expires_at'] = minuteAfter(occurred_at);
      }
    }),
  ),
  mistake(
    'execute.lease.fencing',
    'whose claim it is does not matter',
    editsEvents(({ event_type, payload }) => {
      if (/^job\.(?:heartbeat|lease_expired|completed|failed)$/.test(event_type)) payload['claim_token'] = 'stale';
    }),
  ),
  mistake(
    'execute.retry.exhaustion',
    'there is always another attempt',
    editsQueue((job) => {
      if (job.status !== 'failed' || job.attempt < job.max_attempts) return;
      job.status = 'running';
      job.attempt = job.max_attempts + 1;
    }),
  ),
  mistake(
    'execute.queue.no-head-blocking',
    'the queue stops at what nobody takes',
    edits(STATUS, ({ queue }) => {
      const head = queue.jobs.findIndex(({ status }) => status === 'queued');
      for (const job of head < 0 ? [] : queue.jobs.slice(head)) Object.assign(job, { status: 'queued', attempt: 0 });
    }),
  ),
  mistake(
    'execute.queue.exclusive',
    'two workers take the same job',
    edits(EVENTS, (body) => {
      body.events = body.events.flatMap((event) =>
        event.event_type === 'job.claimed' ? [event, { ...event, event_id: `${event.event_id}-twin` }] : [event],
      );
    }),
  ),
  mistake('execute.restart.queued-runs', 'a start takes up only what ran', forgetsQueued),
];
