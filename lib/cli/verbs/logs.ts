/** The output of a job, from its file; with `-f` on through later attempts until the job has ended. */
import { AgentopsdError } from '../../base/errors.js';
import { safeLine } from '../../base/text.js';
import type { QueueJob } from '../../client/client.js';
import { pause } from '../../client/retry.js';
import { hasEnded } from '../../client/wait.js';
import { createNodeDisk } from '../../storage/node-disk.js';
import type { Invocation } from '../invocation.js';
import { findJob } from '../job-ids.js';
import { requireLaidDown } from '../place.js';
import type { Printer } from '../printer.js';
import { openReading, type Reading } from '../reading.js';
import { noOutput, OutputReader, openOutput, outputPath, startOfLastLines } from '../run-output.js';

const FOLLOW_INTERVAL_MS = 200;

interface Wanted {
  readonly root: string;
  readonly attempt: number | undefined;
  readonly tail: number | undefined;
}

export async function perform(invocation: Invocation): Promise<number> {
  const { flags, operands, printer, place } = invocation;
  const wanted: Wanted = {
    root: place.root,
    attempt: flags.wholeNumber('attempt', 1),
    tail: flags.wholeNumber('tail', 0),
  };
  requireLaidDown(place);
  const reading = await openReading(invocation);
  const job = await findJob(reading, operands[0] as string);
  if (wanted.attempt !== undefined && wanted.attempt > job.attempt) {
    throw new AgentopsdError(
      'unknown_path',
      `${safeLine(job.job_id)} has no attempt ${wanted.attempt}: there were ${job.attempt}`,
    );
  }
  if (flags.on('follow')) await follow(reading, job, wanted, printer);
  else await showOnce(job, wanted, printer);
  return 0;
}

async function showOnce(job: QueueJob, wanted: Wanted, printer: Printer): Promise<void> {
  const attempt = wanted.attempt ?? job.attempt;
  const path = outputPath(job.job_id, attempt);
  const reader = await openReader(wanted, path, wanted.tail);
  if (reader === undefined) throw noOutput(path);
  let whole = '';
  for await (const text of reader.added()) {
    if (printer.json) whole += text;
    else printer.text(text);
    await printer.drained();
  }
  await reader.close();
  printer.answer('log', { job_id: job.job_id, attempt, path, text: whole }, () => {});
}

async function follow(reading: Reading, first: QueueJob, wanted: Wanted, printer: Printer): Promise<void> {
  let job = first;
  let shown = 0;
  let reader: OutputReader | undefined;
  for (;;) {
    // The state is asked for before the read: what was written before the end is then still read.
    if (shown > 0 || reader === undefined) job = await reading.job(first.job_id);
    const over =
      hasEnded(job) || (wanted.attempt !== undefined && job.attempt > wanted.attempt) || reading.client === undefined;
    const attempt = wanted.attempt ?? job.attempt;
    if (attempt !== shown) {
      if (reader !== undefined) await drain(reader, job.job_id, shown, printer);
      await reader?.close();
      reader = undefined;
      if (shown > 0) printer.note(`attempt ${attempt}`);
    }
    reader ??=
      attempt === 0
        ? undefined
        : await openReader(wanted, outputPath(job.job_id, attempt), shown === 0 ? wanted.tail : undefined);
    shown = attempt;
    if (reader !== undefined) await drain(reader, job.job_id, attempt, printer);
    if (over) break;
    await pause(FOLLOW_INTERVAL_MS);
  }
  await reader?.close();
  if (!hasEnded(job) && reading.client === undefined) printer.note('no daemon runs here: nothing more will come');
}

async function drain(reader: OutputReader, jobId: string, attempt: number, printer: Printer): Promise<void> {
  for await (const text of reader.added()) {
    if (printer.json) printer.item({ job_id: jobId, attempt, text }, () => '');
    else printer.text(text);
    await printer.drained();
  }
}

async function openReader({ root }: Wanted, path: string, tail: number | undefined): Promise<OutputReader | undefined> {
  const file = await openOutput(createNodeDisk(), root, path);
  if (file === undefined) return undefined;
  return new OutputReader(file, tail === undefined ? 0 : await startOfLastLines(file, tail));
}
