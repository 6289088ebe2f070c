/** Jobs and events in words: a state is a glyph, a word and a colour, never the colour alone. */
import { safeLine } from '../base/text.js';
import type { Event, QueueJob } from '../client/client.js';
import type { Colours, Printer } from './printer.js';

type Paint = keyof Pick<Colours, 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'magenta'>;

const states: Readonly<Record<string, { readonly glyph: string; readonly paint: Paint }>> = {
  queued: { glyph: '○', paint: 'dim' },
  running: { glyph: '▶', paint: 'cyan' },
  retry_waiting: { glyph: '↻', paint: 'yellow' },
  completed: { glyph: '✓', paint: 'green' },
  failed: { glyph: '✗', paint: 'red' },
  cancelled: { glyph: '⊘', paint: 'magenta' },
  degraded: { glyph: '!', paint: 'yellow' },
};

/** `✓ completed`. */
export function stateWord(status: string, colours: Colours): string {
  const state = states[status] ?? { glyph: '?', paint: 'dim' as const };
  return colours[state.paint](`${state.glyph} ${safeLine(status)}`);
}

/** A table: the columns as wide as they must be, the last one free. Widths count before colours are put on. */
export function table(rows: readonly (readonly Cell[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => padded(cell, column === row.length - 1 ? 0 : (widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** A text, or one with its colour around it. */
export type Cell = string | { readonly plain: string; readonly shown: string };

export function stateCell(status: string, colours: Colours): Cell {
  return { plain: `? ${status}`, shown: stateWord(status, colours) };
}

function widthOf(cell: Cell): number {
  return [...(typeof cell === 'string' ? cell : cell.plain)].length;
}

function padded(cell: Cell, width: number): string {
  return `${typeof cell === 'string' ? cell : cell.shown}${' '.repeat(Math.max(0, width - widthOf(cell)))}`;
}

/** One line of the list of jobs. */
export function jobRow(job: QueueJob, printer: Printer): Cell[] {
  return [
    stateCell(job.status, printer.colours),
    safeLine(job.job_id),
    safeLine(job.job_type),
    `${job.attempt}/${job.max_attempts}`,
    printer.time(job.updated_at),
    remark(job),
  ];
}

/** Why a job failed, or what about it a person should see. */
export function remark(job: QueueJob): string {
  const failure = job.failure === undefined ? [] : [failureWords(job.failure)];
  return safeLine([...failure, ...(job.attention ?? []).map((attention) => attention.message)].join('; '));
}

export function failureWords(failure: NonNullable<QueueJob['failure']>): string {
  return failure.message === undefined || failure.message === '' ? failure.code : `${failure.code}: ${failure.message}`;
}

/** `time  type  job  actor  what`. */
export function eventLine(event: Event, printer: Printer): string {
  const time = printer.time(event.occurred_at).padEnd(printer.terminal ? 8 : 24);
  const parts = [
    printer.colours.dim(time),
    event.event_type.padEnd(18),
    safeLine(event.job_id),
    printer.colours.dim(safeLine(event.actor)),
    eventFacts(event),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

/** What of a payload a person wants to see in one line. */
function eventFacts({ payload = {} }: Event): string {
  const { attempt, failure, reason, job_type: jobType, artifacts } = payload;
  const facts: string[] = [];
  if (typeof jobType === 'string') facts.push(jobType);
  if (typeof attempt === 'number') facts.push(`attempt ${attempt}`);
  if (typeof failure === 'object' && failure !== null)
    facts.push(failureWords(failure as NonNullable<QueueJob['failure']>));
  if (typeof reason === 'string') facts.push(reason);
  if (typeof artifacts === 'object' && artifacts !== null) facts.push(`${Object.keys(artifacts).length} artifacts`);
  return safeLine(facts.join(', '));
}
