/** Makes texts of callers safe to print: every control and bidirectional character becomes visible as `\uXXXX`. */

const UNPRINTABLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** For one line of output: newlines and tabs are escaped as well. */
export function safeLine(text: string): string {
  return safeText(text).replace(/[\n\t]/g, (unit) => (unit === '\n' ? '\\n' : '\\t'));
}

/** For output of several lines: newlines and tabs stay. */
export function safeText(text: string): string {
  return text.replace(UNPRINTABLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `1 page`, `2 pages`: for nouns that take an s. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
