/** Randomness comes in through this seam, so that a simulation can repeat a run. */
export interface Random {
  /** `count` random bytes. */
  bytes(count: number): Uint8Array;
}

/** Lower-case hex of `byteCount` random bytes. */
export function randomHex(random: Random, byteCount: number): string {
  const bytes = random.bytes(byteCount);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
