/**
 * Reads members of a payload. Submitting checked their JSON types, but a ledger may hold jobs that came another way, so
 * each is checked once more; whatever does not fit fails the job and names the member.
 */
import type { JsonObject } from '../../lib/base/json.js';
import { safeLine } from '../../lib/base/text.js';
import { failure } from '../failure.js';

const TOLD_CHARACTERS = 200;

/** A text, trimmed; undefined when it is absent, null or blank. */
export function textMember(payload: JsonObject, member: string): string | undefined {
  const value = payload[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw failure('request_rejected', `payload.${member} must be a string`);
  return value.trim() === '' ? undefined : value.trim();
}

/** A text as `textMember` reads it, of at most so many characters. */
export function boundedText(payload: JsonObject, member: string, characters: number): string | undefined {
  const text = textMember(payload, member);
  if (text === undefined || text.length <= characters) return text;
  throw failure('request_rejected', `payload.${member} must have at most ${characters} characters`);
}

/** A list of texts; empty when it is absent or null. A blank text is refused. */
export function textListMember(payload: JsonObject, member: string): string[] {
  const value = payload[member];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw failure('request_rejected', `payload.${member} must be an array of strings`);
  return value.map((text, at) => {
    if (typeof text === 'string' && text.trim() !== '') return text;
    throw failure('request_rejected', `payload.${member}[${at}] must be a string that is not blank`);
  });
}

/** A whole number between two bounds, both allowed; undefined when it is absent or null. */
export function wholeMember(payload: JsonObject, member: string, least: number, most: number): number | undefined {
  const value = numberMember(payload, member, least, most);
  if (value === undefined || Number.isInteger(value)) return value;
  throw failure('request_rejected', `payload.${member} must be a whole number from ${least} to ${most}`);
}

/** A number between two bounds, both allowed; undefined when it is absent or null. */
export function numberMember(payload: JsonObject, member: string, least: number, most: number): number | undefined {
  const value = payload[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw failure('request_rejected', `payload.${member} must be a number from ${least} to ${most}`);
}

/** Yes or no; undefined when it is absent or null. */
export function booleanMember(payload: JsonObject, member: string): boolean | undefined {
  const value = payload[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw failure('request_rejected', `payload.${member} must be true or false`);
}

/** A caller's text as a message can hold it: on one line, quoted, bounded. */
export function told(text: string): string {
  return `"${safeLine(text.length > TOLD_CHARACTERS ? `${text.slice(0, TOLD_CHARACTERS)}…` : text)}"`;
}
