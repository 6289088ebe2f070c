/** A running hash of everything that happened: two runs of one seed must agree in it, or nothing can be repeated. */
const PRIME = 0x0100_0193;

export class Trace {
  #low = 0x811c_9dc5;
  #high = 0x1234_5678;
  /** Lines are kept when somebody wants to read them. */
  readonly lines: string[] | undefined;

  constructor(keepsLines: boolean) {
    this.lines = keepsLines ? [] : undefined;
  }

  note(text: string): void {
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      this.#low = Math.imul(this.#low ^ unit, PRIME);
      this.#high = Math.imul(this.#high ^ (unit + at), PRIME);
    }
    this.#high = Math.imul(this.#high ^ (this.#low >>> 15), PRIME);
    this.lines?.push(text);
  }
  hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
