/** The daemon in the foreground: until a signal ends it. */
import { type Logger, type LogLevel, logLevels } from '../../base/log.js';
import { safeLine } from '../../base/text.js';
import type { Daemon } from '../../engine/daemon.js';
import { setUp } from '../../engine/setup.js';
import type { Invocation } from '../invocation.js';
import type { Printer } from '../printer.js';
import { version } from '../version.js';

const LEDGER_UNSAFE = 8;

export async function perform(invocation: Invocation): Promise<number> {
  const { flags, place, environment, printer } = invocation;
  const signals = takeSignals();
  const setup = await setUp({ root: place.root, environment });
  for (const { path, state } of setup.files) if (state === 'made') printer.note(`made ${safeLine(path)}`);
  // Only the daemon loads the writing side, its pool and its lock.
  const { startDaemon } = await import('../../engine/daemon.js');
  const level = flags.choice('log-level', logLevels) ?? (printer.quiet ? 'warn' : 'info');
  const daemon = await startDaemon({
    root: place.root,
    environment,
    trust: flags.on('trust'),
    adopt: flags.on('adopt'),
    failpoints: flags.on('enable-failpoints'),
    logger: loggerTo(printer, level),
    onProgress: (text) => printer.note(safeLine(text)),
    onListening: () => signals.wait(),
    ...given('address', flags.text('addr')),
    ...given('workers', flags.wholeNumber('workers', 0)),
    ...given('tokenFile', flags.text('token-file')),
  });
  tellReady(daemon, printer);
  signals.endOn(daemon);
  const end = await daemon.ended;
  if (end.kind === 'asked') return 0;
  printer.complain(`${printer.errorColours.red('✗ error')} the writer had stopped: ${safeLine(end.reason)}`);
  return LEDGER_UNSAFE;
}

function tellReady(daemon: Daemon, printer: Printer): void {
  const facts = {
    url: daemon.url,
    pid: process.pid,
    root: daemon.root,
    ledger: daemon.ledgerFolder,
    state_folder: daemon.stateFolder,
    version: version(),
  };
  printer.answer('daemon', facts, () => {
    const { bold, green, dim } = printer.colours;
    printer.line(`${green('✓ ready')} ${bold(daemon.url)}  ${dim(`agentopsd ${facts.version}, pid ${facts.pid}`)}`);
    printer.line(`  try     agentopsd submit --type openclaw.snapshot --wait`);
    printer.line(`  ledger  ${safeLine(daemon.ledgerFolder)}  ${dim('(cat it, jq it, commit it)')}`);
  });
  for (const warning of daemon.warnings())
    printer.note(`${printer.errorColours.yellow('! warning')} ${safeLine(warning)}`);
}

/**
 * The first signal lets running jobs finish, the second stops them. One that comes before anybody could be answered ends
 * the start; one between that and the daemon waits for the daemon.
 */
function takeSignals(): { wait(): void; endOn(daemon: Daemon): void } {
  let daemon: Daemon | undefined;
  let waits = false;
  let asked = 0;
  const onSignal = (exit: number) => (): void => {
    if (daemon === undefined && !waits) process.exit(exit);
    asked += 1;
    void daemon?.stop(asked > 1 ? { quick: true } : {});
  };
  process.on('SIGINT', onSignal(130));
  process.on('SIGTERM', onSignal(143));
  return {
    wait() {
      waits = true;
    },
    endOn(started) {
      daemon = started;
      if (asked > 0) void daemon.stop(asked > 1 ? { quick: true } : {});
    },
  };
}

function loggerTo(printer: Printer, least: LogLevel): Logger {
  const from = logLevels.indexOf(least);
  return (level, message, facts = {}) => {
    if (logLevels.indexOf(level) < from) return;
    const { yellow, red, dim } = printer.errorColours;
    const paint = { debug: dim, info: (text: string) => text, warn: yellow, error: red }[level];
    const pairs = Object.entries(facts).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${safeLine(String(value))}`],
    );
    printer.complain(
      [dim(new Date().toISOString()), paint(level.padEnd(5)), safeLine(message), dim(pairs.join(' '))]
        .join(' ')
        .trimEnd(),
    );
  };
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]?: Value });
}
