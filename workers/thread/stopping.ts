/** How an attempt hears that it is to stop. */

/** The stop of an attempt. Most jobs never look at their signal, and to make one is not free. */
export class Stopping {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: string): void {
    this.#reason ??= stopReason(reason);
    this.#controller?.abort(this.#reason);
  }
}

/** What handlers see as `signal.reason`, and what `signal.throwIfAborted()` throws. */
export function stopReason(reason: string): Error {
  return Object.assign(new Error(`the attempt is to stop: ${reason}`), { name: 'AbortError' });
}
