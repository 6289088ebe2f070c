/** Ids as people give them: whole, or the beginning of exactly one. */
import { AgentopsdError } from '../base/errors.js';
import { nearest } from '../base/nearest.js';
import { safeLine } from '../base/text.js';
import type { QueueJob } from '../client/client.js';
import type { Reading } from './reading.js';

const SHOWN_CANDIDATES = 5;

/**
 * The job that `given` names.
 * @throws AgentopsdError `unknown_job` or `ambiguous_id`, naming candidates
 */
export async function findJob(reading: Pick<Reading, 'job' | 'jobs'>, given: string): Promise<QueueJob> {
  try {
    return await reading.job(given);
  } catch (error) {
    if (!(error instanceof AgentopsdError) || error.code !== 'unknown_job') throw error;
  }
  const jobs = await reading.jobs();
  return jobOfPrefix(jobs, given);
}

export function jobOfPrefix(jobs: readonly QueueJob[], given: string): QueueJob {
  const exact = jobs.find((job) => job.job_id === given);
  if (exact !== undefined) return exact;
  const candidates = given === '' ? [] : jobs.filter((job) => job.job_id.startsWith(given));
  const found = candidates[0];
  if (found === undefined) throw unknownJob(jobs, given);
  if (candidates.length === 1) return found;
  const shown = candidates
    .slice(0, SHOWN_CANDIDATES)
    .map((job) => safeLine(job.job_id))
    .join(', ');
  const more = candidates.length > SHOWN_CANDIDATES ? ' …' : '';
  throw new AgentopsdError('ambiguous_id', `${candidates.length} jobs begin with ${safeLine(given)}: ${shown}${more}`, {
    hint: 'give more of the id',
  });
}

function unknownJob(jobs: readonly QueueJob[], given: string): AgentopsdError {
  const guess = nearest(
    given,
    jobs.map((job) => job.job_id),
  );
  return new AgentopsdError('unknown_job', `there is no job ${safeLine(given)}`, {
    hint: guess === undefined ? 'see: agentopsd jobs' : `did you mean ${safeLine(guess)}`,
  });
}
