/** Paths as git prints them, a line each: with `core.quotePath` what is no plain ASCII stands in quotes, like a text of C. */

const LETTERS: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 };

/** The path that a line names; bytes that are no UTF-8 become U+FFFD. */
export function unquotedPath(line: string): string {
  if (!/^".*"$/s.test(line)) return line;
  const bytes: number[] = [];
  for (const [, plain, octal, letter] of line.slice(1, -1).matchAll(/([^\\]+)|\\([0-7]{3})|\\(.)/gs)) {
    if (plain !== undefined) bytes.push(...Buffer.from(plain, 'utf8'));
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else bytes.push(LETTERS[letter as string] ?? (letter as string).charCodeAt(0));
  }
  return Buffer.from(bytes).toString('utf8');
}

/** Of a listing with a path a line. */
export function pathsOf(listing: string): string[] {
  return listing
    .split('\n')
    .filter((line) => line !== '')
    .map(unquotedPath);
}
