/** From the words of a command line to a verb with its flags and operands, driven by the table of verbs. */
import { parseArgs } from 'node:util';
import { AgentopsdError } from '../base/errors.js';
import { nearest } from '../base/nearest.js';
import { safeLine } from '../base/text.js';
import { type Flag, globalFlags, type Verb } from './table.js';
import { DEFAULT_VERB, verbNamed, verbs } from './verbs.js';

export interface Arguments {
  readonly verb: Verb;
  /** False where the default verb stands in. */
  readonly verbGiven: boolean;
  readonly operands: readonly string[];
  /** By the flag's name; a switch that is there is `true`. The last one of several counts. */
  readonly values: ReadonlyMap<string, string | true>;
}

/**
 * Flags may stand before or behind the verb; behind `--` everything is an operand.
 * @throws AgentopsdError `usage`, naming the nearest word
 */
export function readArguments(words: readonly string[]): Arguments {
  const { tokens } = parseArgs({
    args: [...words],
    options: parserOptions(),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const asked = positionals[0] ?? DEFAULT_VERB;
  const verb = verbNamed(asked) ?? refuseVerb(asked);
  const values = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind === 'option') values.set(...readFlag(verb, token));
  }
  const operands = positionals.slice(1);
  // Help answers also where an operand is missing.
  if (!values.has('help')) refuseOperandCount(verb, operands);
  return { verb, verbGiven: positionals.length > 0, operands, values };
}

/** Whether `--json` was asked for: also true of words that can't be parsed. */
export function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? words.length : end).includes('--json');
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function readFlag(verb: Verb, token: OptionToken): [string, string | true] {
  const flag =
    [...verb.flags, ...globalFlags].find((candidate) => candidate.name === token.name) ?? refuseFlag(verb, token);
  if (flag.value === undefined) {
    if (token.value !== undefined) throw wrong(verb, `--${flag.name} takes no value`);
    return [flag.name, true];
  }
  // A value that looks like a flag is more likely a forgotten value; written with `=` it passes.
  const looksLikeFlag = token.inlineValue !== true && /^-./.test(token.value ?? '');
  if (token.value === undefined || looksLikeFlag) {
    const how = looksLikeFlag
      ? `; to give it ${safeLine(token.value ?? '')}, write --${flag.name}=${safeLine(token.value ?? '')}`
      : '';
    throw wrong(verb, `--${flag.name} needs a value: ${flag.value}${how}`);
  }
  return [flag.name, token.value];
}

function refuseVerb(asked: string): never {
  const guess = nearest(
    asked,
    verbs.map((verb) => verb.name),
  );
  throw new AgentopsdError('usage', `there is no verb ${safeLine(asked)}`, {
    hint: guess === undefined ? 'see: agentopsd help' : `did you mean: agentopsd ${guess}`,
  });
}

function refuseFlag(verb: Verb, token: OptionToken): never {
  const known = [...verb.flags, ...globalFlags].map((flag) => `--${flag.name}`);
  const guess = nearest(`--${token.name}`, known);
  const owner = verbs.find((other) => other.flags.some((flag) => flag.name === token.name));
  const elsewhere = owner === undefined ? `see: agentopsd help ${verb.name}` : `it belongs to: agentopsd ${owner.name}`;
  throw new AgentopsdError('usage', `agentopsd ${verb.name} has no flag ${safeLine(token.rawName)}`, {
    hint: guess === undefined ? elsewhere : `did you mean ${guess}`,
  });
}

function refuseOperandCount(verb: Verb, operands: readonly string[]): void {
  const [least, most] = verb.operandCount;
  if (operands.length < least) throw wrong(verb, `agentopsd ${verb.name} needs ${verb.operands}`);
  const tooMuch = operands[most];
  if (tooMuch !== undefined)
    throw wrong(
      verb,
      `agentopsd ${verb.name} takes no ${most === 0 ? 'operand' : 'further operand'}: ${safeLine(tooMuch)}`,
    );
}

function wrong(verb: Verb, message: string): AgentopsdError {
  return new AgentopsdError('usage', message, { hint: `see: agentopsd help ${verb.name}` });
}

/** One table for all verbs: a flag of one name is a switch everywhere, or takes a value everywhere. */
export function parserOptions(): Record<string, { type: 'boolean' | 'string'; short?: string }> {
  const options: Record<string, { type: 'boolean' | 'string'; short?: string }> = {};
  for (const flag of [...globalFlags, ...verbs.flatMap((verb) => verb.flags)]) options[flag.name] = parserOption(flag);
  return options;
}

function parserOption(flag: Flag): { type: 'boolean' | 'string'; short?: string } {
  return {
    type: flag.value === undefined ? 'boolean' : 'string',
    ...(flag.short === undefined ? {} : { short: flag.short }),
  };
}
