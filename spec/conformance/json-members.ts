/** Names that stand twice in one object of a JSON text: what a parser makes of them is left to chance. */

/** A string with what may stand behind it when it is a name, or a bracket. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs;

/** The first name that an object has twice. @param text valid JSON */
export function repeatedMember(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const names = open.at(-1);
      const name = token.slice(0, -colon.length);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}
