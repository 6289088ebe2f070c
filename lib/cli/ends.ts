/** How jobs ended, in words. */
import { safeLine } from '../base/text.js';
import type { QueueJob } from '../client/client.js';
import { remark, stateWord } from './job-words.js';
import type { Printer } from './printer.js';

/** `data` is the list; of one job the job itself where `kind` is `job`. */
export function tellEnds(kind: 'job' | 'jobs', jobs: readonly QueueJob[], printer: Printer): void {
  printer.answer(kind, kind === 'job' ? jobs[0] : jobs, () => {
    for (const job of jobs) printer.line(printer.quiet ? safeLine(job.job_id) : endLine(job, printer));
    if (!printer.quiet && jobs.length === 1) for (const line of artifactLines(jobs[0])) printer.line(line);
  });
}

function endLine(job: QueueJob, printer: Printer): string {
  return [stateWord(job.status, printer.colours), safeLine(job.job_id), safeLine(job.job_type), remark(job)]
    .filter((part) => part !== '')
    .join('  ');
}

export function artifactLines(job: Pick<QueueJob, 'artifacts'> | undefined): string[] {
  return Object.entries(job?.artifacts ?? {}).map(([name, path]) => `  ${safeLine(name)}  ${safeLine(path)}`);
}
