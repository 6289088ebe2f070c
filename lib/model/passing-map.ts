import { Places } from '../base/places.js';

/**
 * A map from texts to objects that come and go, as jobs do while they are under way. It is a `Map` to places: with the
 * objects in its own tables, each short-lived one would stay until a full collection (see `Places`), and be moved about
 * on the way.
 */
export class PassingMap<Value extends object> {
  readonly #placeByKey = new Map<string, number>();
  readonly #values = new Places<Value>();

  get size(): number {
    return this.#placeByKey.size;
  }

  has(key: string): boolean {
    return this.#placeByKey.has(key);
  }

  get(key: string): Value | undefined {
    const place = this.#placeByKey.get(key);
    return place === undefined ? undefined : this.#values.get(place);
  }

  set(key: string, value: Value): void {
    const place = this.#placeByKey.get(key);
    if (place === undefined) this.#placeByKey.set(key, this.#values.take(value));
    else this.#values.replace(place, value);
  }

  delete(key: string): void {
    const place = this.#placeByKey.get(key);
    if (place === undefined) return;
    this.#placeByKey.delete(key);
    this.#values.leave(place);
  }

  clear(): void {
    this.#placeByKey.clear();
    this.#values.clear();
  }

  /** In the order in which they were first set. */
  *values(): Generator<Value> {
    for (const place of this.#placeByKey.values()) yield this.#values.get(place) as Value;
  }
}
