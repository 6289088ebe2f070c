/**
 * Finds statements that say the same in nearly the same words: those that share most of their words and of their pairs
 * of neighbours, so who calls whom stays apart. A word that turns a sentence round ("not", "never") and every number have
 * to be the same in both. Pure; the order of what is given decides.
 *
 * Two sets that share at least `likeness` of what is in either have a part in common among the rarest few of each (prefix
 * filtering), so only statements that share such a part are compared.
 */
import { dreamLimits } from './limits.js';

export interface Likeness {
  /** The index of the first text given that says the same, or undefined. Adds the text as it goes. */
  place(text: string): { readonly index: number; readonly isNew: boolean };
}

const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}]+)?/gu;
const PASSED = new Set(
  'a an and are as at be been by for from has have in is it its of on or so that the then this to was were will with'.split(
    ' ',
  ),
);
const TURNING = /^(?:no|not|never|without|none|cannot|except|unless|\w+n['’]t)$|^\p{N}/u;

interface Said {
  /** Words, and pairs of words that follow each other. */
  readonly parts: ReadonlySet<string>;
  /** Sorted, joined. */
  readonly turning: string;
}

/** @param texts all that will be placed: how often a part stands in them decides which are rare */
export function createLikeness(texts: Iterable<string>): Likeness {
  const rarest = rarityOf(texts);
  const firsts: Said[] = [];
  const exact = new Map<string, number>();
  const byRarePart = new Map<string, number[]>();
  return {
    place(text) {
      const said = saidBy(text);
      const key = [said.turning, ...said.parts].join('\n');
      const same = exact.get(key);
      if (same !== undefined) return { index: same, isNew: false };
      // Only what turns round the same way, and says the same numbers, can be like it.
      const prefix = rarest(said.parts).map((part) => `${said.turning}\n${part}`);
      const like = likest(said, new Set(prefix.flatMap((part) => byRarePart.get(part) ?? [])), firsts);
      const index = like ?? firsts.push(said) - 1;
      exact.set(key, index);
      if (like === undefined) for (const part of prefix) listFor(byRarePart, part).push(index);
      return { index, isNew: like === undefined };
    },
  };
}

/** Answers of a set so many of its rarest parts that a set which is like it must have one of them among its own. */
function rarityOf(texts: Iterable<string>): (parts: ReadonlySet<string>) => string[] {
  const frequency = new Map<string, number>();
  for (const text of texts) for (const part of saidBy(text).parts) frequency.set(part, (frequency.get(part) ?? 0) + 1);
  return (parts) =>
    [...parts]
      .sort((a, b) => (frequency.get(a) ?? 0) - (frequency.get(b) ?? 0) || (a < b ? -1 : 1))
      .slice(0, parts.size - Math.ceil(dreamLimits.likeness * parts.size) + 1);
}

function listFor(lists: Map<string, number[]>, key: string): number[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function saidBy(text: string): Said {
  const all = [...text.toLowerCase().matchAll(WORD)].map(([word]) => word);
  const words = all.filter((word) => !PASSED.has(word));
  const pairs = words.slice(1).map((word, at) => `${words[at]} ${word}`);
  const turning = all.filter((word) => TURNING.test(word)).sort();
  return { parts: new Set([...words, ...pairs]), turning: turning.join(' ') };
}

/** The one that shares most; of equals the first. */
function likest(said: Said, candidates: ReadonlySet<number>, firsts: readonly Said[]): number | undefined {
  let best: number | undefined;
  let bestShare = 0;
  for (const index of candidates) {
    const other = firsts[index];
    const share = other === undefined ? 0 : sharedOf(said.parts, other.parts);
    if (share < dreamLimits.likeness || share < bestShare) continue;
    if (share > bestShare || best === undefined || index < best) [best, bestShare] = [index, share];
  }
  return best;
}

/** Of all that is in either, how much is in both. */
function sharedOf(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const part of a) if (b.has(part)) shared += 1;
  return shared / (a.size + b.size - shared);
}
