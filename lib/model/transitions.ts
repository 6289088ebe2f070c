/**
 * The state machine of a job, as one table: what each event makes of each state. What is not in it is illegal: `decide`
 * never makes such an event, and `fold` passes over one that it reads.
 *
 *     (none) ─accepted─> queued ─claimed─> running ─completed─> completed
 *                          │                 │  └────failed───> failed
 *                          │                 └─lease_expired─> retry_waiting ─claimed─> running
 *                          │                                     └─failed─> failed (attempts used up)
 *                          └── cancelled, from every state that is not terminal ──> cancelled
 *
 * What a worker records of its job beyond its life (`factory.admission_decided`) leaves it running. The first terminal
 * event wins for ever.
 */
import type { KnownEventType } from './event.js';
import type { JobState } from './job.js';

type JobEventType = Exclude<KnownEventType, `projection.${string}`>;
type Row = Partial<Record<JobEventType, JobState>>;

export const transitions: Readonly<Record<JobState | 'none', Row>> = {
  none: { 'job.accepted': 'queued' },
  queued: { 'job.claimed': 'running', 'job.cancelled': 'cancelled', 'job.adopted': 'queued' },
  running: {
    'job.heartbeat': 'running',
    'job.lease_expired': 'retry_waiting',
    'job.completed': 'completed',
    'job.failed': 'failed',
    'job.cancelled': 'cancelled',
    'job.adopted': 'running',
    'factory.admission_decided': 'running',
  },
  retry_waiting: {
    'job.claimed': 'running',
    'job.failed': 'failed',
    'job.cancelled': 'cancelled',
    'job.adopted': 'retry_waiting',
  },
  completed: {},
  failed: {},
  cancelled: {},
};

/** The same by event: of what a line names as its type only a `Map` can be asked whatever it is. */
const byEvent = new Map<string, Partial<Record<JobState | 'none', JobState>>>();
for (const [state, row] of Object.entries(transitions) as [JobState | 'none', Row][])
  for (const [eventType, next] of Object.entries(row))
    byEvent.set(eventType, { ...byEvent.get(eventType), [state]: next });

/** The state that an event leads to, or undefined when it is illegal there. `state` undefined: there is no such job. */
export function nextState(state: JobState | undefined, eventType: string): JobState | undefined {
  return byEvent.get(eventType)?.[state ?? 'none'];
}
