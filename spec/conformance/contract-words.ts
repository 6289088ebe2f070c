/** The words that v0 has for things, as its lists name them. */

export const jobStatuses = ['queued', 'running', 'retry_waiting', 'completed', 'failed', 'cancelled', 'degraded'];
export const projectionStatuses = ['current', 'stale', 'degraded'];
export const failureCodes = [
  'daemon_unavailable',
  'provider_unreachable',
  'session_pending',
  'lost',
  'event_stream_unavailable',
  'terminal_without_transcript',
  'request_rejected',
  'projection_degraded',
  'retry_exhausted',
];
export const jobTypes = [
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
];
export const triggerTypes = ['openclaw.snapshot', 'rpi.run', 'dream.run', 'wiki.forge'];
export const projectionNames = [
  'rpi-registry',
  'dream-runs',
  'wiki-jobs',
  'openclaw-snapshot',
  'daemon-status',
  'daemon-job-status',
];
