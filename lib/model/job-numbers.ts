/**
 * Every job of a state has a number, in the order of acceptance, and keeps it. Here is the way to it: by the job's id, and
 * by the idempotency key that leads to it. Only hashes are kept, outside of what the collector looks at: a table of a
 * million texts would cost more than the jobs themselves, and each look into it several misses of the cache.
 */
import { hashOfText, TextIndex } from './text-index.js';

/** The texts behind the hashes, for those that meet in one place. */
export interface JobTexts {
  idOf(number: number): string;
  keyOf(number: number): string | undefined;
}

/** A row of hashes for each job. */
const ID = 0;
const KEY = 1;
const ROW = 2;
const FIRST_ROWS = 64;

export class JobNumbers {
  readonly #texts: JobTexts;
  readonly #byId = new TextIndex();
  readonly #byKey = new TextIndex();
  #hashes = new Uint32Array(FIRST_ROWS * ROW);
  #size = 0;

  constructor(texts: JobTexts) {
    this.#texts = texts;
  }

  /** How many jobs there are: the number of the next one. */
  get size(): number {
    return this.#size;
  }

  ofId(jobId: string): number | undefined {
    return this.#byId.find(jobId, (number) => this.#texts.idOf(number) === jobId);
  }

  ofKey(key: string): number | undefined {
    return this.#byKey.find(key, (number) => this.#texts.keyOf(number) === key);
  }

  /** The hash of a job's id. */
  idHash(number: number): number {
    return this.#hashes[number * ROW + ID] as number;
  }

  /** The hash of the key that leads to a job; 0 where none does. */
  keyHash(number: number): number {
    return this.#hashes[number * ROW + KEY] as number;
  }

  /** The next number is that of a job, whose texts can be asked for already. */
  add(jobId: string): void {
    this.restore(hashOfText(jobId), 0);
  }

  /** From now on this key leads to a job. */
  lead(key: string, number: number): void {
    this.#lead(hashOfText(key), number);
  }

  /** The same as `add` and `lead`, by the hashes. @param keyHash 0 where no key leads to it */
  restore(idHash: number, keyHash: number): void {
    const number = this.#size;
    if ((number + 1) * ROW > this.#hashes.length) this.#grow();
    this.#size++;
    this.#hashes[number * ROW + ID] = idHash;
    this.#byId.add(idHash, number, (one) => this.#texts.idOf(one));
    if (keyHash !== 0) this.#lead(keyHash, number);
  }

  #lead(keyHash: number, number: number): void {
    this.#hashes[number * ROW + KEY] = keyHash;
    this.#byKey.add(keyHash, number, (one) => this.#texts.keyOf(one) as string);
  }

  #grow(): void {
    const hashes = new Uint32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }
}
