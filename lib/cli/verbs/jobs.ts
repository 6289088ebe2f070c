/** The list of jobs, in the order of acceptance. */
import { AgentopsdError } from '../../base/errors.js';
import { safeLine } from '../../base/text.js';
import type { QueueJob } from '../../client/client.js';
import { jobTypes } from '../../model/event.js';
import { jobStates } from '../../model/job.js';
import type { Invocation } from '../invocation.js';
import { jobRow, table } from '../job-words.js';
import { openReading } from '../reading.js';
import { readMomentMs } from '../times.js';

export async function perform(invocation: Invocation): Promise<number> {
  const { flags, printer } = invocation;
  const filter = { statuses: flags.choices('status', jobStates), types: flags.choices('type', jobTypes) };
  const limit = flags.wholeNumber('limit', 0);
  const sinceMs = momentOf(flags.text('since'));
  const reading = await openReading(invocation);
  const found = (await reading.jobs(filter)).filter((job) => acceptedSince(job, sinceMs));
  const jobs = limit === undefined ? found : found.slice(Math.max(0, found.length - limit));
  printer.answer('jobs', jobs, () => {
    if (printer.quiet) for (const job of jobs) printer.line(safeLine(job.job_id));
    else for (const line of table(jobs.map((job) => jobRow(job, printer)))) printer.line(line);
    if (jobs.length === 0) printer.note('no such jobs');
  });
  return 0;
}

function momentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const momentMs = readMomentMs(text, Date.now());
  if (momentMs !== undefined) return momentMs;
  throw new AgentopsdError('usage', `--since ${safeLine(text)} can't be used`, {
    hint: 'give a time such as 2026-05-01T12:00:00Z, or how long ago: 2h',
  });
}

function acceptedSince(job: QueueJob, sinceMs: number | undefined): boolean {
  return sinceMs === undefined || Date.parse(job.created_at ?? '') >= sinceMs;
}
