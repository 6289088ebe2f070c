/** One command line from its words to its exit code. Nothing is thrown out of here. */
import { AgentopsdError, errorTable, invariant } from '../base/errors.js';
import { type Arguments, asksForJson, readArguments } from './arguments.js';
import { Flags } from './flags.js';
import { tellHelp, tellOverview } from './help.js';
import { findPlace } from './place.js';
import { Printer, type When } from './printer.js';
import { version } from './version.js';
import { work } from './work.js';

export async function commandLine(words: readonly string[]): Promise<number> {
  let worksOn = false;
  endQuietlyWithoutReader(() => worksOn);
  let printer = makePrinter({ json: asksForJson(words), quiet: false, color: 'auto' });
  try {
    const parsed = readArguments(words);
    worksOn = parsed.verb.handlesSignals === true;
    const flags = new Flags(parsed.values);
    const color = flags.choice('color', ['auto', 'always', 'never'] as const) ?? 'auto';
    printer = makePrinter({ json: flags.on('json'), quiet: flags.on('quiet'), color });
    return await perform(parsed, flags, printer);
  } catch (error) {
    return fail(error, printer, words);
  } finally {
    await printer.flushed();
  }
}

async function perform(
  { verb, verbGiven, operands, values }: Arguments,
  flags: Flags,
  printer: Printer,
): Promise<number> {
  if (values.has('version')) {
    printer.answer('version', { version: version() }, () => printer.line(version()));
    return 0;
  }
  if (values.has('help')) {
    if (verbGiven) tellHelp(printer, verb);
    else tellOverview(printer);
    return 0;
  }
  if (verb.handlesSignals !== true) endOnSignals();
  const load = work[verb.name];
  invariant(load !== undefined, 'every verb of the table has its work');
  const { perform: performVerb } = await load();
  return performVerb({
    operands,
    flags,
    place: findPlace(flags.text('root'), process.cwd()),
    printer,
    environment: process.env,
  });
}

function makePrinter(how: { json: boolean; quiet: boolean; color: When }): Printer {
  return new Printer({ ...how, environment: process.env, out: process.stdout, err: process.stderr });
}

/** An expected error is one line and its exit code; anything else is a bug, and says so. */
function fail(error: unknown, printer: Printer, words: readonly string[]): number {
  const told = expected(error);
  printer.error(told);
  if (wantsTraces(words) && error instanceof Error) printer.complain(String(error.stack));
  return errorTable[told.code].exit;
}

function expected(error: unknown): AgentopsdError {
  if (error instanceof AgentopsdError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isRefusalOfSystem(error)) {
    return new AgentopsdError('folder_unusable', message, { hint: 'check owner and permissions: agentopsd doctor' });
  }
  const hint = 'please report it; --log-level debug, or AGENTOPSD_LOG_LEVEL=debug, shows where it happened';
  return new AgentopsdError('internal', `a bug: ${message}`, { hint });
}

/** What a user may not do, or a disk can't take. */
function isRefusalOfSystem(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { errno, code } = error as { errno?: unknown; code?: unknown };
  const refusals: unknown[] = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ELOOP', 'ENOTDIR', 'EIO', 'EMFILE'];
  return refusals.includes(errno) || refusals.includes(code);
}

function wantsTraces(words: readonly string[]): boolean {
  return (
    process.env['AGENTOPSD_LOG_LEVEL'] === 'debug' ||
    words.some((word, at) => word === '--log-level=debug' || (word === '--log-level' && words[at + 1] === 'debug'))
  );
}

/** A reader such as `head` that has seen enough is no error. A daemon works on, whoever reads along. */
function endQuietlyWithoutReader(worksOn: () => boolean): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (worksOn()) return;
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
}

function endOnSignals(): void {
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
}
