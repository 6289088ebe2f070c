/**
 * What a built-in worker asks of the daemon beyond its result: an event of its job, and jobs of its own. Both need the
 * lease under which it works, so that a worker that lost it changes nothing any more; both are carried out once however
 * often they are asked for, and answered when they are durable. It may also ask what stands in the ledger already: the
 * event that an earlier attempt recorded, and the work orders of other jobs.
 *
 * While the ledger takes nothing, such as on a full disk, they are asked again until the attempt is to stop.
 */
import { whyNotCanonical } from '../base/canonical.js';
import { type Clock, timestamp } from '../base/clock.js';
import { AgentopsdError, errorTable } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Random } from '../base/random.js';
import { safeLine } from '../base/text.js';
import type { Command, LeaseHeld, Outcome } from '../model/command.js';
import { type Failure, seqOfEventId } from '../model/event.js';
import { openOrders } from '../model/open-orders.js';
import type { ToMain, ToWorker } from '../model/worker-protocol.js';
import { readEnvelope } from './envelope.js';
import type { Kernel } from './kernel.js';
import { submitCommandOf } from './submit-command.js';

export type WorkerRequest = Extract<
  ToMain,
  { readonly kind: 'record_event' | 'ask_recorded_event' | 'ask_open_orders' | 'submit_job' }
>;

export interface WorkerRequestSeams {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  /** `max_attempts` of a job that is accepted now. */
  readonly maxAttempts: () => number;
  /** Who asks, as events name it: `worker-2`. */
  readonly actor: string;
  readonly lease: LeaseHeld;
  /** Whether the attempt is to stop: then nothing is asked of the ledger any more. */
  readonly isStopping: () => boolean;
}

const AGAIN_MS = 500;

/** Never rejects: what went wrong is an answer too. */
export async function answerWorker(request: WorkerRequest, seams: WorkerRequestSeams): Promise<ToWorker> {
  const { ask } = request;
  try {
    switch (request.kind) {
      case 'record_event':
        return await recordEvent(request, seams);
      case 'ask_recorded_event':
        return await recordedEvent(request, seams);
      case 'ask_open_orders':
        return { kind: 'open_orders', ask, orders: openOrders(seams.kernel.state, seams.lease.job_id) };
      case 'submit_job':
        return await submitJob(request, seams);
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const failure: Failure = { code: 'request_rejected', message: safeLine(message), retryable: false };
    return { kind: 'refused', ask, failure };
  }
}

async function recordEvent(
  { ask, event_type, payload }: Extract<WorkerRequest, { kind: 'record_event' }>,
  seams: WorkerRequestSeams,
): Promise<ToWorker> {
  const why = whyNotCanonical(payload) ?? whyTooLong(payload);
  if (why !== undefined) throw new AgentopsdError('invalid_request', `the payload of ${event_type}: ${why}`);
  const { lease, actor, clock } = seams;
  const { job } = await execute(seams, () => ({
    kind: 'record',
    ...lease,
    event_type,
    payload,
    actor,
    occurredAt: timestamp(clock.wallMs()),
  }));
  return { kind: 'event_recorded', ask, event_id: job?.recorded?.[event_type] ?? '' };
}

/** Read from the ledger: the state keeps its id alone. */
async function recordedEvent(
  { ask, event_type }: Extract<WorkerRequest, { kind: 'ask_recorded_event' }>,
  { kernel, lease }: WorkerRequestSeams,
): Promise<ToWorker> {
  const eventId = kernel.state.job(lease.job_id)?.recorded?.[event_type];
  if (eventId === undefined) return { kind: 'recorded_event', ask };
  const seq = seqOfEventId(eventId) ?? 0;
  for await (const { event } of kernel.ledger.read(seq, seq)) {
    if (event.event_id !== eventId) continue;
    const { claim_token: _, lease_epoch: __, ...payload } = event.payload ?? {};
    return { kind: 'recorded_event', ask, payload };
  }
  throw new Error(`the event ${eventId} is not in the ledger any more`);
}

function whyTooLong(payload: object): string | undefined {
  const gotBytes = Buffer.byteLength(JSON.stringify(payload), 'utf8');
  const maxBytes = limits.recordedPayloadBytes;
  return gotBytes <= maxBytes ? undefined : `it is ${gotBytes} bytes long; at most ${maxBytes} pass`;
}

async function submitJob(
  { ask, envelope }: Extract<WorkerRequest, { kind: 'submit_job' }>,
  seams: WorkerRequestSeams,
): Promise<ToWorker> {
  const body = Buffer.from(JSON.stringify(envelope), 'utf8');
  if (body.length > limits.requestBodyBytes) {
    const size = `${body.length} bytes long; at most ${limits.requestBodyBytes} pass`;
    throw new AgentopsdError('body_too_large', `the request is ${size}`);
  }
  const read = readEnvelope(body);
  if (read.refused) throw new AgentopsdError(read.refused.code, read.refused.message);
  const { clock, random, lease, actor, maxAttempts } = seams;
  const { job, conflict } = await execute(seams, () => ({
    ...submitCommandOf(read.request, actor, { clock, random, maxAttempts: maxAttempts() }),
    under: lease,
  }));
  if (job === undefined) throw new Error('invariant broken: what was submitted is there');
  const { job_id, status } = job;
  return { kind: 'job_submitted', ask, job_id, status, ...(conflict === undefined ? {} : { conflict }) };
}

async function execute({ kernel, clock, isStopping }: WorkerRequestSeams, commandNow: () => Command): Promise<Outcome> {
  for (;;) {
    if (isStopping())
      throw new AgentopsdError('stale_lease', 'the attempt is to stop: nothing more is recorded for it');
    try {
      return await kernel.execute(commandNow());
    } catch (error) {
      const mayPass = error instanceof AgentopsdError && errorTable[error.code].retryable;
      if (!mayPass || isStopping()) throw error;
    }
    await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
  }
}
