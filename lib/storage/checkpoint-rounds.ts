/**
 * When checkpoints are made: where a segment ends at its size, beside the work; behind an opening that took in much, so
 * that a daemon that is killed again and again does not take it in each time; neither where it costs more than it is worth;
 * and at a clean stop. What goes into one is taken at one moment, between two batches; it is written from there while the
 * state goes on.
 *
 * None is made where the ledger is damaged or has two heads, or lacks what was acknowledged, even if that was accepted:
 * an opening has to see it for itself.
 */
import { limits } from '../base/limits.js';
import type { Batch } from './batch.js';
import type { CheckpointContents } from './checkpoint.js';
import type { Checkpoints } from './checkpoints.js';
import type { Condition } from './condition.js';
import type { History } from './history.js';
import type { StateKeeper } from './ledger.js';
import type { LiveSegment } from './live-segment.js';
import type { KnownSegment, Mark } from './mark.js';
import type { ReplayPlan } from './replay.js';

export interface CheckpointRoundsOptions {
  readonly keeper: StateKeeper;
  readonly checkpoints: Checkpoints;
  readonly history: History;
  readonly condition: Condition;
  readonly homeId: string;
  /** As the opening found it. */
  readonly plan: ReplayPlan;
  /** `seq` of the checkpoint that the opening began from; 0 without. */
  readonly checkpointSeq: number;
  /** What could not be written, as a line for people. */
  readonly progress: (text: string) => void;
}

interface Taken {
  readonly contents: Omit<CheckpointContents, 'pages'>;
  readonly pages: () => Iterable<Buffer>;
}

export class CheckpointRounds {
  readonly #options: CheckpointRoundsOptions;
  readonly #chain: KnownSegment[];
  #seq: number;
  #writtenSeq: number;
  /** The last batch of the segment that is being written. */
  #last: Pick<Mark, 'lastSeq' | 'lastEventId' | 'unit'> | undefined;
  #writing: Promise<void> | undefined;
  #forbidden: boolean;

  constructor(options: CheckpointRoundsOptions) {
    const { plan } = options;
    this.#options = options;
    this.#chain = plan.chain.map(({ segment, end, lineCount }) => ({ segment, end, lineCount }));
    this.#seq = plan.lastSeq;
    this.#writtenSeq = options.checkpointSeq;
    this.#forbidden = plan.status === 'corrupt' || plan.twoHeads;
  }

  /**
   * To be called before the first batch: what was opened is where all segments so far end.
   * @param afterEvents taken in without a checkpoint: fewer are not worth one
   * @returns writes it; undefined when none is to be
   */
  opened(afterEvents: number): (() => Promise<void>) | undefined {
    if (this.#seq - this.#writtenSeq < afterEvents || !this.#isDue()) return undefined;
    const taken = this.#take(this.#chain.slice());
    return async () => {
      // The next one may begin as soon as one is through.
      while (this.#writing !== undefined) await this.#writing;
      // A segment has ended meanwhile: that one stands further on.
      if (taken !== undefined && taken.contents.seq > this.#writtenSeq) this.#put(taken);
      await this.#writing;
    };
  }

  /** A batch is acknowledged; it begins at `offset` of the segment. */
  committed(batch: Batch, offset: number): void {
    const last = batch.events.at(-1);
    if (last === undefined) return;
    this.#seq = last.seq;
    this.#last = {
      lastSeq: last.seq,
      lastEventId: last.event_id,
      unit: { fromByte: offset, toByte: offset + batch.bytes.length },
    };
  }

  /** Nothing more comes into `segment`: the next one goes on from its end. Answers the work that goes on behind. */
  segmentEnded(segment: LiveSegment): Promise<void> {
    this.#chain.push(this.#knownOf(segment));
    this.#last = undefined;
    // One at a time: a disk that does not keep up gets fewer of them.
    if (this.#writing === undefined && this.#isDue()) this.#write(this.#chain.slice());
    return this.#writing ?? Promise.resolve();
  }

  /** Everything is acknowledged that ever will be. */
  async stopped(segment: LiveSegment): Promise<void> {
    await this.#writing;
    this.#write(segment.lines > 1 ? [...this.#chain, this.#knownOf(segment)] : this.#chain.slice());
    await this.#writing;
  }

  /** What was covered is damaged: no checkpoint stays, and none is made any more. */
  async forbid(): Promise<void> {
    this.#forbidden = true;
    await this.#writing;
    await this.#options.checkpoints.removeAll();
  }

  #write(chain: readonly KnownSegment[]): void {
    if (this.#seq === this.#writtenSeq) return;
    const taken = this.#take(chain);
    if (taken !== undefined) this.#put(taken);
  }

  /**
   * Whether one is worth what it costs. A job that has not ended takes as long to write and to read back as its events to
   * take in: with a long queue a checkpoint at each end of a segment would take most of the time, and save none.
   */
  #isDue(): boolean {
    const { open, ended } = this.#options.keeper.size();
    const jobs = open + ended / limits.checkpointEndedPerOpen;
    return jobs <= limits.checkpointFreeJobs || this.#seq - this.#writtenSeq >= jobs * limits.checkpointEventsPerJob;
  }

  /** What would be written now; undefined where none may be made. */
  #take(chain: readonly KnownSegment[]): Taken | undefined {
    const { keeper, history, condition, homeId } = this.#options;
    if (this.#isRefused()) return undefined;
    const { summary, pages } = keeper.capture();
    const contents = {
      reducer: keeper.reducer,
      home: homeId,
      seq: this.#seq,
      chain,
      history: history.runs(),
      adopted: condition.adopted,
      state: summary,
    };
    return { contents, pages };
  }

  #isRefused(): boolean {
    return this.#forbidden || this.#options.condition.isDamaged;
  }

  #put({ contents, pages }: Taken): void {
    const { checkpoints, progress } = this.#options;
    if (this.#isRefused()) return;
    this.#writing = checkpoints
      .write(contents, pages())
      .then(() => {
        this.#writtenSeq = contents.seq;
      })
      .catch((error: unknown) => progress(`no checkpoint was written: ${textOf(error)}`))
      .then(() => {
        this.#writing = undefined;
      });
  }

  #knownOf({ name, sizeBytes, lines, lastHash }: LiveSegment): KnownSegment {
    const last = this.#last ?? { lastSeq: undefined, lastEventId: undefined, unit: { fromByte: 0, toByte: sizeBytes } };
    return {
      segment: name,
      end: { toByte: sizeBytes, lineNumber: lines, hash: lastHash, committed: true, ...last },
      lineCount: lines,
    };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
