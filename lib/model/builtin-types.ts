/** The job types that a built-in worker does. `workers/handlers.ts` has an entry for each: the compiler sees to it. */
import type { JobType } from './event.js';

export const builtinTypes = [
  'rpi.run',
  'rpi.phase',
  'wiki.forge',
  'wiki.build',
  'factory.admission',
  'factory.local-pilot',
  'dream.run',
  'dream.stage',
  'llmwiki.loop',
  'openclaw.snapshot',
  'plans.projection',
  'eval.suite',
  'eval.skill-delta',
] as const satisfies readonly JobType[];
export type BuiltinType = (typeof builtinTypes)[number];

export function isBuiltinType(jobType: string): jobType is BuiltinType {
  return (builtinTypes as readonly string[]).includes(jobType);
}
