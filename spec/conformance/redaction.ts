/** Takes the token, and what gives it away, out of everything that is printed or written. */
import { swapCase } from './target/curl.js';

export type Redact = (text: string) => string;

/** Shorter pieces occur by chance. */
const LEAST_CHARACTERS = 4;

export function redactor(tokens: readonly (string | undefined)[]): Redact {
  const secrets = tokens
    .filter((token): token is string => token !== undefined && token !== '')
    .flatMap(spellings)
    .filter((each) => each.length >= LEAST_CHARACTERS)
    .sort((a, b) => b.length - a.length);
  const unique = [...new Set(secrets)];
  return (text) => unique.reduce((rest, secret) => rest.split(secret).join('[token]'), text);
}

function spellings(token: string): string[] {
  const base64 = (text: string): string => Buffer.from(text).toString('base64').replace(/=+$/, '');
  return [
    token,
    swapCase(token),
    token.slice(0, -1),
    encodeURIComponent(token),
    JSON.stringify(token).slice(1, -1),
    base64(token),
    base64(`x:${token}`),
    base64(`:${token}`),
    [...token].reverse().join(''),
  ];
}

/** Redacts every text in a value of plain data. */
export function redactData<T>(value: T, redact: Redact): T {
  if (typeof value === 'string') return redact(value) as T;
  if (Array.isArray(value)) return value.map((each) => redactData(each, redact)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [redact(name), redactData(inner, redact)]),
  ) as T;
}
