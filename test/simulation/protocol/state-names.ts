/**
 * A short name for each state: equal states have equal names, and no others. Each part of a state gets a number by its
 * value; the name is the numbers in a row. A part that a step did not touch is the same object, and its number is
 * known.
 *
 * Which number stands for which part is sure: all parts but the inodes are as many in every state of a run, and folder
 * B, last, is announced in front. The text of a part leaves its members' names out: their order never changes.
 */
import type { State } from './state.js';

export class StateNames {
  readonly #byText = new Map<string, number>();
  readonly #byPart = new WeakMap<object, number>();

  nameOf(state: State): string {
    const { folders, inodes, processes, acknowledged, shown, left, homes, damaged, violation } = state;
    const parts: object[] = [folders.A, acknowledged, shown, left, ...processes, ...inodes];
    if (folders.B) parts.push(folders.B);
    return `${homes}${damaged}${violation}${folders.B !== null}:${parts.map((part) => this.#numberOf(part)).join()}`;
  }

  #numberOf(part: object): number {
    const known = this.#byPart.get(part);
    if (known !== undefined) return known;
    const text = JSON.stringify(Object.values(part));
    const number = this.#byText.get(text) ?? this.#byText.size;
    this.#byText.set(text, number);
    this.#byPart.set(part, number);
    return number;
  }
}
