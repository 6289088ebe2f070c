/**
 * How one process stays the writer: under its term, and under the next one whenever a segment ends or a full disk has
 * room again. What it leaves at the end is the folder, to whoever comes; or only its lock, when somebody came already.
 */
import { type CheckedSegment, whyNotOurs } from './check.js';
import { leaveFolder } from './guard.js';
import type { LiveSegment } from './live-segment.js';
import type { LockHold } from './lock.js';
import { cutSealed } from './repair.js';
import type { Term } from './terms.js';
import type { WriterOptions } from './writer.js';
import { renewWriter } from './writer.js';

export class Tenure {
  readonly #options: WriterOptions;
  readonly #hold: LockHold;
  #term: Term;
  #isRenewing = false;

  constructor(options: WriterOptions, term: Term, hold: LockHold) {
    this.#options = options;
    this.#term = term;
    this.#hold = hold;
  }

  /** While the next term and its segment are being made. */
  get isRenewing(): boolean {
    return this.#isRenewing;
  }

  /** Whether nobody took over. */
  isLast(): boolean {
    return this.#term.isLast();
  }

  /** See `check.ts`. */
  whyNotOurs(segment: CheckedSegment): string | undefined {
    return whyNotOurs(this.#options.disk, this.#term, segment);
  }

  /**
   * Takes the next term and a segment of its own, which seals `from`; what stands behind the seal is cut.
   * @param sealed is told before the cut
   * @throws AgentopsdError `daemon_running`; DiskError
   */
  async renew(from: LiveSegment, sealed: (segment: LiveSegment) => void): Promise<LiveSegment> {
    this.#isRenewing = true;
    try {
      const segment = await renewWriter(this.#options, this.#term, from, (term) => {
        const previous = this.#term;
        // Even where no segment comes of it: a term that was linked is ours, and the one to go on from.
        this.#term = term;
        previous.close().catch(() => undefined);
      });
      sealed(segment);
      await cutSealed(this.#options, from.name, from.sizeBytes);
      return segment;
    } finally {
      this.#isRenewing = false;
    }
  }

  async leave(): Promise<void> {
    if (this.isLast()) await leaveFolder(this.#options, this.#term.number, this.#hold);
    else await this.#hold.release();
  }

  /** Behind this nobody can tell any more whose term it is. */
  close(): Promise<void> {
    return this.#term.close();
  }
}
