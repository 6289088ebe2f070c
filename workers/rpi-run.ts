/**
 * `rpi.run`: discovery, implementation and validation of one goal, each one run of an agent whose prompt is made of the
 * goal and of what the earlier phases summed up. The last phase also runs the validation commands itself, and their exit
 * codes decide. Nothing is committed, merged or pushed.
 */
import type { BuiltinHandler } from './builtin-context.js';
import { readRun } from './rpi/request.js';
import { agentFor, runPhases } from './rpi/run-phases.js';

export const rpiRun: BuiltinHandler = async (job, context) => {
  const agent = agentFor(job, context);
  await runPhases(context, agent, readRun(job));
};
