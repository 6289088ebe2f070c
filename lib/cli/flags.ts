/** The values of flags, read and checked where they are used. */
import { AgentopsdError } from '../base/errors.js';
import { nearest } from '../base/nearest.js';
import { safeLine } from '../base/text.js';
import { readDurationMs } from './times.js';

export class Flags {
  readonly #values: ReadonlyMap<string, string | true>;
  constructor(values: ReadonlyMap<string, string | true>) {
    this.#values = values;
  }

  on(name: string): boolean {
    return this.#values.get(name) === true;
  }

  given(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === true ? undefined : value;
  }

  /** A whole number from `least` on. */
  wholeNumber(name: string, least: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= least)) throw refused(name, text, `a whole number from ${least} on is needed`);
    return number;
  }

  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const durationMs = readDurationMs(text);
    if (durationMs === undefined) throw refused(name, text, 'a duration is needed, such as 90s, 5m or 2h');
    return durationMs;
  }

  /** One of `words`. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : oneOf(name, text, words);
  }

  /** Several of `words`, with commas between them. */
  choices<Word extends string>(name: string, words: readonly Word[]): readonly Word[] | undefined {
    return this.list(name)?.map((text) => oneOf(name, text, words));
  }

  list(name: string): readonly string[] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const parts = text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    if (parts.length === 0) throw refused(name, text, 'at least one word is needed');
    return parts;
  }
}

function oneOf<Word extends string>(name: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const guess = nearest(text, words);
  throw refused(name, text, guess === undefined ? `it is one of ${words.join(', ')}` : `did you mean ${guess}`);
}

function refused(name: string, text: string, hint: string): AgentopsdError {
  return new AgentopsdError('usage', `--${name} ${safeLine(text)} can't be used`, { hint });
}
