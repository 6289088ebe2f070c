/**
 * A map from texts to objects that come and go, as jobs do while they are under way. It is a `Map` to places in an array.
 *
 * A `Map` that is written and cleared for ever makes a new table each time the last one is full, and every table leads to
 * the next. Once one of them is old, only a full collection takes those behind it away, and all that they ever held: with
 * the objects in the tables, each short-lived one would live until then, and be moved about on the way.
 */
export class PassingMap<Value extends object> {
  readonly #places = new Map<string, number>();
  readonly #values: (Value | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  get(key: string): Value | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#values[place];
  }

  set(key: string, value: Value): void {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#free.pop() ?? this.#values.length;
      this.#places.set(key, place);
    }
    this.#values[place] = value;
  }

  delete(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#values[place] = undefined;
    this.#free.push(place);
  }

  clear(): void {
    this.#places.clear();
    this.#values.length = 0;
    this.#free.length = 0;
  }

  /** In the order in which they were first set. */
  *values(): Generator<Value> {
    for (const place of this.#places.values()) yield this.#values[place] as Value;
  }
}
