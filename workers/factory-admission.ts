/**
 * `factory.admission`: may a work order start? It is held against git and against what is under way; the answer no is a
 * completed job with its reasons. It is recorded as `factory.admission_decided`; an admitted order is handed on as an
 * `rpi.run` when the payload asks for it.
 *
 * Payload: `work_order`, `run_id`, `handoff`. Artifacts: `work_order.json`, `admission.json`, `blockers.json`.
 */

import type { BuiltinHandler } from './builtin-context.js';
import { admit, leaveAdmission } from './factory/admission.js';
import { handOn, readHandoff } from './factory/handoff.js';
import { factoryLimits } from './factory/limits.js';
import type { CarriedOrder } from './factory/work-order-model.js';
import { failure } from './failure.js';

export const factoryAdmission: BuiltinHandler = async (job, context) => {
  const handoff = readHandoff(job.payload);
  const decided = await admit(job, context, (order) => {
    if (handoff !== undefined) refuseUnrunnable(order);
  });
  const handedOn = decided.allowed && handoff !== undefined ? await handOn(job, decided, handoff, context) : undefined;
  await leaveAdmission(decided, handedOn, context);
};

/** What no run would take is not handed on to one. @throws a failure `request_rejected` */
export function refuseUnrunnable({ goal, validation_commands }: CarriedOrder): void {
  if (goal === undefined || goal.trim() === '')
    throw failure('request_rejected', 'payload.work_order.goal is missing: what is handed on needs a goal');
  const { handedOnCommands } = factoryLimits;
  if (validation_commands.length > handedOnCommands)
    throw failure(
      'request_rejected',
      `payload.work_order.validation_commands: ${validation_commands.length} commands, and what is handed on may have ${handedOnCommands} at most; put several into one`,
    );
}
