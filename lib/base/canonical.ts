/**
 * Canonical JSON: the one text for a value. Keys are sorted (`fast-json-stable-stringify`), and every character that
 * could steer a terminal (DEL, the C1 controls, bidirectional controls) is written `\uXXXX`, so that `cat` of a ledger
 * is safe. C0 controls are escaped by JSON itself.
 */
import stringify from 'fast-json-stable-stringify';
import { limits } from './limits.js';

const TERMINAL_CONTROLS = /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const hasTerminalControls = new RegExp(TERMINAL_CONTROLS.source);

/** The canonical text of a value that `whyNotCanonical` has nothing against. */
export function canonicalJson(value: unknown): string {
  return escapeTerminalControls(sortedJson(value));
}

/**
 * The text with its keys sorted, before anything is escaped. The engine's own stringifier gives the same, several times as
 * fast, where the keys stand in order already.
 */
export function sortedJson(value: unknown): string {
  return isSorted(value) ? JSON.stringify(value) : stringify(value);
}

/** Whether the members of all objects within stand in the order of their names. */
export function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  let before: string | undefined;
  for (const name of Object.keys(value)) {
    if (before !== undefined && before >= name) return false;
    if (!isSorted((value as Record<string, unknown>)[name])) return false;
    before = name;
  }
  return true;
}

/** JSON text with what could steer a terminal written `\uXXXX`: all that canonical form asks beyond sorted keys. */
export function escapeTerminalControls(text: string): string {
  return hasTerminalControls.test(text) ? text.replace(TERMINAL_CONTROLS, escapeUnit) : text;
}

export function holdsTerminalControls(text: string): boolean {
  return hasTerminalControls.test(text);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Why `value` can't be written as canonical JSON and read back the same, or undefined. The library turns most of these
 * silently into something else: a lone surrogate, a number that is not finite, -0, an integer beyond ±(2^53-1), nesting
 * over `limits.payloadDepth`. `path` names the value in the answer.
 */
export function whyNotCanonical(value: unknown, path = 'payload', depth = 0): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : `${path} holds a lone surrogate`;
    case 'number':
      return whyNotNumber(value, path);
    case 'boolean':
      return undefined;
    case 'object':
      return value === null ? undefined : whyNotContainer(value, path, depth + 1);
    default:
      return `${path} is no JSON value`;
  }
}

function whyNotNumber(value: number, path: string): string | undefined {
  if (!Number.isFinite(value)) return `${path} is not a finite number`;
  if (Object.is(value, -0)) return `${path} is -0`;
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return `${path} is an integer beyond 2^53-1; send it as a string`;
  return undefined;
}

function whyNotContainer(value: object, path: string, depth: number): string | undefined {
  if (depth > limits.payloadDepth) return `${path} is nested deeper than ${limits.payloadDepth} levels`;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const why = whyNotCanonical(value[at], `${path}[${at}]`, depth);
      if (why !== undefined) return why;
    }
    return undefined;
  }
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed()) return `${path} has a member whose name holds a lone surrogate`;
    const why = whyNotCanonical(member, `${path}.${name}`, depth);
    if (why !== undefined) return why;
  }
  return undefined;
}
