/** Stops a job. It is cancelled with the answer; what ran for it ends soon after. */
import { join } from 'node:path';
import { AgentopsdError } from '../../base/errors.js';
import { fileNameOf } from '../../base/file-name.js';
import { safeLine } from '../../base/text.js';
import type { CancelAnswer } from '../../client/client.js';
import { pause } from '../../client/retry.js';
import { layoutOf } from '../../storage/layout.js';
import { createNodeDisk } from '../../storage/node-disk.js';
import { requireClient } from '../daemon-address.js';
import type { Invocation } from '../invocation.js';
import { findJob } from '../job-ids.js';
import { stateWord } from '../job-words.js';
import type { Printer } from '../printer.js';

const POLL_MS = 100;
/** Longer than any grace that a worker gets by default. */
const STOP_WITHIN_MS = 60_000;

export async function perform(invocation: Invocation): Promise<number> {
  const { operands, flags, printer, place } = invocation;
  const client = await requireClient(invocation);
  const reading = { job: (jobId: string) => client.job(jobId), jobs: async () => (await client.status()).queue.jobs };
  const { job_id: jobId } = await findJob(reading, operands[0] as string);
  const reason = flags.text('reason');
  const answer = await client.cancel(jobId, reason === undefined ? {} : { reason });
  if (flags.on('wait')) await waitForStop(place.root, jobId);
  printer.answer('cancelled', answer, () => tell(answer, printer));
  return 0;
}

function tell({ job, outcome, cancelled }: CancelAnswer, printer: Printer): void {
  const already =
    outcome === 'cancelled' ? '' : cancelled ? '  it was cancelled before' : '  it had ended before: nothing to stop';
  const id = safeLine(job.job_id);
  printer.line(printer.quiet ? id : `${stateWord(job.status, printer.colours)}  ${id}${already}`);
}

/** The lease file goes when nothing of the job runs any more. */
async function waitForStop(root: string, jobId: string): Promise<void> {
  const lease = join(layoutOf(root).leases, `${fileNameOf(jobId)}.json`);
  const disk = createNodeDisk();
  const deadlineMs = performance.now() + STOP_WITHIN_MS;
  while (disk.factsSync(lease) !== undefined) {
    if (performance.now() > deadlineMs) {
      throw new AgentopsdError('timed_out', `${safeLine(jobId)} is cancelled, but something of it still runs`, {
        hint: `its processes stand in ${lease}`,
      });
    }
    await pause(POLL_MS);
  }
}
