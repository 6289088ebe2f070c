/** The randomness seam on the real machine. */
import { randomBytes } from 'node:crypto';
import type { Random } from '../base/random.js';

export function createNodeRandom(): Random {
  return { bytes: (count) => randomBytes(count) };
}
