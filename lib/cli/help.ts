/** Help, made from the table of verbs. */

import type { Printer } from './printer.js';
import { exitWords, type Flag, globalFlags, type Verb } from './table.js';
import { verbs } from './verbs.js';

/** Of one verb; `--json` gives the table's row. */
export function tellHelp(printer: Printer, verb: Verb): void {
  printer.answer('help', asData(verb), () => printer.line(helpOf(verb)));
}

/** Of all verbs. */
export function tellOverview(printer: Printer): void {
  printer.answer('help', verbs.map(asData), () => printer.line(overview()));
}

function overview(): string {
  return [
    'agentopsd: durable jobs for coding agents, in plain files',
    '',
    'usage: agentopsd [VERB] [flags]',
    '',
    ...columns(verbs.map((verb) => [`${verb.name} ${verb.operands}`.trim(), verb.says])),
    '',
    'flags of every verb, before or behind it:',
    ...columns(globalFlags.map(flagRow)),
    '',
    'agentopsd help VERB tells more. Reads work without the daemon, straight from the files.',
  ].join('\n');
}

export function helpOf(verb: Verb): string {
  const exits = [...new Set([...verb.exits, 2])].sort((one, other) => one - other);
  return [
    `agentopsd ${verb.name}: ${verb.says}`,
    '',
    `usage: ${`agentopsd ${verb.name} ${verb.operands}`.trim()} [flags]`,
    ...section('flags', verb.flags.map(flagRow)),
    ...section('flags of every verb', globalFlags.map(flagRow)),
    ...section(
      'exit codes',
      exits.map((exit) => [String(exit), exitWords[exit] ?? '']),
    ),
    '',
    'examples:',
    ...verb.examples.map((example) => `  ${example}`),
  ].join('\n');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  return rows.length === 0 ? [] : ['', `${title}:`, ...columns(rows)];
}

function flagRow(flag: Flag): [string, string] {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const value = flag.value === undefined ? '' : ` ${flag.value}`;
  const choices = flag.choices === undefined ? '' : ` (${flag.choices.join(', ')})`;
  return [`${short}--${flag.name}${value}`, `${flag.says}${choices}`];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function asData({ name, says, operands, flags, exits, examples }: Verb) {
  return { name, says, operands, flags, exits, examples };
}
