/**
 * The jobs that are objects, by their numbers, so that a moment of them costs next to nothing however many they are: they
 * stand on leaves, and a moment is the list of these. A leaf that a moment holds is not written any more: the next change
 * of one of its jobs goes to a copy.
 */
import type { Place } from './claim-queue.js';
import type { Job } from './job.js';

/** Few enough that a copy takes no time, and many enough that a million jobs stand on a thousand leaves. */
const LEAF_JOBS = 1_024;

interface Leaf {
  readonly jobs: (Job | undefined)[];
  /** Where they wait for a worker. No moment looks at it: it goes on in the copy. */
  readonly places: (Place | undefined)[];
  count: number;
  /** The moment before which it was made: it is shared with all later ones. */
  readonly before: number;
}

export interface LiveMoment {
  /** The job of this number, if it was an object then. */
  at(number: number): Job | undefined;
}

export class LiveJobs {
  readonly #leaves: (Leaf | undefined)[] = [];
  #moments = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  at(number: number): Job | undefined {
    return this.#leaves[Math.floor(number / LEAF_JOBS)]?.jobs[number % LEAF_JOBS];
  }

  set(number: number, job: Job): void {
    const leaf = this.#written(number);
    const at = number % LEAF_JOBS;
    if (leaf.jobs[at] === undefined) {
      leaf.count++;
      this.#size++;
    }
    leaf.jobs[at] = job;
  }

  placeOf(number: number): Place | undefined {
    return this.#leaves[Math.floor(number / LEAF_JOBS)]?.places[number % LEAF_JOBS];
  }

  /** Of a job that is there. */
  setPlace(number: number, place: Place | undefined): void {
    const places = this.#leaves[Math.floor(number / LEAF_JOBS)]?.places;
    if (places !== undefined) places[number % LEAF_JOBS] = place;
  }

  /** A job that is there. */
  delete(number: number): void {
    const leaf = this.#written(number);
    leaf.jobs[number % LEAF_JOBS] = undefined;
    leaf.places[number % LEAF_JOBS] = undefined;
    leaf.count--;
    this.#size--;
    if (leaf.count === 0) this.#leaves[Math.floor(number / LEAF_JOBS)] = undefined;
  }

  /** In the order of their numbers. */
  *[Symbol.iterator](): Generator<Job> {
    for (const leaf of this.#leaves) for (const job of leaf?.jobs ?? []) if (job !== undefined) yield job;
  }

  /** As they are now, however long they are looked at. */
  moment(): LiveMoment {
    this.#moments++;
    const leaves = this.#leaves.slice();
    return { at: (number) => leaves[Math.floor(number / LEAF_JOBS)]?.jobs[number % LEAF_JOBS] };
  }

  /** The leaf of a number, which no moment holds. */
  #written(number: number): Leaf {
    const at = Math.floor(number / LEAF_JOBS);
    let leaf = this.#leaves[at];
    if (leaf?.before !== this.#moments) {
      const { jobs = [], places = [], count = 0 } = leaf ?? {};
      leaf = { jobs: jobs.slice(), places, count, before: this.#moments };
      this.#leaves[at] = leaf;
    }
    return leaf;
  }
}
