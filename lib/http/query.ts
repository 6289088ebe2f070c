/** Reads the query part of a target. A blank value counts as missing; a name that stands twice is a mistake. */
import { AgentopsdError } from '../base/errors.js';

/** @throws AgentopsdError `invalid_request` */
export function oneQuery(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1)
    throw new AgentopsdError('invalid_request', `${name} stands ${values.length} times in the query; give it once`);
  const text = values[0]?.trim() ?? '';
  return text === '' ? undefined : text;
}

/** A whole number from 0 up. @throws AgentopsdError `invalid_request` */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = oneQuery(query, name);
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new AgentopsdError('invalid_request', `${name} must be a whole number from 0 up`);
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

/** @throws AgentopsdError `invalid_request` */
export function flag(query: URLSearchParams, name: string): boolean {
  const text = oneQuery(query, name);
  if (text === undefined || text === '0' || text === 'false') return false;
  if (text === '1' || text === 'true') return true;
  throw new AgentopsdError('invalid_request', `${name} must be 1 or 0`);
}
