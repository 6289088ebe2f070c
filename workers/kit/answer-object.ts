/**
 * Finds the JSON object in what an agent said: the whole answer, a fenced block, or braces in the middle of prose. Of
 * several the one that fits the schema counts; without one the problem of the likeliest is told. Pure.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { whyNotCanonical } from '../../lib/base/canonical.js';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { safeLine } from '../../lib/base/text.js';
import { askLimits } from './ask-limits.js';

export type UsableObject = { readonly object: JsonObject } | { readonly problem: string };

const FENCE = /^[ \t]*(`{3,}|~{3,})/;

const checks = new WeakMap<JsonObject, ValidateFunction>();

/** @param schema of this program: one that Ajv refuses is a mistake of ours, and throws */
export function usableObject(answer: string, schema: JsonObject): UsableObject {
  if (answer.length > askLimits.answerCharacters)
    return { problem: `it is longer than ${askLimits.answerCharacters} characters` };
  let problem: string | undefined;
  for (const text of candidatesOf(answer.trim())) {
    const read = readObject(text);
    const found = 'object' in read ? checked(read.object, schema) : read;
    if ('object' in found) return found;
    problem ??= found.problem;
  }
  return { problem: problem ?? (answer.trim() === '' ? 'it is empty' : 'it holds no JSON object') };
}

/** Each text once, the likeliest first. */
function candidatesOf(answer: string): Set<string> {
  const texts = new Set<string>();
  if (answer.startsWith('{')) texts.add(answer);
  for (const block of fencedBlocks(answer)) if (block.startsWith('{')) texts.add(block);
  for (const braced of bracedParts(answer)) texts.add(braced);
  const from = answer.indexOf('{');
  if (from >= 0) texts.add(answer.slice(from, answer.lastIndexOf('}') + 1) || answer.slice(from));
  return new Set([...texts].slice(0, askLimits.candidates));
}

/** What stands between a fence and the next one of its kind, trimmed; the last block may lack its end. */
function* fencedBlocks(text: string): Generator<string> {
  let fence: string | undefined;
  let inside: string[] = [];
  for (const line of text.split('\n')) {
    const marks = FENCE.exec(line)?.[1];
    if (fence === undefined) fence = marks;
    else if (marks?.startsWith(fence) !== true) inside.push(line);
    else {
      yield inside.join('\n').trim();
      fence = undefined;
      inside = [];
    }
  }
  if (fence !== undefined) yield inside.join('\n').trim();
}

/** From each brace to the one that closes it, what stands in strings left aside. One pass. */
function* bracedParts(text: string): Generator<string> {
  let depth = 0;
  let from = 0;
  for (let at = text.indexOf('{'); at >= 0 && at < text.length; at++) {
    const letter = text[at];
    if (depth > 0 && letter === '"') at = endOfString(text, at);
    else if (letter === '{' && depth++ === 0) from = at;
    else if (letter === '}' && depth > 0 && --depth === 0) yield text.slice(from, at + 1);
  }
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function readObject(text: string): UsableObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `it is no JSON: ${short(error instanceof Error ? error.message : String(error))}` };
  }
  if (!isJsonObject(value)) return { problem: 'it is no JSON object' };
  const why = whyNotCanonical(value, 'the object');
  return why === undefined ? { object: value } : { problem: short(why) };
}

function checked(object: JsonObject, schema: JsonObject): UsableObject {
  const check = checks.get(schema) ?? compiled(schema);
  if (check(object)) return { object };
  const errors = check.errors ?? [];
  const named = errors.slice(0, askLimits.problems).map(problemOf);
  const more = errors.length > named.length ? [`and ${errors.length - named.length} more`] : [];
  return { problem: [...named, ...more].join('; ') };
}

function compiled(schema: JsonObject): ValidateFunction {
  const check = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema);
  checks.set(schema, check);
  return check;
}

function problemOf({ instancePath, message, params }: ErrorObject): string {
  const member = instancePath === '' ? 'the object' : `member ${short(instancePath.slice(1).replaceAll('/', '.'))}`;
  const extra = params['additionalProperty'];
  return `${member} ${message ?? 'does not fit'}${typeof extra === 'string' ? ` (${short(extra)})` : ''}`;
}

/** Cut in the middle: what a problem ends with says most. */
function short(text: string): string {
  const half = askLimits.problemCharacters / 2;
  const cut = text.length <= 2 * half ? text : `${text.slice(0, half)}…${text.slice(-half)}`;
  return safeLine(cut.toWellFormed());
}
