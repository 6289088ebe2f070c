/** Hands in jobs: over HTTP, or without a network by way of the inbox. */
import { AgentopsdError, errorTable } from '../../base/errors.js';
import { safeLine } from '../../base/text.js';
import type { Client, QueueJob, Submitted } from '../../client/client.js';
import { keptAlive } from '../../client/kept-alive.js';
import { requireClient } from '../daemon-address.js';
import { tellEnds } from '../ends.js';
import { type Envelope, readEnvelopes } from '../envelopes.js';
import { dropIntoInbox, tellDropped } from '../inbox-drop.js';
import type { Invocation } from '../invocation.js';
import { stateWord } from '../job-words.js';
import { inLanes } from '../lanes.js';
import type { Printer } from '../printer.js';
import { openReading } from '../reading.js';
import { exitOfEnds, waitForJobs } from '../waiting.js';

/** Requests on their way at one time: enough that the daemon always has a batch to write. */
const LANES = 64;
const CONFLICT = 6;

type Result = { readonly envelope: Envelope } & (
  | { readonly submitted: Submitted }
  | { readonly error: AgentopsdError }
);

export async function perform(invocation: Invocation): Promise<number> {
  const { flags, operands, printer } = invocation;
  const { envelopes, many } = await readEnvelopes(flags, operands[0]);
  if (flags.on('inbox')) return tellDropped(await dropIntoInbox(invocation, envelopes), invocation, many);
  const connections = keptAlive(LANES);
  const client = await requireClient(invocation, connections.transport);
  const results = await submitAll(client, envelopes);
  connections.close();
  for (const result of results) complain(result, many, printer);
  const submitted = results.flatMap((result) => ('submitted' in result ? [result.submitted] : []));
  if (!flags.on('wait')) tellSubmitted(results, many, printer);
  const exit = exitOf(results);
  if (!flags.on('wait')) return exit;
  const ended = await waitFor(invocation, submitted);
  tellEnds(many ? 'jobs' : 'job', ended, printer);
  return exit === 0 ? exitOfEnds(ended) : exit;
}

/** In the order of the envelopes; they start in that order, and up to `LANES` are on their way at a time. */
async function submitAll(client: Client, envelopes: readonly Envelope[]): Promise<Result[]> {
  return inLanes(LANES, envelopes, (envelope) => submitOne(client, envelope));
}

async function submitOne(client: Client, envelope: Envelope): Promise<Result> {
  try {
    return { envelope, submitted: await client.submit(envelope.request) };
  } catch (error) {
    if (error instanceof AgentopsdError) return { envelope, error };
    throw error;
  }
}

/** One job that was refused is the error of the whole; of many each is told with its line. */
function complain(result: Result, many: boolean, printer: Printer): void {
  if ('error' in result) {
    const { error, envelope } = result;
    if (!many)
      throw envelope.from === undefined
        ? error
        : new AgentopsdError(error.code, `${envelope.from}: ${error.message}`, more(error));
    printer.complain(`${printer.errorColours.red('✗ refused')} ${envelope.from}: ${safeLine(error.message)}`);
    return;
  }
  const { answer, conflict } = result.submitted;
  if (conflict === undefined) return;
  const what =
    conflict === 'foreign'
      ? 'it was accepted elsewhere'
      : `it was submitted with another ${conflict === 'payload' ? 'payload' : 'type'}`;
  printer.complain(
    `${printer.errorColours.yellow('! conflict')} ${safeLine(answer.job_id)} is there already, and ${what}; nothing was added`,
  );
}

function more(error: AgentopsdError): { hint?: string } {
  return error.hint === undefined ? {} : { hint: error.hint };
}

function tellSubmitted(results: readonly Result[], many: boolean, printer: Printer): void {
  const data = results.map(dataOf);
  printer.answer(many ? 'submitted_jobs' : 'submitted', many ? data : data[0], () => {
    for (const result of results) {
      if (!('submitted' in result)) continue;
      const { answer } = result.submitted;
      printer.line(
        printer.quiet
          ? safeLine(answer.job_id)
          : `${stateWord(answer.status, printer.colours)}  ${safeLine(answer.job_id)}`,
      );
    }
  });
}

function dataOf(result: Result): object {
  if ('error' in result) return { from: result.envelope.from, error: result.error.toData() };
  const { answer, idempotency_key, conflict } = result.submitted;
  const from = result.envelope.from === undefined ? {} : { from: result.envelope.from };
  return { ...answer, idempotency_key, ...from, ...(conflict === undefined ? {} : { conflict }) };
}

function exitOf(results: readonly Result[]): number {
  for (const result of results) {
    if ('error' in result) return errorTable[result.error.code].exit;
    if (result.submitted.conflict !== undefined) return CONFLICT;
  }
  return 0;
}

async function waitFor(invocation: Invocation, submitted: readonly Submitted[]): Promise<QueueJob[]> {
  const reading = await openReading(invocation);
  const jobs = await inLanes(LANES, submitted, ({ answer }) => reading.job(answer.job_id));
  return waitForJobs(reading, jobs);
}
