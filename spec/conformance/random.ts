/** Randomness that a seed repeats. */

export interface Random {
  /** From 0 up to, and without, `below`. */
  whole(below: number): number;
  pick<T>(from: readonly T[]): T;
}

/** mulberry32, from a hash of the seed and of what it is for. */
export function randomFrom(seed: string): Random {
  let state = 2166136261;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16777619);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const whole = (below: number): number => Math.floor(next() * below);
  return {
    whole,
    pick: (from) => {
      const found = from[whole(from.length)];
      if (found === undefined) throw new Error('nothing to pick from');
      return found;
    },
  };
}
