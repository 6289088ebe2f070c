/** Keeps the end of what a process prints, in bounded room. */

export interface TailKeeper {
  /** @returns true: it is a sign of life */
  take(bytes: Uint8Array): boolean;
  /** At most so many characters; where something is missing it begins with `…`. */
  text(): string;
}

/** No character takes more in UTF-8. */
const CHARACTER_BYTES = 4;

export function tailKeeper(characters: number): TailKeeper {
  const most = characters * CHARACTER_BYTES;
  let kept = Buffer.alloc(0);
  let cut = false;
  return {
    take(bytes) {
      const all = Buffer.concat([kept, bytes]);
      cut ||= all.length > most;
      kept = all.subarray(Math.max(0, all.length - most));
      return true;
    },
    text() {
      const text = kept.toString('utf8');
      return cut ? ending(text, characters) : tailOf(text, characters);
    },
  };
}

/** The end of a text: at most so many characters; where something is missing it begins with `…`. */
export function tailOf(text: string, characters: number): string {
  return text.length <= characters ? text : ending(text, characters);
}

function ending(text: string, characters: number): string {
  return `…${text.slice(-(characters - 1)).toWellFormed()}`;
}
