/** The closed list of v0. */
export const jobTypes: ReadonlySet<string> = new Set([
  'rpi.run',
  'rpi.phase',
  'dream.run',
  'dream.stage',
  'wiki.build',
  'wiki.forge',
  'factory.admission',
  'factory.local-pilot',
  'openclaw.snapshot',
  'plans.projection',
  'llmwiki.loop',
  'eval.suite',
  'eval.skill-delta',
]);
