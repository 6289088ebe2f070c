/**
 * Hands an admitted order on as an `rpi.run` of its own. Its key is made from the job that hands it on, so that however
 * often it is handed on there is one run.
 */
import { fileNameOf } from '../../lib/base/file-name.js';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { nearest } from '../../lib/base/nearest.js';
import type { WorkerJob } from '../../lib/model/worker-protocol.js';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';
import { textMember, wholeMember } from '../kit/payload.js';
import type { Decided, HandedOn } from './admission.js';

/** How the run is to go, as its payload has it. */
export type Handoff = JsonObject;

const MEMBERS = ['start_phase', 'max_phase', 'mode', 'worktree'];
const LAST_PHASE = 3;

/** @returns undefined when the order is not to be handed on */
export function readHandoff(payload: JsonObject): Handoff | undefined {
  const { handoff } = payload;
  if (handoff === undefined || handoff === null || handoff === false) return undefined;
  if (handoff === true) return {};
  if (!isJsonObject(handoff)) throw failure('request_rejected', 'payload.handoff must be true, false or an object');
  return withName(() => checkedHandoff(handoff));
}

function checkedHandoff(handoff: JsonObject): Handoff {
  for (const member of Object.keys(handoff)) {
    if (MEMBERS.includes(member)) continue;
    const near = nearest(member, MEMBERS);
    const rest = near === undefined ? `known: ${MEMBERS.join(', ')}` : `did you mean ${near}?`;
    throw failure('request_rejected', `payload.${JSON.stringify(member)} is unknown; ${rest}`);
  }
  const start_phase = wholeMember(handoff, 'start_phase', 1, LAST_PHASE);
  const max_phase = wholeMember(handoff, 'max_phase', start_phase ?? 1, LAST_PHASE);
  const mode = textMember(handoff, 'mode');
  const { worktree } = handoff;
  if (worktree !== undefined && worktree !== null && typeof worktree !== 'boolean')
    throw failure('request_rejected', 'payload.worktree must be true or false');
  return {
    ...(start_phase === undefined ? {} : { start_phase }),
    ...(max_phase === undefined ? {} : { max_phase }),
    ...(mode === undefined ? {} : { mode }),
    ...(typeof worktree === 'boolean' ? { worktree } : {}),
  };
}

/** What is said of a member of the payload is meant of one of its `handoff`. */
function withName<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    const message = (error as Error).message.replace(/^payload\./, 'payload.handoff.');
    throw failure('request_rejected', message);
  }
}

/** @throws a failure `request_rejected` when the key stands for another job, which somebody else submitted */
export async function handOn(
  job: WorkerJob,
  { order, run_id }: Decided,
  handoff: Handoff,
  context: BuiltinContext,
): Promise<HandedOn> {
  // A job id has up to 256 bytes, as a key has: its file name is shorter, and as much its own.
  const idempotency_key = `${job.job_type}:handoff:${fileNameOf(job.job_id)}`;
  const { goal = '', validation_commands } = order;
  const { job_id, conflict } = await context.submitJob({
    job_type: 'rpi.run',
    idempotency_key,
    payload: {
      goal,
      run_id,
      ...handoff,
      ...(validation_commands.length === 0 ? {} : { validation_commands: [...validation_commands] }),
      work_order: order as unknown as JsonObject,
    },
  });
  if (conflict !== undefined)
    throw failure(
      'request_rejected',
      `the order is admitted, but not handed on: the key ${idempotency_key} stands for the job ${job_id}, which has another ${conflict}`,
    );
  context.log(`handed on as ${job_id}`);
  return { job_id, idempotency_key };
}
