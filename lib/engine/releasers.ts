/** What has to be let go of, in the reverse order of its taking. */
export class Releasers {
  #steps: (() => Promise<unknown> | unknown)[] = [];
  readonly #onError: (error: unknown) => void;

  /** @param onError is told what a step throws; the others follow all the same */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  add(release: () => Promise<unknown> | unknown): void {
    this.#steps.push(release);
  }

  /** Idempotent. */
  async releaseAll(): Promise<void> {
    for (const release of this.#steps.splice(0).reverse()) {
      try {
        await release();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
