/**
 * The jobs of one type that wait for a worker, first in first out. Removing from the middle marks a place as left; the
 * front moves over such places, so that every operation costs the same whatever the length.
 */

/** Where a job waits: its holder keeps it, to leave it by. */
export interface Place {
  readonly jobId: string;
  isLeft: boolean;
}

const COMPACT_FROM = 1024;

export class ClaimQueue implements Iterable<string> {
  #places: Place[] = [];
  #front = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** At the end. A job waits in one place at a time: whoever adds it sees to that. */
  add(jobId: string): Place {
    const place = { jobId, isLeft: false };
    this.#places.push(place);
    this.#size++;
    return place;
  }

  remove(place: Place): void {
    if (place.isLeft) return;
    place.isLeft = true;
    this.#size--;
    this.#advance();
  }

  *[Symbol.iterator](): Iterator<string> {
    for (let at = this.#front; at < this.#places.length; at++) {
      const place = this.#places[at];
      if (place !== undefined && !place.isLeft) yield place.jobId;
    }
  }

  #advance(): void {
    while (this.#places[this.#front]?.isLeft) this.#front++;
    if (this.#front < COMPACT_FROM || this.#front * 2 < this.#places.length) return;
    this.#places = this.#places.slice(this.#front);
    this.#front = 0;
  }
}
