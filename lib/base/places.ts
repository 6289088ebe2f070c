/**
 * Values that come and go for ever, each in a place of its own until it leaves. A `Set` or a `Map` would do the same, but
 * makes a new table each time the last one is full, and every table leads to the next: once one of them is old, only a
 * full collection takes away those behind it, and all that they ever held.
 */
export class Places<Value extends object> {
  readonly #values: (Value | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#values.length - this.#free.length;
  }

  get(place: number): Value | undefined {
    return this.#values[place];
  }

  /** @returns its place, good until it leaves: then another value may have it */
  take(value: Value): number {
    const place = this.#free.pop() ?? this.#values.length;
    this.#values[place] = value;
    return place;
  }

  /** Another value in a place that is taken. */
  replace(place: number, value: Value): void {
    this.#values[place] = value;
  }

  /** A place that is taken. */
  leave(place: number): void {
    this.#values[place] = undefined;
    this.#free.push(place);
  }

  clear(): void {
    this.#values.length = 0;
    this.#free.length = 0;
  }

  /** In the order of their places. */
  *[Symbol.iterator](): Generator<Value> {
    for (const value of this.#values) if (value !== undefined) yield value;
  }
}
