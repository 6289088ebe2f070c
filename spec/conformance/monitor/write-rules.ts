/** What the answer to a write says of its job, held against the events. */
import type { Report } from '../findings.js';
import { type Fold, foldEvents, knownJob, statusesBetween, terminal } from '../fold.js';
import { isObject, type JsonObject, shown, textAt } from '../json.js';
import { clockSlackMs, judgeQueueJob, type Moment } from './queue-oracle.js';

/**
 * The answer of a submit or a trigger names the job as it stands, and its last event.
 * @param events up to the one that the answer names, which is the last of them
 */
export function judgeTaken(
  body: unknown,
  events: readonly JsonObject[],
  moment: Moment,
  later: readonly JsonObject[],
  report: (expected: string, observed: string) => void,
): void {
  const jobId = textAt(body, 'job_id') ?? '';
  const named = events.at(-1);
  if (named?.['job_id'] !== jobId) {
    report(`last_event_id is an event of job ${jobId}`, shown(named));
    return;
  }
  const ofJob = (event: JsonObject): boolean => event['job_id'] === jobId;
  const fold = foldEvents(events.filter(ofJob));
  if (fold.acceptedTwice.size > 0) return;
  const job = knownJob(fold, jobId);
  if (job === undefined) {
    report(`job ${jobId} was accepted by then`, shown(named));
    return;
  }
  for (const [name, value] of [
    ['request_id', job.requestId],
    ['job_type', job.jobType],
  ] as const) {
    const seen = (body as JsonObject)[name];
    // The answer of a submit does not say the type; where the event says nothing, there is nothing to hold it against.
    if (value === undefined || (name === 'job_type' && seen === undefined)) continue;
    if (value !== seen) report(`${name} ${shown(value)}, as job.accepted has it`, shown(seen ?? 'absent'));
  }
  const statuses = statusesBetween(job, moment.from, moment.to, clockSlackMs);
  const status = textAt(body, 'status') ?? '';
  if (!(statuses as readonly string[]).includes(status) && !later.some(ofJob)) {
    report(`status ${statuses.join(' or ')}, as the job's events say`, status);
  }
}

/** The answer of a cancel shows the job as the queue does. @param fold of the events up to the head that it names */
export function judgeCancelled(body: JsonObject, fold: Fold, moment: Moment, check: string, report: Report): void {
  const shownJob = body['job'];
  const job = knownJob(fold, textAt(shownJob, 'job_id'));
  // What has ended is the same whenever one looks.
  if (job === undefined || !isObject(shownJob) || !terminal.includes(job.status)) return;
  judgeQueueJob(job, shownJob, moment, (name, expected, observed, severity = 'MUST') =>
    report(
      check,
      severity,
      `the answer of a cancel, job ${job.jobId}: ${name} ${shown(expected)}, as its events say`,
      `${name} ${shown(observed ?? 'is absent')}`,
    ),
  );
}
