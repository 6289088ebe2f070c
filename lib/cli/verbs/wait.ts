/** Waits until jobs have ended. */

import { tellEnds } from '../ends.js';
import type { Invocation } from '../invocation.js';
import { findJob } from '../job-ids.js';
import { openReading } from '../reading.js';
import { exitOfEnds, waitForJobs } from '../waiting.js';

export async function perform(invocation: Invocation): Promise<number> {
  const { flags, operands, printer } = invocation;
  const wait = { timeoutMs: flags.durationMs('timeout'), any: flags.on('any') };
  const reading = await openReading(invocation);
  const jobs = [];
  for (const given of new Set(operands)) jobs.push(await findJob(reading, given));
  const ended = await waitForJobs(reading, jobs, wait);
  tellEnds('jobs', ended, printer);
  return exitOfEnds(ended);
}
