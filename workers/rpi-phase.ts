/** `rpi.phase`: one phase of a run. What other jobs of the same `run_id` summed up of the phases before is its start. */
import type { BuiltinHandler } from './builtin-context.js';
import { readPhase } from './rpi/request.js';
import { agentFor, runPhases } from './rpi/run-phases.js';

export const rpiPhase: BuiltinHandler = async (job, context) => {
  const agent = agentFor(job, context);
  await runPhases(context, agent, readPhase(job));
};
