/** Those who read on at the end of a ledger, and wait there for more. */
export class Followers {
  #waiting: (() => void)[] = [];

  /** Resolves with the next batch, at the end of the ledger, and when `signal` aborts. */
  more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.push(wake);
    });
  }

  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
