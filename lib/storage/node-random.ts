/** The randomness seam on the real machine. Drawn from the system by the block: a call each would cost more than it gives. */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../base/random.js';

const BLOCK_BYTES = 8_192;

export function createNodeRandom(): Random {
  let block = new Uint8Array(0);
  let taken = 0;
  return {
    bytes(count) {
      if (count > BLOCK_BYTES) return randomFillSync(new Uint8Array(count));
      if (taken + count > block.length) {
        // A new block, not the old one filled anew: what was handed out keeps its bytes.
        block = randomFillSync(new Uint8Array(BLOCK_BYTES));
        taken = 0;
      }
      taken += count;
      return block.subarray(taken - count, taken);
    },
  };
}
