/**
 * Looks after the files of a ledger beside its batches. What is not as it was left ends the writer; what was removed is
 * saved from the descriptors that still hold it.
 */
import type { Appender } from './appender.js';
import type { KeptSegments } from './kept-segments.js';
import type { QuarantineOptions } from './quarantine.js';
import type { Tenure } from './tenure.js';

export interface VigilOptions extends QuarantineOptions {
  readonly appender: Appender;
  readonly tenure: Tenure;
  readonly kept: KeptSegments;
  readonly progress: (text: string) => void;
}

export class Vigil {
  readonly #options: VigilOptions;
  /** The copying of what was removed, while it goes on. */
  #saving: Promise<void> = Promise.resolve();

  constructor(options: VigilOptions) {
    this.#options = options;
  }

  /** Stops the writer when not all is still ours and still there. */
  async look(): Promise<void> {
    const { appender, tenure, kept } = this.#options;
    if (appender.state === 'stopped') return this.saveGone();
    // A batch in flight, and a new segment, end with a check of their own.
    if (tenure.isRenewing || appender.isBusy) return;
    const { file, sizeBytes } = appender.segment;
    // A write that the full disk cut short stands behind the acknowledged size.
    const expectedBytes = appender.state === 'full' ? file.factsSync().sizeBytes : sizeBytes;
    const why = tenure.whyNotOurs({ file, sizeBytes: expectedBytes }) ?? kept.whyGone();
    if (why !== undefined) appender.stop(why);
  }

  /** One at a time. Whoever asks while one runs gets another look behind it: the first may have passed by already. */
  saveGone(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#copyGone());
    return this.#saving;
  }

  async #copyGone(): Promise<void> {
    const { kept, progress } = this.#options;
    try {
      for (const path of await kept.saveGone(this.#options)) progress(`saved what was removed: ${path}`);
    } catch (error) {
      progress(`could not save what was removed: ${String(error)}`);
    }
  }
}
