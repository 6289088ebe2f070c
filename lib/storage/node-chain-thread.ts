/**
 * The check of the chain on a thread of its own. It is started with the first run and ended by whoever made it. Blocks
 * are handed over, not copied: the bytes that are hashed are the very bytes that were parsed here.
 */
import { Worker } from 'node:worker_threads';
import type { ChainChecker, ChainCheckers, Looking } from './chain-check.js';
import type { ChainAnswer, ChainOrder } from './chain-thread-entry.js';

export interface ChainThread extends ChainCheckers {
  close(): Promise<void>;
}

const ENTRY = new URL('./chain-thread-entry.js', import.meta.url);
/** So many blocks may wait there: no more memory than this is held for a thread that does not keep up. */
const BLOCKS_UNDER_WAY = 16;

export function createChainThread(): ChainThread {
  let thread: Thread | undefined;
  return {
    handsOver: true,
    begin: (hash, looking) => {
      thread ??= new Thread();
      return thread.begin(hash, looking);
    },
    close: async () => thread?.close(),
  };
}

class Thread {
  readonly #worker = new Worker(ENTRY, { env: {}, argv: [], execArgv: [] });
  #underWay = 0;
  #room: (() => void) | undefined;
  #ended: ((fits: boolean) => void) | undefined;
  /** Whatever ended it: nothing that it was to check counts as checked. */
  #gone = false;
  #run = 0;
  #broken = false;

  constructor() {
    this.#worker.on('message', (answer: ChainAnswer) => this.#hear(answer));
    for (const end of ['error', 'exit', 'messageerror']) this.#worker.on(end, () => this.#leave());
  }

  begin(hash: string, looking: Looking): ChainChecker {
    this.#broken = false;
    this.#tell({ kind: 'begin', run: ++this.#run, hash, looking });
    const isBroken = (): boolean => this.#broken || this.#gone;
    return {
      take: (bytes) => this.#take(bytes),
      fits: () => this.#fits(),
      get isBroken() {
        return isBroken();
      },
    };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #take(bytes: Buffer): Promise<void> | undefined {
    // Only a whole block can be handed over; what shares its memory with others is copied.
    const own = bytes.byteLength * 2 > bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
    this.#tell({ kind: 'lines', bytes: own }, [own.buffer as ArrayBuffer]);
    this.#underWay++;
    if (this.#underWay < BLOCKS_UNDER_WAY || this.#gone) return undefined;
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  #fits(): Promise<boolean> {
    if (this.#gone) return Promise.resolve(false);
    this.#tell({ kind: 'end' });
    return new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  #tell(order: ChainOrder, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(order, transfer);
  }

  #hear(answer: ChainAnswer): void {
    if (answer.kind === 'ended') this.#ended?.(answer.fits);
    else {
      this.#underWay--;
      // Of a run that was given up answers still come.
      if (!answer.fits && answer.run === this.#run) this.#broken = true;
      this.#room?.();
      this.#room = undefined;
    }
  }

  #leave(): void {
    this.#gone = true;
    this.#room?.();
    this.#ended?.(false);
  }
}
