/** One job: attempts, leases, artifacts, and its lines in the ledger with file and line number. */
import { safeLine, safeText } from '../../base/text.js';
import type { Event, QueueJob } from '../../client/client.js';
import { SOURCE_LEDGER } from '../../model/views.js';
import { createNodeDisk } from '../../storage/node-disk.js';
import { agentRunWords, progressWords } from '../agent-words.js';
import { type Attempt, attemptsOf } from '../attempts.js';
import type { Invocation } from '../invocation.js';
import { findJob } from '../job-ids.js';
import { eventLine, failureWords, stateCell, stateWord, table } from '../job-words.js';
import { openLedgerFiles } from '../ledger-files.js';
import type { Printer } from '../printer.js';
import { openReading, type Reading } from '../reading.js';
import { openOutput, outputPath } from '../run-output.js';

interface LedgerLine {
  /** Relative to the root. */
  readonly file: string;
  readonly line: number;
  readonly event_id: string;
}

interface Shown {
  readonly job: QueueJob;
  readonly attempts: readonly (Attempt & { readonly output?: string })[];
  readonly lines: readonly LedgerLine[];
  readonly events?: readonly Event[];
}

export async function perform(invocation: Invocation): Promise<number> {
  const { operands, flags, printer } = invocation;
  const reading = await openReading(invocation);
  const job = await findJob(reading, operands[0] as string);
  const { events, lines } = await historyOf(job, reading, invocation);
  const attempts = [];
  for (const attempt of attemptsOf(events))
    attempts.push({ ...attempt, ...(await outputOf(job.job_id, attempt.attempt, invocation)) });
  const shown: Shown = { job, attempts, lines, ...(flags.on('events') ? { events } : {}) };
  printer.answer('job', asData(shown), () => tell(shown, printer));
  return 0;
}

/** The job's own members, and beside them what its history tells. */
function asData({ job, attempts, lines, events }: Shown): object {
  return { ...job, attempts, ledger_lines: lines, ...(events === undefined ? {} : { events }) };
}

/** From the files, which know the line numbers; nothing behind what the answer about the job knew. */
async function historyOf(
  job: QueueJob,
  reading: Reading,
  { place, environment }: Invocation,
): Promise<{ events: Event[]; lines: LedgerLine[] }> {
  const events: Event[] = [];
  const lines: LedgerLine[] = [];
  if (!place.laidDown) {
    for await (const event of reading.events()) if (event.job_id === job.job_id) events.push(event);
    return { events, lines };
  }
  const files = await openLedgerFiles(place, environment);
  for await (const { event, segment, segmentLine } of files.events()) {
    if (event.job_id !== job.job_id) continue;
    events.push({ ...event, segment } as Event);
    lines.push({ file: `${SOURCE_LEDGER}/${segment}`, line: segmentLine, event_id: event.event_id });
    if (event.event_id === job.last_event_id) break;
  }
  return { events, lines };
}

async function outputOf(jobId: string, attempt: number, { place }: Invocation): Promise<{ output?: string }> {
  const path = outputPath(jobId, attempt);
  const file = await openOutput(createNodeDisk(), place.root, path);
  await file?.close();
  return file === undefined ? {} : { output: path };
}

function tell({ job, attempts, lines, events }: Shown, printer: Printer): void {
  const { bold } = printer.colours;
  printer.line(`${stateWord(job.status, printer.colours)}  ${bold(safeLine(job.job_id))}  ${safeLine(job.job_type)}`);
  for (const line of table(facts(job, printer))) printer.line(`  ${line}`);
  section('attempts', table(attempts.map((attempt) => attemptRow(attempt, printer))), printer);
  section(
    'agents',
    (job.agent_runs ?? []).map((run) => safeLine(agentRunWords(run))),
    printer,
  );
  section(
    'artifacts',
    table(Object.entries(job.artifacts ?? {}).map(([name, path]) => [safeLine(name), safeLine(path)])),
    printer,
  );
  section('payload', safeText(JSON.stringify(job.payload ?? {}, null, 2)).split('\n'), printer);
  section(
    'in the ledger',
    lines.map(({ file, line, event_id }) => `${file}:${line}  ${safeLine(event_id)}`),
    printer,
  );
  section(
    'events',
    (events ?? []).map((event) => eventLine(event, printer)),
    printer,
  );
}

function facts(job: QueueJob, printer: Printer): string[][] {
  const rows: (readonly [string, string | undefined])[] = [
    ['accepted', printer.time(job.created_at)],
    ['changed', printer.time(job.updated_at)],
    ['attempt', `${job.attempt} of ${job.max_attempts}`],
    ['requests', (job.request_ids ?? [job.request_id]).join(', ')],
    ['key', job.idempotency_key],
    [
      'lease',
      job.lease_expires_at === undefined
        ? undefined
        : `epoch ${job.lease_epoch}, until ${printer.time(job.lease_expires_at)}`,
    ],
    ['progress', progressWords(job.progress)],
    ['failure', job.failure === undefined ? undefined : failureWords(job.failure)],
    ...(job.attention ?? []).map(({ message }) => ['attention', message] as const),
  ];
  return rows.flatMap(([name, text]) => (text === undefined || text === '' ? [] : [[name, safeLine(text)]]));
}

function attemptRow(attempt: Shown['attempts'][number], printer: Printer) {
  const word = attempt.end === 'lease_expired' ? 'retry_waiting' : attempt.end;
  return [
    String(attempt.attempt),
    attempt.end === 'lease_expired' ? 'lease expired' : stateCell(word, printer.colours),
    safeLine(attempt.worker),
    `${printer.time(attempt.claimed_at)} → ${attempt.ended_at === undefined ? '…' : printer.time(attempt.ended_at)}`,
    attempt.output ?? 'no output kept',
  ];
}

function section(title: string, lines: readonly string[], printer: Printer): void {
  if (lines.length === 0) return;
  printer.line('');
  printer.line(printer.colours.bold(title));
  for (const line of lines) printer.line(`  ${line}`);
}
