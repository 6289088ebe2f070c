/**
 * From texts to numbers without the texts: a table of 32-bit hashes, each with the number that it leads to. Whoever asks
 * knows how to tell whether a number really belongs to the text. A `Map` of a million texts costs a hundred bytes an
 * entry, and the collector walks through all of them; this costs twelve or less, and it never looks inside.
 *
 * Ids and keys may come from somebody who chose them to meet in one place. So no search goes further than
 * `PROBES`: what finds no place within is kept aside, with its text.
 */
const FIRST_SLOTS = 64;
/** Beyond this part of them full, there are twice as many. */
const FULL = 0.7;
/** Chance alone never makes such a row. */
const PROBES = 1_024;

/** 32 bits, never 0. */
export function hashOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0 || 1;
}

export class TextIndex {
  /** Two words a slot: the hash, 0 where the slot is free, and the number. */
  #slots = new Uint32Array(FIRST_SLOTS * 2);
  #mask = FIRST_SLOTS - 1;
  #taken = 0;
  readonly #aside = new Map<string, number>();

  /** @param textOf gives the text of a number; asked only where there is no place for its hash */
  add(hash: number, number: number, textOf: (number: number) => string): void {
    if (this.#taken >= (this.#mask + 1) * FULL) this.#grow(textOf);
    this.#place(hash, number, textOf);
  }

  /** @param isMeant whether a number with the hash of this text is that of the text */
  find(text: string, isMeant: (number: number) => boolean): number | undefined {
    if (this.#taken === 0) return undefined;
    const hash = hashOfText(text);
    const [slots, mask] = [this.#slots, this.#mask];
    for (let at = hash & mask, probe = 0; probe < PROBES; probe++, at = (at + 1) & mask) {
      const found = slots[at * 2];
      if (found === 0) return undefined;
      const number = slots[at * 2 + 1] as number;
      if (found === hash && isMeant(number)) return number;
    }
    return this.#aside.get(text);
  }

  #place(hash: number, number: number, textOf: (number: number) => string): void {
    const [slots, mask] = [this.#slots, this.#mask];
    for (let at = hash & mask, probe = 0; probe < PROBES; probe++, at = (at + 1) & mask) {
      if (slots[at * 2] !== 0) continue;
      slots[at * 2] = hash;
      slots[at * 2 + 1] = number;
      this.#taken++;
      return;
    }
    this.#aside.set(textOf(number), number);
  }

  #grow(textOf: (number: number) => string): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    this.#mask = old.length - 1;
    this.#taken = 0;
    for (let at = 0; at < old.length; at += 2)
      if (old[at] !== 0) this.#place(old[at] as number, old[at + 1] as number, textOf);
  }
}
