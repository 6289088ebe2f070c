/** Health, counts, what runs, what needs attention. */
import { setTimeout as delay } from 'node:timers/promises';
import { counted, safeLine } from '../../base/text.js';
import type { QueueJob, Ready } from '../../client/client.js';
import { jobStates } from '../../model/job.js';
import type { Invocation } from '../invocation.js';
import { type Cell, jobRow, stateWord, table } from '../job-words.js';
import type { Printer } from '../printer.js';
import { openReading, type Reading } from '../reading.js';

const WATCH_INTERVAL_MS = 1_000;
const SHOWN_FAILURES = 5;
/** Of each section, for people; `--json` has all. */
const SHOWN_ROWS = 10;
const NOT_READY = 4;
const DAMAGED = 1;

interface Picture {
  readonly via: Reading['via'];
  readonly url: string | undefined;
  readonly ready: Ready;
  readonly counts: Readonly<Record<string, number>>;
  readonly running: readonly QueueJob[];
  /** Jobs that do not get on without a person, or failed last. */
  readonly attention: readonly QueueJob[];
  readonly warnings: readonly string[];
}

export async function perform(invocation: Invocation): Promise<number> {
  const { printer, flags } = invocation;
  if (flags.on('watch')) return watch(invocation);
  const picture = await take(await openReading(invocation));
  printer.answer('status', picture, () => tell(picture, printer));
  return exitOf(picture);
}

/** Until a signal ends it: one picture after the other on a terminal, elsewhere each that differs from the last. */
async function watch(invocation: Invocation): Promise<never> {
  const { printer } = invocation;
  const again: Invocation = { ...invocation, printer: printer.silenced() };
  for (let last = ''; ; ) {
    const picture = await take(await openReading(last === '' ? invocation : again));
    const text = JSON.stringify({
      ...picture,
      ready: { ...picture.ready, projection_lag: picture.ready.projection_lag.last_event_id },
    });
    if (printer.json) {
      if (text !== last) printer.item(picture, () => '');
    } else if (printer.terminal || text !== last) {
      printer.clear();
      tell(picture, printer);
    }
    last = text;
    await delay(WATCH_INTERVAL_MS);
  }
}

async function take(reading: Reading): Promise<Picture> {
  const [ready, status] = await Promise.all([reading.ready(), reading.status()]);
  const { jobs } = status.queue;
  const counts = Object.fromEntries(
    jobStates.map((state) => [state, jobs.filter((job) => job.status === state).length]),
  );
  return {
    via: reading.via,
    url: reading.client?.url,
    ready,
    counts,
    running: jobs.filter((job) => job.status === 'running'),
    attention: [
      ...jobs.filter((job) => (job.attention ?? []).length > 0),
      ...jobs.filter((job) => job.status === 'failed').slice(-SHOWN_FAILURES),
    ],
    warnings: status.warnings ?? ready.warnings ?? [],
  };
}

function exitOf({ via, ready }: Picture): number {
  if (ready.ready) return 0;
  return via === 'daemon' ? NOT_READY : DAMAGED;
}

function tell(picture: Picture, printer: Printer): void {
  const { ready, counts, running, attention, warnings } = picture;
  printer.line(headline(picture, printer));
  for (const reason of ready.degraded_reasons ?? [])
    printer.line(`  ${printer.colours.yellow('!')} ${safeLine(reason)}`);
  printer.line(
    `  ${
      jobStates
        .filter((state) => counts[state] !== 0)
        .map((state) => `${stateWord(state, printer.colours)} ${counts[state]}`)
        .join('   ') || 'no jobs yet'
    }`,
  );
  section(
    'running',
    running.map((job) => jobRow(job, printer)),
    printer,
  );
  section(
    'needs attention',
    attention.map((job) => jobRow(job, printer)),
    printer,
  );
  section(
    'warnings',
    warnings.map((warning) => [`${printer.colours.yellow('!')} ${safeLine(warning)}`]),
    printer,
  );
}

function headline({ via, url, ready }: Picture, printer: Printer): string {
  const word = ready.ready ? printer.colours.green('✓ ready') : printer.colours.red('✗ not ready');
  const where = via === 'daemon' ? url : printer.colours.yellow('○ no daemon');
  return `${via === 'files' && ready.ready ? printer.colours.green('✓ ledger whole') : word}  ${where}  ${counted(ready.projection_lag.event_count, 'event')}`;
}

function section(title: string, rows: readonly (readonly Cell[])[], printer: Printer): void {
  if (rows.length === 0) return;
  printer.line('');
  printer.line(printer.colours.bold(title));
  for (const line of table(rows.slice(0, SHOWN_ROWS))) printer.line(`  ${line}`);
  if (rows.length > SHOWN_ROWS) printer.line(`  … and ${rows.length - SHOWN_ROWS} more: agentopsd jobs`);
}
