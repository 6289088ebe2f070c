/** What the server counts about itself, for `/metrics`. */
export class Activity {
  readonly #answersByStatus = new Map<number, number>();
  connections = 0;
  eventStreams = 0;
  slowReadersDropped = 0;

  answered(status: number): void {
    this.#answersByStatus.set(status, (this.#answersByStatus.get(status) ?? 0) + 1);
  }

  /** `[status, count]`, by status. */
  answers(): [number, number][] {
    return [...this.#answersByStatus].sort(([a], [b]) => a - b);
  }
}
